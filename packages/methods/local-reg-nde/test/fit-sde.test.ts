import { type SdeSolution, solveSde } from "@offprint/ode";
import { adam } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import { add, matmul, mean, mul, random, square, sub, type Tensor, tanh } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { drawSdeStep, fitSdeLocally, localSdeTerm } from "../src/index.js";

const rng = random.rng("local sde");
const draw = (shape: number[], scale = 0.6) => mul(rng.normal(shape, { dtype: "float64" }), scale);
const weights = { a: draw([2, 6]), b: draw([6, 2]) };
type W = typeof weights;
const drift = (_t: Tensor, u: Tensor, { a, b }: W) => matmul(tanh(matmul(u, a)), b);
const diffusion = (_t: Tensor, u: Tensor) => mul(u, 0.3);
const batch = { x: draw([5, 2], 1), y: draw([5, 2], 1) };
const model = {
  drift,
  diffusion,
  initial: (_: W, b: typeof batch) => b.x,
  loss: (_: W, { y: z }: { y: Tensor }, b: typeof batch) => mean(square(sub(z, b.y))),
};
const optimizer = adam({ learningRate: 0.01 });
const settings = { tolerance: 0.14, initialStep: 0.1 };
const fitted = (options: object) =>
  fitSdeLocally(model, weights, () => [batch], { optimizer, epochs: 3, ...settings, ...options });

describe("a step of a stochastic solve", () => {
  const solution = solveSde(drift, diffusion, batch.x, [0, 1], {
    ...{ parameters: weights, relativeTolerance: 0.14, absoluteTolerance: 0.14, initialStep: 0.1, seed: 3 },
  });
  const draws = async (mode: "unbiased" | "biased", count: number) => {
    const solved = await solution;
    const chance = random.rng(`draws ${mode}`);
    return Array.from({ length: count }, () => drawSdeStep(solved, chance, mode));
  };

  it("is drawn evenly over the span, with the state between the ends of the step there", async () => {
    const { stepTimes, stepSizes, y } = await solution;
    const some = await draws("unbiased", 2000);
    const times = some.map(({ t1 }) => t1.item()).sort((a, b) => a - b);
    // The largest distance from an even spread, by Kolmogorov and Smirnov at 1e-3.
    const apart = Math.max(...times.map((t, i) => Math.abs(t - (i + 0.5) / 2000)));
    expect(apart).toBeLessThan(1.95 / Math.sqrt(2000));
    for (const { t1, h, u } of some.slice(0, 20)) {
      const [t, size] = [t1.item(), h.item()];
      const step = stepTimes.findLastIndex((begin) => begin <= t);
      expect(size).toBeCloseTo(Math.min(stepSizes[step], 1 - t), 14);
      const part = (t - stepTimes[step]) / stepSizes[step];
      expectClose(u, add(mul(y.slice([step]), 1 - part), mul(y.slice([step + 1]), part)), 1e-13);
    }
  });

  it("or evenly among the steps, with their states", async () => {
    const { stepTimes, steps, y } = await solution;
    const counts = new Array<number>(steps).fill(0);
    for (const { t1, u } of await draws("biased", 200 * steps)) {
      const step = stepTimes.indexOf(t1.item());
      counts[step]++;
      if (counts[step] === 1) expectClose(u, y.slice([step]), 0);
    }
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(70);
  });

  it("has increments of its own, of the variance of the step", async () => {
    const some = await draws("biased", 400);
    for (const name of ["dW", "dZ"] as const) {
      const scaled = some.flatMap((each) => [...each[name].data()].map((v) => v / Math.sqrt(each.h.item())));
      expect(scaled.reduce((a, v) => a + v * v, 0) / scaled.length).toBeCloseTo(1, 1);
    }
    const [first, second] = some;
    expect(first.dW.data()[0]).not.toBe(second.dW.data()[0]);
  });

  it("has a step to make also where its time rounds to the end of the span", async () => {
    const solved = await solveSde(drift, diffusion, batch.x, [1, 2], {
      parameters: weights,
      initialStep: 0.1,
      seed: 3,
    });
    const last = Object.assign(random.rng("last"), { uniform: () => f64([1 - 2 ** -53], []) });
    const { t1, h, dW, dZ, u } = drawSdeStep(solved, last as random.Rng);
    expect([t1.item(), h.item()]).toEqual([solved.stepTimes.at(-1), solved.stepSizes.at(-1)]);
    expect(localSdeTerm(drift, diffusion, u, t1, h, { dW, dZ }, { parameters: weights }).item()).toBeGreaterThan(0);
  });

  it("needs the states at the ends of all steps", async () => {
    const some = { ...(await solution), t: Float64Array.of(0, 1) } as SdeSolution<Tensor, Tensor>;
    expect(() => drawSdeStep(some, random.rng(0))).toThrow(errorLike("UnsupportedError", /saveAt/));
    expect(() => drawSdeStep({} as typeof some, random.rng(0))).toThrow(errorLike("UnsupportedError", /no states/));
    expect(() => drawSdeStep(some, {} as random.Rng)).toThrow(errorLike("ValueError", /rng.uniform/));
  });
});

describe("fitSdeLocally", () => {
  it("without weight or mode is plain training bit for bit, along the same paths", async () => {
    const losses = async (options: object) =>
      (await fitted(options)).history.map(({ loss, evaluations }) => [loss, evaluations]);
    expect(await losses({ lambda: 0 })).toEqual(await losses({ mode: "none", lambda: 5 }));
  });

  it("adds the weighted mean of the local terms, of error or stiffness, to the loss", async () => {
    const [plain] = (await fitted({ mode: "none" })).history;
    for (const way of [{}, { mode: "biased" }, { samples: 3 }]) {
      const [first] = (await fitted({ lambda: 5, ...way })).history;
      expectClose(first.loss, plain.loss + 5 * first.regularizer, 1e-12);
      expect(first.evaluations).toBe(plain.evaluations);
    }
    const [stiff] = (await fitted({ lambda: 1, method: "sosri2", regularize: "stiffness" })).history;
    expect(stiff.regularizer).toBeGreaterThan(0);
  });

  it("asks for the batches of an epoch once, and makes each when it is needed", async () => {
    let [epochs, made] = [0, 0];
    const most: number[] = [];
    function* data() {
      epochs++;
      for (let k = 0; k < 6; k++) {
        made++;
        yield batch;
      }
    }
    await fitSdeLocally(model, weights, data, {
      ...{ optimizer, epochs: 2, ...settings },
      onProgress: ({ step }) => void most.push(made - step),
    });
    expect([epochs, made]).toEqual([2, 12]);
    // One in advance, so that an epoch's last batch is known as such.
    expect(Math.max(...most)).toBe(1);
  });

  it("refuses an epoch without batches, and a state beyond the batches of its epoch", async () => {
    const none = fitSdeLocally(model, weights, () => [], { optimizer, epochs: 1 });
    await expect(none).rejects.toThrow(errorLike("ValueError", /fitSdeLocally: data gave no batches in epoch 0/));
    const { state } = await fitSdeLocally(model, weights, () => [batch, batch, batch], {
      ...{ optimizer, epochs: 1, ...settings },
      onProgress: ({ step }) => (step === 2 ? "stop" : undefined),
    });
    const odd = [{ epoch: -1 }, { batch: 0.5 }, { params: undefined }, { optimizerState: undefined }];
    for (const wrong of odd) {
      const resume = { ...state, inner: { ...state.inner, ...wrong } } as typeof state;
      const refused = fitSdeLocally(model, weights, () => [batch], { optimizer, epochs: 3, ...settings, resume });
      await expect(refused).rejects.toThrow(errorLike("ValueError", /fitSdeLocally: resume is not where training/));
    }
    const fewer = fitSdeLocally(model, weights, () => [batch], { optimizer, epochs: 1, ...settings, resume: state });
    await expect(fewer).rejects.toThrow(errorLike("ValueError", /fitSdeLocally: the state to resume is at batch 2/));
  });

  it("refuses what is no batches, no model and no optimizer", async () => {
    const run = { optimizer, epochs: 1 };
    const cases: [() => unknown, RegExp][] = [
      [() => fitSdeLocally(model, weights, () => null as never, run), /data of epoch 0 cannot be iterated/],
      [() => fitSdeLocally({ ...model, diffusion: 3 as never }, weights, () => [batch], run), /model\.diffusion/],
      [() => fitted({ saveAt: [2] }), /fitSdeLocally: saveAt holds 2, outside the span/],
      [() => fitted({ saveAt: [0.5, 0.2] }), /saveAt holds 0.5,0.2; give times in the order/],
      [() => fitted({ saveAt: "x" }), /saveAt/],
      [() => fitted({ mode: "none", samples: 2 }), /samples does nothing with mode "none"/],
      [() => fitted({ optimizer: {} }), /optimizer has no init and update/],
    ];
    for (const [act, words] of cases) await expect(act()).rejects.toThrow(errorLike("ValueError", words));
  });

  it("penalises just what was drawn", async () => {
    const [first] = (await fitted({ lambda: 5, seed: 7 })).history;
    const solution = await solveSde(drift, diffusion, batch.x, [0, 1], {
      ...{ parameters: weights, relativeTolerance: 0.14, absoluteTolerance: 0.14, initialStep: 0.1, seed: "7/path/1" },
    });
    const { u, t1, h, dW, dZ } = drawSdeStep(solution, random.rng("7/drawn/1"));
    expectClose(
      first.regularizer,
      localSdeTerm(drift, diffusion, u, t1, h, { dW, dZ }, { parameters: weights }),
      1e-12,
    );
  });
});

runConformance(
  "fitSdeLocally",
  {
    run: (options) =>
      fitSdeLocally(model, weights, () => [batch, batch], {
        ...{ optimizer, epochs: 1, tolerance: 0.2, initialStep: 0.2, lambda: 1 },
        ...options,
      }),
    limit: "epochs",
    short: 3,
    endless: { epochs: 1e6 },
    seeded: true,
    invalid: [
      { lambda: -1 },
      { tolerance: 0 },
      { method: "none" },
      { mode: "both" },
      { samples: 0 },
      { regularize: "stiffness" },
    ],
    nonFinite: [
      () => fitSdeLocally(model, { a: weights.a.div(0), b: weights.b }, () => [batch], { optimizer, epochs: 1 }),
    ],
  },
  { describe, it, expect },
);
