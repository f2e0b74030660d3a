import {
  continuousSchedule,
  type Denoiser,
  ddimSample,
  discreteSchedule,
  explodingSchedule,
  gaussianMixture,
  levelGrid,
  levelOf,
} from "@offprint/diffusion";
import { loadPipeline, unetDenoiser } from "@offprint/diffusion/pipeline";
import { folderOf, tinyPipeline } from "@offprint/diffusion/testing";
import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { sgd } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import {
  concatenate,
  linalg,
  matmul,
  mean,
  mul,
  random,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { errorLike, expectClose, f64, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  adamsWeights,
  adjointGradient,
  adjointSample,
  adjointValueAndGradient,
  backpropGradient,
  edictGradient,
  finetune,
  guidedSample,
  imageLoss,
  oneStepGradient,
  optimizeCondition,
  optimizeNoise,
  styleLoss,
} from "../src/index.js";

const schedule = discreteSchedule({ betas: "scaledLinear" });
const rng = random.rng("adjoint");
const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
const weights = { a: normal([4, 8]).mul(0.5), b: normal([8, 2]).mul(0.5) };
type Weights = typeof weights;
/** A small network with a condition of two entries. */
const network = ({ a, b }: Weights): Denoiser => ({
  prediction: "noise",
  schedule,
  predict: (z, _, condition) => matmul(tanh(matmul(concatenate([z, condition as Tensor], 1), a)), b),
});
const model = { network, params: weights };
const z = normal([3, 2]);
const condition = normal([3, 2]);
const target = f64([0.3, -0.2]);
const loss = (x: Tensor) => sum(square(sub(x, target)));

describe("limits", () => {
  it("without noise the variable is constant", async () => {
    const silent: Denoiser = { prediction: "noise", schedule, predict: (x) => mul(x, 0) };
    const { x, noise, reverseDrift } = await adjointValueAndGradient(silent, sum, z, { steps: 4 });
    const [end, top] = [
      levelGrid(schedule, 4, { spacing: "logSnr", clean: "none" })[0],
      levelGrid(schedule, 4, { spacing: "logSnr", clean: "none" })[4],
    ];
    expectClose(x, z.mul(end.alpha / top.alpha), 1e-13);
    expectClose(noise, z.mul(0).add(end.alpha / top.alpha), 1e-13);
    expect(reverseDrift).toBe(0);
  });

  it("Euler's steps are DDIM's", async () => {
    const options = { steps: 9, spacing: "logSnr", clean: "none", condition } as const;
    const plain = await ddimSample(network(weights), z, options);
    expectClose((await adjointSample(model, z, { ...options, solver: "euler" })).x, plain.x, 1e-12);
  });

  it("Euler's adjoint is not that of Euler's steps: it differs by the order of a step", async () => {
    const gap = async (steps: number) => {
      const options = { steps, condition, solver: "euler" } as const;
      const [a, b] = [
        await adjointValueAndGradient(model, loss, z, options),
        await backpropGradient(model, loss, z, options),
      ];
      return Math.max(...a.noise.sub(b.noise).abs().data());
    };
    const [coarse, fine] = [await gap(100), await gap(200)];
    expect(coarse).toBeGreaterThan(1e-6);
    expect(Math.log2(coarse / fine)).toBeGreaterThan(0.7);
    expect(Math.log2(coarse / fine)).toBeLessThan(1.3);
  });

  it("Adams' weights on an even grid are the textbook's, and exact for cubics on any grid", () => {
    expectClose(adamsWeights([3, 2, 1, 0], 3, 4), [55 / 24, -59 / 24, 37 / 24, -9 / 24], 1e-12);
    const times = [1.3, 0.9, 0.2, -0.4];
    const cubic = (t: number) => 2 * t ** 3 - t ** 2 + 4 * t - 1;
    const integral = (t: number) => t ** 4 / 2 - t ** 3 / 3 + 2 * t ** 2 - t;
    const found = adamsWeights(times, 1.3, 2).reduce((s, w, j) => s + w * cubic(times[j]), 0);
    expectClose(found, integral(2) - integral(1.3), 1e-12);
  });
});

describe("objects of one class", () => {
  class Scaled {
    readonly params = f64([0.5]);
    constructor(readonly scale: number) {}
    network(own: Tensor): Denoiser {
      return { prediction: "noise", schedule, predict: (x) => mul(mul(x, own), this.scale) };
    }
  }

  it("are sampled from, differentiated and trained each with what it holds itself", async () => {
    for (const scale of [1, -2]) {
      const denoiser: Denoiser = { prediction: "noise", schedule, predict: (x) => mul(x, 0.5 * scale) };
      const [own, plain] = [new Scaled(scale), { network: () => denoiser, params: f64([0.5]) }];
      expectClose((await adjointSample(own, z)).x, (await adjointSample(denoiser, z)).x, 1e-12);
      const options = { steps: 5 };
      const [found, expected] = [
        await backpropGradient(own, loss, z, options),
        await backpropGradient(plain, loss, z, options),
      ];
      expectClose(found.noise, expected.noise, 1e-12);
      const trained = await finetune(own, loss, { steps: 1, noise: z, sampling: { steps: 5 } });
      expect(trained.history).toHaveLength(1);
    }
  });
});

describe("gradients of a network", () => {
  const accurate = { steps: 120, condition, spacing: "logSnr" } as const;

  it("by noise, condition and weights are central differences of the sampler", async () => {
    const {
      noise,
      condition: ofCondition,
      params,
      reverseDrift,
    } = await adjointValueAndGradient(model, loss, z, accurate);
    expect(reverseDrift).toBeLessThan(1e-4);
    const at = async (zs: Tensor, cs: Tensor, ws: Weights) =>
      (
        await adjointValueAndGradient({ network, params: ws }, loss, zs, {
          ...accurate,
          condition: cs,
          want: { condition: false, params: false },
        })
      ).value;
    const h = 1e-5;
    const slopes = async (move: (by: number) => Promise<number>) => ((await move(h)) - (await move(-h))) / (2 * h);
    const unit = (x: Tensor, i: number, by: number) =>
      x.add(
        tensor(
          Float64Array.from({ length: x.size }, (_, j) => (i === j ? by : 0)),
          { shape: x.shape },
        ),
      );
    for (const i of [0, 3]) {
      expectClose(noise.data()[i], await slopes((by) => at(unit(z, i, by), condition, weights)), 1e-5);
      expectClose(
        (ofCondition as Tensor).data()[i],
        await slopes((by) => at(z, unit(condition, i, by), weights)),
        1e-5,
      );
      expectClose(
        (params as Weights).a.data()[i],
        await slopes((by) => at(z, condition, { ...weights, a: unit(weights.a, i, by) })),
        1e-5,
      );
    }
  });

  it("agree between solvers, schedules' forms, and with back-propagation", async () => {
    const reference = await backpropGradient(model, loss, z, { steps: 200, condition });
    for (const [options, tolerance] of [
      [{ solver: "rk4", steps: 120 }, 1e-5],
      [{ solver: "heun", steps: 200 }, 2e-3],
      [{ solver: "midpoint", steps: 200 }, 2e-3],
      [{ solver: "dopri5", steps: 3, relativeTolerance: 1e-8, absoluteTolerance: 1e-10 }, 1e-5],
      [{ solver: "adamsBashforth", steps: 200 }, 1e-3],
      [{ form: "raw", spacing: "uniform", steps: 200 }, 2e-2],
    ] as const) {
      const found = await adjointValueAndGradient(model, loss, z, { ...options, condition });
      expectClose(found.noise, reference.noise, tolerance);
      expectClose(found.params as Weights, reference.params as Weights, tolerance * 4);
    }
  });

  it("of a batch are those of its samples, and sums for weights and a shared condition", async () => {
    const options = { steps: 8 } as const;
    const all = await adjointValueAndGradient(model, loss, z, { ...options, condition });
    const rows = [0, 1, 2].map((i) => [{ start: i, stop: i + 1 }]);
    const each = [];
    for (const at of rows)
      each.push(
        await adjointValueAndGradient(model, loss, z.slice(at), { ...options, condition: condition.slice(at) }),
      );
    expectClose(
      concatenate(
        each.map(({ noise }) => noise),
        0,
      ),
      all.noise,
      1e-12,
    );
    expectClose(
      each.map(({ params }) => (params as Weights).b).reduce((a, b) => a.add(b)),
      (all.params as Weights).b,
      1e-12,
    );
  });

  it("of losses that read states on the way add up", async () => {
    const options = { steps: 12, condition, record: [5] } as const;
    const sample = await adjointSample(model, z, options);
    const slope = (x: Tensor) => x.mul(2);
    const both = await adjointGradient(sample.tape, slope(sample.x), { states: [slope(sample.states[0])] });
    const ends = await adjointGradient(sample.tape, slope(sample.x));
    const middle = await adjointGradient(sample.tape, sample.x.mul(0), { states: [slope(sample.states[0])] });
    expectClose(both.noise, ends.noise.add(middle.noise), 1e-11);
    const short = await adjointSample(model, z, {
      condition,
      levels: levelGrid(schedule, 12, { spacing: "logSnr", clean: "none" }).slice(5),
    });
    expectClose(short.x, sample.states[0], 1e-12);
    expectClose(middle.noise, (await adjointGradient(short.tape, slope(short.x))).noise, 1e-11);
  });

  it("where variance explodes and where time is continuous", async () => {
    for (const kind of [explodingSchedule({ first: 0.02, last: 10 }), continuousSchedule()]) {
      const single = gaussianMixture({ means: [[0.3, -0.1]], variances: 0.2 });
      const start = z.mul(kind.kind === "variance-exploding" ? 10 : 1);
      const { noise, x } = await adjointValueAndGradient(single.denoiser(kind), loss, start, { steps: 80 });
      const reference = await backpropGradient(single.denoiser(kind), loss, start, { steps: 300 });
      expectClose([x, noise], [reference.x, reference.noise], 1e-4);
    }
  });
});

describe("black boxes", () => {
  it("take part by their vjp: the same gradients", async () => {
    const own = network(weights);
    const external: Denoiser = {
      ...own,
      external: true,
      predict: async (x, level, c) => own.predict(x, level, c),
      vjp: async (x, level, c, g) => {
        const [, pull] = vjp((a: Tensor, b: Tensor) => own.predict(a, level, b) as Tensor, x, c as Tensor);
        const [dz, dc] = pull(g);
        return { z: dz, condition: dc };
      },
    };
    const options = { steps: 6, condition } as const;
    const [a, b] = [
      await adjointValueAndGradient(external, loss, z, options),
      await adjointValueAndGradient(own, loss, z, options),
    ];
    expectClose([a.noise, a.condition], [b.noise, b.condition], 1e-12);
    const { vjp: _, ...silent } = external;
    expect(await failureOf(() => adjointValueAndGradient(silent, loss, z, options))).toEqual(
      errorLike("UnsupportedError", /no vjp/),
    );
  });

  it("two .onnx files: a network and its gradient", async () => {
    const tiny = tinyPipeline({ toOnnx });
    const pipeline = await loadPipeline(folderOf(tiny.files), { loadModel });
    const [forward, gradient] = [await loadModel(tiny.files["unet/model.onnx"]), await loadModel(tiny.gradient)];
    const denoiser = unetDenoiser(forward, { schedule: pipeline.schedule, prediction: pipeline.prediction, gradient });
    const told = await pipeline.encodeText(["ab", "c"]);
    const start = normal([2, 2, 4, 4]);
    const found = await adjointValueAndGradient(denoiser, (x) => mean(square(x)), start, { steps: 4, condition: told });
    const traced: Denoiser = {
      prediction: pipeline.prediction,
      schedule: pipeline.schedule,
      predict: (x, { timestep }, c) =>
        tiny.unet(x.cast("float32"), timestep.cast("float32").add(tensor([0, 0])), c as Tensor).cast("float64"),
    };
    const expected = await adjointValueAndGradient(traced, (x) => mean(square(x)), start, {
      steps: 4,
      condition: told,
    });
    expectClose(found.noise, expected.noise, 1e-4);
    expectClose((found.condition as Tensor).cast("float64"), (expected.condition as Tensor).cast("float64"), 1e-4);
    await pipeline.release();
    await forward.release();
    await gradient.release();
  });
});

describe("losses", () => {
  const own = random.rng("losses");
  const draw = (shape: number[]) => own.normal(shape, { dtype: "float64" });
  const mixture = gaussianMixture({
    means: [
      [-1, 0],
      [1, 0.5],
    ],
    variances: 0.1,
  }).denoiser(schedule);
  const start = draw([3, 2]);
  const goal = tensor([0.5, -0.2], { dtype: "float64" });
  const traced = (x: Tensor) => mean(square(x.sub(goal)));

  it("that know their gradient give what traced ones give, there, in optimisation and by back-propagation", async () => {
    const box = {
      valueAndGradient: async (x: Tensor) => ({ value: traced(x), gradient: x.sub(goal).mul(2 / x.size) }),
    };
    for (const gradient of [adjointValueAndGradient, backpropGradient] as const) {
      const [a, b] = [
        await gradient(mixture, traced, start, { steps: 6 }),
        await gradient(mixture, box, start, { steps: 6 }),
      ];
      expectClose(b.value, a.value, 1e-14);
      expectClose(b.noise, a.noise, 1e-12);
    }
    const run = { steps: 2, sampling: { steps: 4 } };
    expectClose(
      (await optimizeNoise(mixture, box, start, run)).x,
      (await optimizeNoise(mixture, traced, start, run)).x,
      1e-12,
    );
  });

  it("of images go back through the decoder's gradient", async () => {
    const w = draw([2, 5]);
    const decoder = {
      decode: (z: Tensor) => matmul(z, w),
      decodeGradient: async (_: Tensor, cotangent: Tensor) => matmul(cotangent, w.transpose()),
    };
    const ofImage = (image: Tensor) => mean(square(image));
    const [a, b] = [
      await adjointValueAndGradient(mixture, (z: Tensor) => ofImage(matmul(z, w)), start, { steps: 6 }),
      await adjointValueAndGradient(mixture, imageLoss(decoder, ofImage), start, { steps: 6 }),
    ];
    expectClose(b.value, a.value, 1e-14);
    expectClose(b.noise, a.noise, 1e-12);
  });

  it("of style are distances of Gram matrices: nothing for the style itself, moved about, or of other sizes", () => {
    const style = draw([1, 2, 3, 3]);
    const loss = styleLoss((x) => [x, x.slice([null, { stop: 1 }])], style);
    expectClose(loss(style), 0, 1e-30);
    const flat = style.reshape([1, 2, 9]);
    const turned = concatenate([flat.slice([null, null, { start: 4 }]), flat.slice([null, null, { stop: 4 }])], 2);
    expectClose(loss(turned.reshape([1, 2, 3, 3])), 0, 1e-30);
    const x = draw([2, 2, 2, 2]);
    const gramOf = (maps: number[][]) => maps.map((a) => maps.map((b) => a.reduce((s, v, i) => s + v * b[i], 0)));
    const rows = (image: Tensor, n: number, channels: number) =>
      (image.reshape([image.shape[0], 2, -1]).toArray() as number[][][])[n].slice(0, channels);
    let expected = 0;
    for (const channels of [2, 1]) {
      const goalGram = gramOf(rows(style, 0, channels))
        .flat()
        .map((v) => v / (9 * channels));
      for (const n of [0, 1]) {
        const own = gramOf(rows(x, n, channels))
          .flat()
          .map((v) => v / (4 * channels));
        expected += own.reduce((s, v, i) => s + (v - goalGram[i]) ** 2, 0) / (2 * channels ** 2);
      }
    }
    expectClose(loss(x), expected, 1e-14);
    const content = draw([2, 2, 2, 2]);
    const both = styleLoss((y) => [y], style, { content, contentWeight: 3 });
    expectClose(both(x).sub(styleLoss((y) => [y], style)(x)), mean(square(x.sub(content))).mul(3), 1e-13);
  });

  it("are refused where they are none, or do not fit", async () => {
    const run = (loss: unknown) => adjointValueAndGradient(mixture, loss as never, start, { steps: 3 });
    await expect(run({})).rejects.toThrow(errorLike("ValueError", /valueAndGradient/));
    await expect(run({ valueAndGradient: () => undefined })).rejects.toThrow(
      errorLike("ValueError", /what valueAndGradient gave .*\{ value, gradient \}/),
    );
    await expect(run({ valueAndGradient: () => ({ value: 1, gradient: goal }) })).rejects.toThrow(
      errorLike("ShapeError", /gradient of shape \[2\] for samples \[3,2\]/),
    );
    expect(() => imageLoss({ decode: (z) => z }, traced)).toThrow(errorLike("ValueError", /decodeGradient/));
    expect(() => styleLoss((x) => [x], goal)).toThrow(errorLike("ShapeError", /features/));
    await expect(finetune(mixture as never, traced, { steps: 1, noise: start })).rejects.toThrow(
      errorLike("ValueError", /model.network/),
    );
    const notMaps = (x: Tensor) => x.reshape([-1, 1, 2]) as never;
    expect(() => styleLoss(notMaps, goal)).toThrow(errorLike("ValueError", /features must give an array of maps/));
    expect(() => styleLoss(() => [], goal)).toThrow(errorLike("ValueError", /features must give an array of maps/));
  });
});

describe("arguments", () => {
  const traced = (x: Tensor) => mean(square(x));
  const mixture = gaussianMixture({ means: f64([[0, 1]]), variances: 1 }).denoiser(schedule);
  const start = normal([3, 2]);

  it("may be as large as images", async () => {
    const width = 3 * 256 * 256;
    const large = gaussianMixture({ means: zeros([1, width]), variances: 1 }).denoiser(schedule);
    const noise = random.rng(0).normal([1, width]);
    const sampling = { steps: 1, solver: "euler" } as const;
    const { x } = await optimizeNoise(large, traced, noise, { steps: 1, sampling, ball: { norm: "l2", radius: 0.01 } });
    expect(linalg.norm(x.sub(noise.cast("float64"))).item()).toBeCloseTo(0.01, 10);
    expect((await guidedSample(large, traced, noise, { steps: 1, innerSteps: 1 })).status).toBe("limit");
  });

  it("are refused by name where they are none", async () => {
    const refused = async (work: Promise<unknown>, message: RegExp) =>
      expect(work).rejects.toEqual(errorLike("ValueError", message));
    const audit = (options: object) => optimizeNoise(mixture, traced, start, { steps: 1, ...options });
    await refused(adjointValueAndGradient({} as never, traced, start), /the model is neither a denoiser/);
    await refused(adjointGradient({} as never, start), /tape holds no state/);
    await refused(
      adjointValueAndGradient(mixture, traced, start, { want: { param: false } as never }),
      /want: there is no option "param"; did you mean "params"/,
    );
    await refused(audit({ ball: null }), /ball: the options are null/);
    await refused(audit({ ball: { norm: "l2", radius: 1, center: 0 } }), /ball: there is no option "center"/);
    await refused(audit({ optimizer: "adam" }), /optimizer must be a gradient transformation/);
    await refused(
      audit({ optimizer: sgd({ learningRate: 1 }), stepSize: 0.1 }),
      /optimizeNoise: stepSize does nothing/,
    );
    const rates = { steps: 1, noise: start, optimizer: sgd({ learningRate: 1 }), learningRate: 0.1 };
    const ignored = /learningRate does nothing with an optimizer/;
    await refused(optimizeCondition(mixture, traced, start, rates), ignored);
    await refused(finetune({ network: () => mixture, params: f64([1]) }, traced, rates), ignored);
    await refused(audit({ done: 5 }), /done is 5; give a function/);
    await expect(audit({ done: () => undefined })).rejects.toEqual(errorLike("ShapeError", /done gave undefined/));
    await expect(audit({ done: () => start })).rejects.toEqual(errorLike("ShapeError", /done gave a tensor/));
    await refused(
      optimizeCondition(mixture, traced, undefined as never, { steps: 1, noise: start }),
      /initial is undefined; give a tensor/,
    );
    expect(() => adamsWeights([0, 0], 0, 1)).toThrow(errorLike("ValueError", /times are \[0,0\]/));
  });
});

describe("baselines", () => {
  it("EDICT's gradient is that of its sampler", async () => {
    const own = network(weights);
    const { noise } = await edictGradient(own, loss, z, { steps: 6, condition });
    const value = async (x: Tensor) => (await edictGradient(own, loss, x, { steps: 6, condition })).value;
    const h = 1e-6;
    const unit = f64([
      [h, 0],
      [0, 0],
      [0, 0],
    ]);
    expectClose(noise.data()[0], ((await value(z.add(unit))) - (await value(z.sub(unit)))) / (2 * h), 1e-6);
  });

  it("the one-step surrogate is the gradient through the predicted data", async () => {
    const own = network(weights);
    const { noise, x, value } = await oneStepGradient(own, loss, z, { condition });
    const { alpha, sigma } = levelOf(schedule.at(1));
    expectClose(x, z.sub((own.predict(z, schedule.at(1), condition) as Tensor).mul(sigma)).div(alpha), 1e-12);
    expectClose(value, loss(x).item(), 1e-12);
    expect(noise.shape).toEqual([3, 2]);
  });
});

describe("optimisation", () => {
  it("noise stays in its ball, and samples that are done stay where they are", async () => {
    for (const norm of ["l2", "linf"] as const) {
      const { x, history } = await optimizeNoise(network(weights), loss, z, {
        steps: 6,
        condition,
        ball: { norm, radius: 0.2 },
        sampling: { steps: 5 },
        done: () => [true, false, false],
      });
      const offset = x.sub(z).toArray() as number[][];
      expect(offset[0]).toEqual([0, 0]);
      for (const [a, b] of offset)
        expect(norm === "l2" ? Math.hypot(a, b) : Math.max(Math.abs(a), Math.abs(b))).toBeLessThan(0.2 + 1e-12);
      expect(history[5].loss).toBeLessThan(history[0].loss);
    }
  });

  it("a guided sample has a lower loss, and is the same alone and in a batch", async () => {
    const free = await guidedSample(network(weights), loss, z, { steps: 8, condition, strength: 0 });
    const guided = await guidedSample(network(weights), loss, z, { steps: 8, condition, strength: 0.3 });
    expect(loss(guided.x).item()).toBeLessThan(0.8 * loss(free.x).item());
    const alone = await guidedSample(network(weights), loss, z.slice([{ start: 1, stop: 2 }]), {
      steps: 8,
      condition: condition.slice([{ start: 1, stop: 2 }]),
      strength: 0.3,
    });
    expectClose(alone.x, guided.x.slice([{ start: 1, stop: 2 }]), 1e-12);
    expectClose(free.x, (await ddimSample(network(weights), z, { levels: free.levels, condition })).x, 1e-12);
  });
});

describe("what is refused", () => {
  it("grids that end without noise, unknown solvers, shapes that do not fit, what is not there", async () => {
    const own = network(weights);
    expect(await failureOf(() => adjointSample(own, z, { condition, levels: levelGrid(schedule, 4) }))).toEqual(
      errorLike("ValueError", /levels\[0\] has no noise/),
    );
    expect(await failureOf(() => adjointSample(own, z, { condition, clean: "exact" }))).toEqual(
      errorLike("ValueError", /clean/),
    );
    expect(await failureOf(() => adjointSample(own, z, { solver: "rk5" as never }))).toEqual(
      errorLike("ValueError", /solver is "rk5"/),
    );
    expect(await failureOf(() => adjointSample(own, z, { condition, order: 2 }))).toEqual(
      errorLike("ValueError", /order is of the solver "adamsBashforth", which is "rk4"/),
    );
    expect(await failureOf(() => adjointSample(own, z, { condition, absoluteTolerance: 1e-3 }))).toEqual(
      errorLike("ValueError", /tolerances are of the solver "dopri5"/),
    );
    expect(await failureOf(() => adjointSample(own, z, { record: [50] }))).toEqual(
      errorLike("ValueError", /record holds 50/),
    );
    const { tape } = await adjointSample(own, z, { condition, steps: 3 });
    expect(await failureOf(() => adjointGradient(tape, [[1, 2]]))).toEqual(
      errorLike("ShapeError", /gradient has shape \[1,2\]/),
    );
    expect(await failureOf(() => adjointGradient(tape, z, { want: { params: true } }))).toEqual(
      errorLike("ValueError", /without parameters/),
    );
    const broken: Denoiser = { ...own, predict: (x, { sigma }) => x.div(sigma.sub(sigma)) };
    expect(await failureOf(() => adjointSample(broken, z, { steps: 3 }))).toEqual(
      errorLike("NonFiniteError", /level t = /),
    );
  });
});

const many = normal([3000, 2]);
const told = normal([3000, 2]);
const finished = adjointSample(model, z, { steps: 6, condition });
const sampling = { steps: 3 };
const runs = {
  adjointSample: (options: object) => {
    const large = "steps" in options && options.steps === 900;
    return adjointSample(model, large ? many : z, { condition: large ? told : condition, ...options });
  },
  guidedSample: (options: object) => guidedSample(network(weights), loss, z, { condition, ...options }),
  optimizeNoise: (options: object) =>
    optimizeNoise(network(weights), loss, z, { steps: 5, condition, sampling, ...options }),
  optimizeCondition: (options: object) =>
    optimizeCondition(network(weights), loss, condition, { steps: 5, noise: z, sampling, ...options }),
  finetune: (options: object) =>
    finetune(model, loss, {
      steps: 5,
      noise: z,
      condition,
      sampling,
      optimizer: sgd({ learningRate: 0.01 }),
      ...options,
    }),
};
for (const [name, run] of Object.entries(runs)) {
  runConformance(
    name,
    {
      run: run as never,
      limit: "steps",
      short: 6,
      endless: { steps: name === "guidedSample" ? 400 : name === "adjointSample" ? 900 : 1e6 },
      seeded: false,
      invalid: name.endsWith("Sample") ? [{ spacing: "even" }, { dtype: "int32" }] : [{ sampling: { sovler: "rk4" } }],
      nonFinite: [() => adjointSample(model, [[1, Number.NaN]], { condition })],
      outcome: ({ history, x }: { history: unknown; x: unknown }) => ({ history, x }),
    } as never,
    { describe, it, expect },
  );
}

it("the way back is stopped, and goes on bit for bit", async () => {
  const { tape, x } = await finished;
  const whole = await adjointGradient(tape, x);
  const part = await adjointGradient(tape, x, { onProgress: ({ step }) => (step === 2 ? "stop" : undefined) });
  expect([part.status, part.steps]).toEqual(["stopped", 2]);
  const rest = await adjointGradient(tape, x, { resume: part.state });
  expectClose([rest.noise, rest.params], [whole.noise, whole.params], 0);
});
