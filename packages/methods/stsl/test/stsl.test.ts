import {
  countCalls,
  type Denoiser,
  ddimSample,
  discreteSchedule,
  gaussianMixture,
  levelAt,
  levelGrid,
  levelTensors,
  rootMeanSquareError,
  trainingLevel,
} from "@offprint/diffusion";
import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { runConformance } from "@offprint/solvers/conformance";
import {
  eye,
  grad,
  linalg,
  matmul,
  matrixTrace,
  mul,
  random,
  sum,
  type Tensor,
  tanh,
  tensor,
  vjp,
} from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type Correct, correction, guardedSlope, type Place } from "../src/correction.js";
import { drawProbes, perSample, traceSettings } from "../src/hessian-trace.js";
import {
  hessianTrace,
  type LatentModel,
  ldps,
  linearMeasurement,
  type Measurement,
  matrixMeasurement,
  p2l,
  pixelModel,
  psld,
  type RestoreResult,
  stsl,
  stslEdit,
  surrogateLogLikelihood,
  tmpd,
  tweedieCovariance,
} from "../src/index.js";

const schedule = discreteSchedule({ betas: "scaledLinear" });
const rng = random.rng("stsl");
const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
const mixture = gaussianMixture({ means: normal([4, 3]), variances: 0.05 });
const denoiser = mixture.denoiser(schedule);
const w = linalg.qr(normal([6, 3])).q;
const decode = (z: Tensor) => matmul(z, w.transpose());
const model: LatentModel = { denoiser, encode: (x) => matmul(x, w), decode, latentShape: [3] };
const bent: LatentModel = { ...model, decode: (z) => tanh(decode(z)) };
const measurement = matrixMeasurement(normal([4, 6]));
const images = decode(mixture.sample(rng, 5).x);
const y = measurement.apply(images);
const steps = 6;

/** The model as black boxes with gradients of their own. */
function boxed(of: LatentModel): LatentModel {
  const asked = of.denoiser;
  return {
    ...of,
    external: true,
    denoiser: {
      ...asked,
      external: true,
      predict: async (z, level, condition) => asked.predict(z, level, condition),
      vjp: async (z, level, condition, cotangent) => ({
        z: vjp((x: Tensor) => asked.predict(x, level, condition) as Tensor, z)[1](cotangent)[0],
      }),
    },
    encode: async (x) => of.encode(x),
    decode: async (z) => of.decode(z),
    decodeGradient: async (z, cotangent) => vjp((x: Tensor) => of.decode(x) as Tensor, z)[1](cotangent)[0],
    encodeGradient: async (x, cotangent) => vjp((v: Tensor) => of.encode(v) as Tensor, x)[1](cotangent)[0],
  };
}

describe("limits", () => {
  it("one correction from noise without the trace is LDPS", async () => {
    const common = { steps, initial: "noise", stepSize: 0.7, seed: 3 } as const;
    const first = await ldps(model, measurement, y, common);
    const second = await stsl(model, measurement, y, { ...common, corrections: 1, traceWeight: 0 });
    expectClose(second.z, first.z, 1e-13);
    expect(second.calls).toEqual(first.calls);
  });

  it("without steps, and where nothing is measured, it is DDIM with the same noises", async () => {
    const initial = normal([5, 3]);
    const { x } = await ddimSample(denoiser, initial, { steps, offset: 0, eta: 1, seed: 4 });
    const still = await stsl(model, measurement, y, { steps, initial, stepSize: 0, corrections: 2, seed: 4 });
    expectClose(still.z, x, 1e-12);
    const blind = matrixMeasurement(normal([4, 6]).mul(0));
    const seen = await stsl(model, blind, y.mul(0), { steps, initial, corrections: 2, seed: 4 });
    expectClose(seen.z, x, 1e-12);
    const none = await psld(model, measurement, y, { steps, initial, omega: 0, gamma: 0, seed: 4 });
    expectClose(none.z, x, 1e-12);
  });

  it("of a normal prior the trace is constant, so that it changes nothing", async () => {
    const single = {
      ...model,
      denoiser: gaussianMixture({ means: [[0.3, -0.5, 1]], variances: [[0.2, 0.1, 0.5]] }).denoiser(schedule),
    };
    const run = (traceWeight: number) => stsl(single, measurement, y, { steps, traceWeight });
    expectClose((await run(0.5)).z, (await run(0)).z, 1e-9);
  });

  it("PSLD: both terms vanish where the autoencoder is exact and everything was measured already", async () => {
    const orthonormal = eye(6, 3, "float64");
    const exact: LatentModel = {
      denoiser,
      encode: (x) => matmul(x, orthonormal),
      decode: (z) => matmul(z, orthonormal.transpose()),
      latentShape: [3],
    };
    const all = matrixMeasurement(eye(6, 6, "float64"));
    const z = normal([5, 3]);
    const level = levelGrid(schedule, 1, { offset: 0 });
    const data = mixture.data(z, levelTensors(level[1]));
    const fits = all.apply(exact.decode(data) as Tensor);
    const plain = await ddimSample(denoiser, z, { levels: level, eta: 1, seed: 1 });
    const run = await psld(exact, all, fits, { levels: level, initial: z, seed: 1 });
    expectClose(run.z, plain.x, 1e-12);
  });

  it("P2L without projections and steps on a condition is LDPS; projections make measurements hold", async () => {
    const common = { steps, initial: "noise", seed: 5 } as const;
    const first = await ldps(model, measurement, y, common);
    expectClose((await p2l(model, measurement, y, { ...common, projectEvery: 0 })).z, first.z, 1e-13);
    const unguided = await p2l(model, measurement, y, { ...common, stepSize: 0, projectEvery: 0 });
    const projected = await p2l(model, measurement, y, {
      ...common,
      stepSize: 0,
      embeddingSteps: 0,
      projectEvery: 1,
      projectionWeight: 0.01,
    });
    const missed = ({ residual }: RestoreResult) => Math.hypot(...residual);
    expect(missed(projected)).toBeLessThan(0.3 * missed(unguided));
  });

  it("P2L tunes the condition", async () => {
    // The condition are the weights of the components; a start at the wrong ones is left.
    const positive: Denoiser = {
      ...denoiser,
      predict: (z, level, condition) => denoiser.predict(z, level, (condition as Tensor).square()),
    };
    const condition = tensor([[3, 0.3, 0.3, 0.3]], { dtype: "float64" }).add(normal([5, 4]).mul(0));
    const common = { steps: 20, initial: "noise", condition, stepSize: 0.3, projectEvery: 0 } as const;
    const conditional = { ...model, denoiser: positive };
    const [fixed, tuned] = [
      await p2l(conditional, measurement, y, { ...common, embeddingSteps: 0 }),
      await p2l(conditional, measurement, y, { ...common, embeddingSteps: 2 }),
    ];
    expect(tuned.calls.score).toBe(60);
    expect(tuned.history[5].residual).toBeLessThan(0.9 * (fixed.history[5].residual as number));
  });
});

describe("the trace of the Hessian", () => {
  const level = levelAt(schedule, 0.4);
  const z = normal([4, 3]);
  const exact = matrixTrace(mixture.hessian(z, levelTensors(level)));

  it("is exact by all directions, and the covariance is that of the mixture", async () => {
    expectClose(await hessianTrace(denoiser, z, level, { trace: "exact" }), exact, 1e-10);
    expectClose(
      tweedieCovariance(denoiser, z, levelTensors(level)),
      mixture.dataCovariance(z, levelTensors(level)),
      1e-11,
    );
    expectClose(
      await hessianTrace(boxed(model).denoiser, z, level, { seed: 1 }),
      await hessianTrace(denoiser, z, level, { seed: 1 }),
      1e-11,
    );
  });

  it("by a difference comes near the derivative with the first order of its length, for a fixed direction", async () => {
    const by = (probeScale: number) => hessianTrace(denoiser, z, level, { probeScale, seed: 2 });
    const limit = await hessianTrace(denoiser, z, level, { trace: "jvp", seed: 2 });
    const gap = async (scale: number) => Math.hypot(...(await by(scale)).sub(limit).data());
    const [coarse, fine] = [await gap(2e-3), await gap(1e-3)];
    expect(Math.log2(coarse / fine)).toBeGreaterThan(0.9);
    expect(Math.log2(coarse / fine)).toBeLessThan(1.1);
  });

  it("in expectation with the second: opposite directions cancel the first", async () => {
    const settings = traceSettings("test", {});
    const [e] = drawProbes(settings, "pair", z);
    const evaluate = (x: Tensor) => denoiser.predict(x, levelTensors(level)) as Tensor;
    const difference = (d: number) => perSample(e.mul(evaluate(z).sub(evaluate(z.add(e.mul(d)))))).div(d * level.sigma);
    const gap = (d: number) => difference(d).add(difference(-d)).div(2);
    const limit = gap(1e-5);
    const [coarse, fine] = [4e-3, 2e-3].map((d) => Math.hypot(...gap(d).sub(limit).data()));
    expect(Math.log2(coarse / fine)).toBeGreaterThan(1.9);
    expect(Math.log2(coarse / fine)).toBeLessThan(2.1);
  });

  it("of signs as of normal numbers is right in the mean", async () => {
    const found = await hessianTrace(denoiser, z, level, { trace: "jvp", probes: 600, probe: "rademacher" });
    expectClose(found, exact, { relative: 0.1, absolute: 0.1 * Math.max(...exact.abs().data()) });
  });
});

describe("the gradient of a correction", () => {
  const level = levelTensors(trainingLevel(schedule, 300));
  const z = normal([2, 3]);
  const seen = measurement.apply(decode(normal([2, 3])));
  const numbers = {
    weight: tensor(0.4, { dtype: "float64" }),
    probeLength: tensor(0.05, { dtype: "float64" }),
  };
  const probes = [normal([2, 3])];
  const place: Place<Tensor> = { z, y: seen, level, condition: undefined, probes, numbers };
  const objective = {
    name: "a test",
    measurement,
    apply: (x: Tensor) => measurement.apply(x),
    trace: "difference" as const,
    loss: ({ trace }: { trace?: Tensor }, _: Place<Tensor>, missed: Tensor) =>
      perSample(missed.square()).add(mul(trace as Tensor, numbers.weight)),
  };
  const value = (of: LatentModel) => (x: Tensor) => {
    const noise = (states: Tensor) => denoiser.predict(states, level) as Tensor;
    const image = of.decode(x.sub(noise(x).mul(level.sigma)).div(level.alpha)) as Tensor;
    const trace = perSample(probes[0].mul(noise(x).sub(noise(x.add(probes[0].mul(0.05))))))
      .div(level.sigma.mul(0.05))
      .mul(0.4);
    return sum(perSample(seen.sub(measurement.apply(image)).square()).add(trace));
  };
  const expectRight = async (correct: Correct<Tensor>, of: LatentModel) => {
    const { gradient } = await correct(place);
    const numerical = numericalGradient(value(of), z);
    expectClose(gradient as Tensor, numerical, 1e-6);
  };

  it("is that of central differences for linear and bent decoders, compiled and through black boxes", async () => {
    for (const of of [model, bent]) {
      await expectRight(correction("test", of, objective, undefined), of);
      await expectRight(correction("test", boxed(of), objective, undefined), of);
    }
  });

  it("is compiled once for a model and a measurement, and anew for any other", async () => {
    let traced = 0;
    const counting = (): LatentModel => ({
      ...model,
      decode(z) {
        traced++;
        return decode(z);
      },
    });
    const counted = counting();
    const common = { steps: 2, corrections: 2 } as const;
    const first = await stsl(counted, measurement, y, common);
    const once = traced;
    const second = await stsl(counted, measurement, y, common);
    expect(traced).toBe(once);
    expectClose(second.z, first.z, 0);
    await stsl(counted, measurement, y, { ...common, seed: 1, stepSize: 0.1, traceWeight: 0.3 });
    expect(traced).toBe(once);

    const other = matrixMeasurement(normal([4, 6]));
    const seen = other.apply(images);
    const anew = await stsl(counted, other, seen, common);
    expect(traced).toBeGreaterThan(once);
    expectClose(anew.z, (await stsl(counting(), other, seen, common)).z, 0);
    const plain = await stsl(counted, measurement, y, { ...common, traceWeight: 0 });
    expectClose(plain.z, (await stsl(model, measurement, y, { ...common, traceWeight: 0 })).z, 0);
  });

  it("goes through a decoder in .onnx files", async () => {
    const shape = { shape: ["batch", 3], dtype: "float64" } as const;
    const decoder = await loadModel(toOnnx((x: Tensor) => bent.decode(x) as Tensor, shape));
    const back = await loadModel(
      toOnnx(
        (x: Tensor, cotangent: Tensor) => grad((v: Tensor) => sum((bent.decode(v) as Tensor).mul(cotangent)))(x),
        shape,
        { shape: ["batch", 6], dtype: "float64" },
      ),
    );
    const first = async (results: Promise<Record<string, Tensor>>) => Object.values(await results)[0];
    const files: LatentModel = {
      ...bent,
      external: true,
      decode: (x) => first(decoder.run({ [decoder.inputs[0].name]: x })),
      decodeGradient: (x, cotangent) => first(back.run({ [back.inputs[0].name]: x, [back.inputs[1].name]: cotangent })),
    };
    await expectRight(correction("test", files, objective, undefined), bent);
  });

  it("black boxes restore as compiled models do, by every method", async () => {
    const common = { steps: 4, seed: 2 } as const;
    for (const run of [
      (of: LatentModel) => stsl(of, measurement, y, { ...common, corrections: 2, traceWeight: 0.1 }),
      (of: LatentModel) => psld(of, measurement, y, common),
      (of: LatentModel) => psld(of, measurement, y, { ...common, glue: "pseudoInverse" }),
      (of: LatentModel) => p2l(of, measurement, y, { ...common, projectEvery: 2 }),
    ]) {
      expectClose((await run(boxed(bent))).x, (await run(bent)).x, 1e-9);
    }
  });

  it("has no direction where nothing is missed", () => {
    expectClose(guardedSlope(tensor([0, 1e-26, 4], { dtype: "float64" })), [0, 0, 0.25], 1e-15);
  });
});

describe("calls of the model", () => {
  it("T K with the score reused and T (K + 1) without, and as many of probes", async () => {
    const run = async (options: {
      corrections: number;
      reuseScore?: boolean;
      traceWeight?: number;
      probes?: number;
    }) => {
      const counted = countCalls({ ...boxed(model).denoiser });
      const result = await stsl({ ...boxed(model), denoiser: counted }, measurement, y, { steps: 5, ...options });
      expect(result.calls.score).toBe(counted.calls);
      return [result.calls.score, result.calls.gradient, result.calls.decode];
    };
    expect(await run({ corrections: 3, traceWeight: 0 })).toEqual([15, 15, 16]);
    expect(await run({ corrections: 3 })).toEqual([30, 30, 16]);
    expect(await run({ corrections: 3, probes: 2 })).toEqual([45, 45, 16]);
    expect(await run({ corrections: 3, reuseScore: false })).toEqual([35, 30, 16]);
  });
});

describe("modes of the trace", () => {
  it("agree where the difference is short", async () => {
    const run = (options: object) => stsl(model, measurement, y, { steps: 5, traceWeight: 0.2, ...options });
    expectClose((await run({ trace: "jvp" })).z, (await run({ probeScale: 1e-5 })).z, 1e-3);
    const known = {
      ...model,
      hessianTrace: (z: Tensor, level: Parameters<typeof mixture.hessian>[1]) => matrixTrace(mixture.hessian(z, level)),
    };
    const exact = await run({ trace: "exact" });
    const own = await stsl(known, measurement, y, { steps: 5, traceWeight: 0.2, trace: "exact" });
    expectClose(exact.z, own.z, 1e-8);
    expect(exact.calls.score).toBe(25);
  });

  it("are as good where the decoder alone is a black box", async () => {
    const outside = { ...boxed(model), denoiser: model.denoiser };
    for (const trace of ["jvp", "exact"] as const) {
      const run = (of: LatentModel) => stsl(of, measurement, y, { steps: 3, traceWeight: 0.2, trace });
      expectClose((await run(outside)).z, (await run(model)).z, 1e-9);
    }
  });
});

describe("the likelihood", () => {
  it("of a normal prior is exact with the full covariance, and bounded from below", () => {
    const single = gaussianMixture({ means: [[0.3, -0.5, 1]], variances: [[0.2, 0.1, 0.5]] });
    const of = { ...model, denoiser: single.denoiser(schedule) };
    const level = levelTensors(trainingLevel(schedule, 400));
    const z = normal([5, 3]);
    const found = surrogateLogLikelihood(of, measurement, y, z, level, { deviation: 0.3 });
    // With one component A z0 given z is normal: by brute force, one sample after the other.
    const matrix = measurement.apply(decode(eye(3, 3, "float64"))).transpose();
    const total = matmul(matmul(matrix, single.dataCovariance(z, level).slice([0])), matrix.transpose()).add(
      eye(4, 4, "float64").mul(0.09),
    );
    const gap = y.sub(measurement.apply(decode(single.data(z, level))));
    for (let i = 0; i < 5; i++) {
      const row = gap.slice([{ start: i, stop: i + 1 }]);
      const { inverse, logDet } = inverseAndLogDeterminant(total);
      const exact = -0.5 * (matmul(matmul(row, inverse), row.transpose()).item() + logDet + 4 * Math.log(2 * Math.PI));
      expectClose(found.normal.data()[i], exact, 1e-9);
      expect(found.jensen.data()[i]).toBeLessThanOrEqual(exact + 1e-9);
      expect(found.surrogate.data()[i]).toBeLessThanOrEqual(found.jensen.data()[i] + 1e-9);
      expect(found.firstOrder.data()[i]).toBeGreaterThan(found.jensen.data()[i]);
    }
  });

  it("TMPD samples the posterior of a normal prior", async () => {
    const single = gaussianMixture({ means: [[0.3, -0.5, 1]], variances: [[0.2, 0.1, 0.5]] });
    const of = { ...model, denoiser: single.denoiser(schedule) };
    const count = 400;
    const one = y.slice([{ stop: 1 }]);
    const many = one.add(tensor(new Float64Array(count), { shape: [count, 1] }));
    const { z } = await tmpd(of, measurement, many, { steps: 200, deviation: 0.3 });
    const matrix = measurement.apply(decode(eye(3, 3, "float64"))).transpose();
    const posterior = single.posterior(matrix, one.reshape([4]), 0.3);
    expectClose(z.mean(0), posterior.means.reshape([3]), 0.1);
    const spread = matrixTrace(posterior.covariances.reshape([3, 3])).item();
    expectClose(sum(z.sub(z.mean(0)).square().mean(0)).item() / spread, 1, 0.2);
  });
});

/** By Gauss and Jordan, for the test. */
function inverseAndLogDeterminant(matrix: Tensor): { inverse: Tensor; logDet: number } {
  const n = matrix.shape[0];
  const rows = (matrix.toArray() as number[][]).map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  let logDet = 0;
  for (let i = 0; i < n; i++) {
    const pivot = rows[i][i];
    logDet += Math.log(pivot);
    rows[i] = rows[i].map((v) => v / pivot);
    for (let k = 0; k < n; k++) {
      const factor = rows[k][i];
      if (k !== i) rows[k] = rows[k].map((v, j) => v - factor * rows[i][j]);
    }
  }
  return {
    inverse: tensor(
      rows.map((row) => row.slice(n)),
      { dtype: "float64" },
    ),
    logDet,
  };
}

describe("editing", () => {
  it("restores, then edits with what it is given", async () => {
    const told = (k: number) =>
      tensor(
        Array.from({ length: 5 }, () => [0, 1, 2, 3].map((i) => (i === k ? 1 : 0))),
        { dtype: "float64" },
      );
    const [source, target] = [told(0), told(2)];
    const common = { steps: 8, editSteps: 8, stepSize: 0.1, source, target } as const;
    const data = mixture.sample(rng, 5, mixture.only([0])).x;
    const found = await stslEdit(model, measurement, measurement.apply(decode(data)), common);
    expect(rootMeanSquareError(found.z, data)).toBeLessThan(0.25);
    expect(found.edited?.shape).toEqual([5, 6]);
    const seen: number[] = [];
    const own = await stslEdit(model, measurement, y, {
      ...common,
      strength: 0.5,
      editor: async (_, latents, { levels }) => {
        seen.push(levels.length);
        return { x: latents };
      },
    });
    expect(seen).toEqual([5]);
    expectClose(own.edited, own.x, 1e-12);
    const stopped = await stslEdit(model, measurement, y, { ...common, onProgress: () => "stop" });
    expect(stopped.edited).toBeUndefined();
    for (const [wrong, message] of [
      [{ strenght: 0.5 }, /stslEdit: there is no option "strenght"; did you mean "strength"/],
      [{ condition: source }, /stslEdit: there is no option "condition"/],
      [{ editor: 3 }, /editor is 3; give a function/],
      [{ editor: async () => ({}) }, /editor must give \{ x \}, latents \[5,3\]/],
    ] as const) {
      expect(await failureOf(() => stslEdit(model, measurement, y, { ...common, ...wrong } as never))).toEqual(
        errorLike("ValueError", message),
      );
    }
  });

  it("ends within the edit where the signal comes, and edits anew what is resumed", async () => {
    const controller = new AbortController();
    // In the second half of the run: the steps of the restoration are 2, those of the edit 40.
    let asked = 0;
    const denoisers: Denoiser = {
      ...denoiser,
      external: true,
      async predict(z, level, condition) {
        if (++asked === 12) controller.abort();
        return denoiser.predict(z, level, condition);
      },
      vjp: boxed(model).denoiser.vjp as NonNullable<Denoiser["vjp"]>,
    };
    const told = [0, 2].map((k) => tensor([[0, 1, 2, 3].map((i) => (i === k ? 1 : 0))], { dtype: "float64" }));
    const [source, target] = told.map((row) => row.add(normal([5, 4]).mul(0)));
    const options = { steps: 2, corrections: 1, traceWeight: 0, editSteps: 20, source, target } as const;
    const watched = { ...model, denoiser: denoisers };
    const ended = await stslEdit(watched, measurement, y, { ...options, signal: controller.signal });
    expect([ended.status, ended.edited]).toEqual(["aborted", undefined]);
    expect(asked).toBeLessThan(20);
    const resumed = await stslEdit(watched, measurement, y, { ...options, resume: ended.state });
    const whole = await stslEdit(watched, measurement, y, options);
    expect(resumed.status).toBe("limit");
    expectClose(resumed.edited as Tensor, whole.edited as Tensor, 0);
    // An editor of one's own is told what it needs to end as well.
    const handed: string[] = [];
    await stslEdit(watched, measurement, y, {
      ...{ ...options, dtype: "float32", signal: new AbortController().signal },
      editor: async (_, latents, given) => {
        handed.push(...Object.keys(given));
        expect(given.dtype).toBe("float32");
        return { x: latents };
      },
    });
    expect(handed).toContain("signal");
  });
});

describe("hooks and ends", () => {
  it("a hook sees every step and may put another state in its place", async () => {
    const seen: number[] = [];
    const result = await stsl(model, measurement, y, {
      steps: 4,
      onStep: (z, { step, steps: total, level }) => {
        seen.push(step);
        return step === total && level.sigma === 0 ? z.mul(0) : undefined;
      },
    });
    expect(seen).toEqual([1, 2, 3, 4]);
    expectClose(result.z, result.z.mul(0), 0);
  });

  it("takes over what was measured at the end", async () => {
    const result = await stsl(model, measurement, y, { steps: 4, consistency: true });
    expect(Math.max(...result.residual)).toBeLessThan(1e-10);
  });

  it("begins below the top, and with states of one's own", async () => {
    const part = await stsl(model, measurement, y, { steps: 10, startFraction: 0.3 });
    expect(part.steps).toBe(3);
    const levels = levelGrid(schedule, 3, { offset: 0 });
    const own = await stsl(pixelModel(denoiser), matrixMeasurement(eye(3, 3, "float64")), normal([2, 3]), {
      levels,
      initial: normal([2, 3]),
    });
    expect(own.x.shape).toEqual([2, 3]);
    const exploding = { ...model, denoiser: mixture.denoiser({ ...schedule, kind: "variance-exploding" }) };
    expect((await stsl(exploding, measurement, y, { steps: 2, initial: "noise" })).z.shape).toEqual([5, 3]);
  });
});

describe("what is refused", () => {
  const fails = async (run: () => unknown, kind: string, message: RegExp) =>
    expect(await failureOf(run)).toEqual(errorLike(kind, message));

  it("more levels than there are, no corrections, negative weights, lengths that are not positive", async () => {
    await fails(() => stsl(model, measurement, y, { steps: 1001 }), "ValueError", /steps is 1001/);
    await fails(() => stsl(model, measurement, y, { corrections: 0 }), "ValueError", /corrections/);
    await fails(() => stsl(model, measurement, y, { stepSize: -1 }), "ValueError", /stepSize/);
    await fails(() => stsl(model, measurement, y, { traceWeight: -1 }), "ValueError", /traceWeight/);
    await fails(() => stsl(model, measurement, y, { probeScale: 0 }), "ValueError", /probeScale/);
    await fails(() => stsl(model, measurement, y, { startFraction: 0 }), "ValueError", /startFraction/);
    await fails(() => stsl(model, measurement, y, { reuseScore: "no" as never }), "ValueError", /reuseScore is "no"/);
    await fails(() => ldps(model, measurement, y, { consistency: "no" as never }), "ValueError", /consistency is "no"/);
    await fails(
      () => stsl(model, measurement, y, { onStep: 3 as never }),
      "ValueError",
      /onStep is 3; give a function/,
    );
    await fails(() => tmpd(model, measurement, y, { deviation: 0 }), "ValueError", /deviation/);
    for (const deviation of [1e-160, 1e300]) {
      await fails(() => tmpd(model, measurement, y, { deviation }), "ValueError", /tmpd: deviation is .* no inverse/);
    }
    await fails(
      () => stsl(model, measurement, y, { steps, probeScale: 1e-20 }),
      "ValueError",
      /probeScale is 1e-20, and states in float64 have no digits for it; give 1e-10 or more$/,
    );
    await fails(() => p2l(model, measurement, y, { embeddingSteps: 1 }), "ValueError", /no condition/);
    await fails(
      () => stslEdit(model, measurement, y, { source: y, target: y, strength: 0.001 }),
      "ValueError",
      /strength/,
    );
  });

  it("what the way to the trace has no use for", async () => {
    const { denoiser } = model;
    const level = trainingLevel(schedule, 300);
    for (const [trace, option] of [
      ["exact", { probes: 2 }],
      ["exact", { probe: "rademacher" }],
      ["exact", { probeScale: 0.2 }],
      ["jvp", { probeScale: 0.2 }],
    ] as const) {
      const message = new RegExp(`${Object.keys(option)} does nothing where trace is "${trace}"; leave it out`);
      await fails(() => stsl(model, measurement, y, { trace, ...option }), "ValueError", message);
      await fails(() => hessianTrace(denoiser, normal([5, 3]), level, { trace, ...option }), "ValueError", message);
    }
  });

  it("measurements that are none, too large, or missing, and element types that there are not", async () => {
    for (const run of [stsl, ldps, psld, p2l]) {
      const owner = run.name;
      await fails(() => run(model, measurement, "y" as never), "DTypeError", new RegExp(`${owner}: y cannot be read`));
      await fails(
        () => run(model, measurement, y.mul(1e200)),
        "ValueError",
        new RegExp(`${owner}: y is so large that its squares are no numbers in float64`),
      );
      await fails(() => run(model, null as never, y), "ValueError", new RegExp(`${owner}: the measurement must be`));
      await fails(
        () => run(model, measurement, y, { dtype: "float16" as never }),
        "ValueError",
        new RegExp(`${owner}: dtype is "float16"`),
      );
      await fails(
        () => run(model, measurement, y, { initial: [["a"]] as never }),
        "DTypeError",
        new RegExp(`${owner}: initial cannot be read`),
      );
    }
    await fails(async () => pixelModel(null as never), "ValueError", /pixelModel: denoiser is null/);
    await fails(async () => matrixMeasurement("a" as never), "DTypeError", /matrixMeasurement: matrix cannot be read/);
  });

  it("levels out of order, measurements that do not fit", async () => {
    const levels = levelGrid(schedule, 3).reverse();
    await fails(() => stsl(model, measurement, y, { levels }), "ValueError", /order them from clean to noisy/);
    await fails(
      () => stsl(model, measurement, normal([5, 3]), { steps, initial: "noise" }),
      "ShapeError",
      /y has \[5,3\]/,
    );
    await fails(
      () => stsl(model, measurement, y, { steps, initial: normal([4, 3]) }),
      "ShapeError",
      /for 5 measurements/,
    );
    await fails(
      () => stsl(model, (x) => measurement.apply(x), y, { steps }),
      "UnsupportedError",
      /needs the transpose/,
    );
    await fails(
      () => stsl({ ...model, latentShape: [4] }, measurement, y, { steps }),
      "ShapeError",
      /latentShape is \[4\]/,
    );
    const { latentShape: _, ...shapeless } = model;
    await fails(() => stsl(shapeless, measurement, y, { steps, initial: "noise" }), "ValueError", /latentShape/);
  });

  it("black boxes without the gradients that are needed", async () => {
    const { vjp: _, ...blind } = boxed(model).denoiser;
    await fails(() => stsl({ ...boxed(model), denoiser: blind }, measurement, y), "UnsupportedError", /no vjp/);
    const { decodeGradient: __, ...undecoded } = boxed(model);
    await fails(() => stsl(undecoded, measurement, y), "UnsupportedError", /decodeGradient/);
    const { encodeGradient: ___, ...unencoded } = boxed(model);
    await fails(() => psld(unencoded, measurement, y), "UnsupportedError", /encodeGradient/);
    const known = { ...boxed(model), hessianTrace: (z: Tensor) => perSample(z) };
    for (const of of [boxed(model), known]) {
      await fails(() => stsl(of, measurement, y, { trace: "jvp" }), "UnsupportedError", /trace "jvp"/);
    }
    // Projections alone go without.
    const result = await p2l({ ...undecoded, denoiser: blind }, measurement, y, {
      steps: 3,
      stepSize: 0,
      projectEvery: 1,
    });
    expect(result.status).toBe("limit");
  });

  it("maps that are not linear", async () => {
    await fails(() => linearMeasurement((x) => x.add(1), [3]), "ValueError", /not linear/);
    await fails(() => linearMeasurement((x) => x.square(), [3]), "ValueError", /not the sum of its parts/);
    await fails(() => linearMeasurement((x) => x.relu(), [3]), "ValueError", /not the sum of its parts/);
    expect(linearMeasurement((x) => x.cast("float32").mul(0.1).cast("float64"), [3]).apply(y).shape).toEqual(y.shape);
    // Of consistency that it cannot have, before the model is asked anything.
    const counted = countCalls({ ...boxed(model).denoiser });
    const consistent = { steps, initial: "noise", consistency: true } as const;
    await fails(
      () => stsl({ ...boxed(model), denoiser: counted }, (x) => measurement.apply(x), y, consistent),
      "UnsupportedError",
      /consistency needs the transpose/,
    );
    expect(counted.calls).toBe(0);
  });

  it("what would do nothing, and lengths without digits", async () => {
    await fails(
      () => stsl(model, measurement, y, { steps, traceWeight: 0, probes: 2 }),
      "ValueError",
      /probes does nothing with traceWeight 0/,
    );
    await fails(
      () => stsl(model, measurement, y, { steps, dtype: "float32", probeScale: 1e-6 }),
      "ValueError",
      /probeScale is 0.000001, and states in float32 have no digits/,
    );
    await fails(
      () => stsl(model, measurement, y, { steps, startFraction: "0.5" as never }),
      "ValueError",
      /startFraction is 0.5/,
    );
    await fails(
      () => p2l(model, measurement, y, { steps, learningRate: 0.2 }),
      "ValueError",
      /learningRate does nothing with embeddingSteps 0/,
    );
    await fails(
      () => p2l(model, measurement, y, { steps, projectEvery: 0, projectionWeight: 2 }),
      "ValueError",
      /projectionWeight does nothing with projectEvery 0/,
    );
    const level = levelTensors(trainingLevel(schedule, 300));
    for (const lambda of [-1, Number.NaN]) {
      await fails(
        () => surrogateLogLikelihood(model, measurement, y, normal([5, 3]), level, { deviation: 0.3, lambda }),
        "ValueError",
        /lambda is/,
      );
    }
  });

  it("states that stop being finite, with their level", async () => {
    const broken: Denoiser = { ...denoiser, predict: (z, { sigma }) => z.div(sigma.sub(sigma)) };
    await fails(
      () => stsl({ ...model, denoiser: broken }, measurement, y, { steps: 3 }),
      "NonFiniteError",
      /level t = /,
    );
  });
});

const many: Measurement = matrixMeasurement(normal([4, 6]));
const much = many.apply(decode(normal([4000, 3])));
const subjects = { stsl, ldps, psld, p2l, tmpd };
for (const [name, subject] of Object.entries(subjects)) {
  const run = subject as unknown as typeof stsl;
  const own = name === "tmpd" ? { deviation: 0.3 } : {};
  runConformance(
    name,
    {
      run: (options) => run(model, many, options["steps"] === 900 ? much : y, { ...own, ...options }),
      limit: "steps",
      short: 6,
      endless: { steps: 900, ...(name === "stsl" && { corrections: 20 }) },
      seeded: true,
      invalid: [{ spacing: "even" }, { eta: 2 }, { startFraction: 2 }, { initial: "data" }],
      nonFinite: [() => run(model, many, [[1, Number.NaN, 2, 3]], { steps: 3, ...own })],
    },
    { describe, it, expect },
  );
}

it("is compiled once for all levels", async () => {
  const calls = { count: 0 };
  const counting: LatentModel = {
    ...model,
    decode(z) {
      calls.count++;
      return decode(z);
    },
  };
  await stsl(counting, measurement, y, { steps: 20 });
  expect(calls.count).toBeLessThan(6);
});
