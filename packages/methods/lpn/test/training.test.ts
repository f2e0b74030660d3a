import { runConformance } from "@offprint/solvers/conformance";
import { exp, grad, mul, random, square, sub, sum, type Tensor, zeros } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  absoluteLoss,
  fitProximal,
  lpn,
  matchingLoss,
  matchingStages,
  proxOf,
  residualDenoiser,
  type Stage,
  squaredLoss,
} from "../src/index.js";

const model = lpn({ kind: "dense", shape: [2], hidden: [6, 6], alpha: 0.05 });
const clean = random.rng("clean").normal([40, 2]);
const stages: readonly Stage[] = [
  { loss: "absolute", steps: 3, learningRate: 0.1 },
  { loss: "matching", steps: 3, learningRate: [0.1, 0.01], gamma: [2, 1] },
];

describe("the proximal matching loss", () => {
  const rng = random.rng("losses");
  const [a, b] = [rng.normal([7, 3], { dtype: "float64" }), rng.normal([7, 3], { dtype: "float64" })];

  it("is the batch mean of 1 - exp(-|f - x|^2 / gamma^2), the norm over all coordinates", () => {
    const each = Array.from({ length: 7 }, (_, i) => {
      const t = sum(square(sub(a.slice([i]), b.slice([i])))).item();
      return 1 - Math.exp(-t / 4);
    });
    expectClose(matchingLoss(a, b, 2).item(), each.reduce((p, q) => p + q) / 7, 1e-14);
  });

  it("is the squared error over gamma^2 as gamma grows", () => {
    for (const gamma of [1e2, 1e3]) {
      const scaled = matchingLoss(a, b, gamma).item() * gamma ** 2;
      expectClose(scaled, 3 * squaredLoss(a, b).item(), { relative: 10 / gamma ** 2 });
    }
  });

  it("has the gradient 2 (f - x) exp(-|f - x|^2 / gamma^2) / (batch gamma^2)", () => {
    const difference = sub(a, b);
    const weight = exp(mul(sum(square(difference), { axis: 1, keepDims: true }), -1 / 9));
    expectClose(
      grad((f: Tensor) => matchingLoss(f, b, 3))(a).data(),
      mul(mul(difference, weight), 2 / 63).data(),
      1e-14,
    );
  });
});

it("losses compare batches of one shape alone, at a gamma > 0", () => {
  for (const loss of [squaredLoss, absoluteLoss, (a: Tensor, b: Tensor) => matchingLoss(a, b, 1)]) {
    for (const other of [[4], [2, 1], [1, 4]]) {
      expect(() => loss(zeros([2, 4]), zeros(other))).toThrow(errorLike("ShapeError", /give batches of one shape/));
    }
  }
  for (const gamma of [0, -1, Number.NaN, "1", undefined]) {
    expect(() => matchingLoss(clean, clean, gamma as number)).toThrow(errorLike("ValueError", /gamma/));
  }
});

describe("fitProximal", () => {
  it("goes through its stages at their rates, and keeps W_k >= 0", async () => {
    const { params, history, steps, warnings } = await fitProximal(model, clean, { sigma: 0.3, stages, batchSize: 16 });
    expect(steps).toBe(6);
    expect(history[2].loss).not.toBeCloseTo(1 - (history[2].figures?.matched ?? 0), 6);
    expect(history[5].figures?.matched).toBeGreaterThan(0);
    expectClose(history[5].loss, 1 - (history[5].figures?.matched ?? 0), 1e-6);
    model.assertConvex(params);
    expect(warnings).toEqual([]);
  });

  it("moves nothing at a rate that is nearly nothing, and each stage has its own", async () => {
    const initial = model.init(random.rng(5));
    const { params } = await fitProximal(model, clean, {
      sigma: 0.3,
      stages: [
        { loss: "squared", steps: 1, learningRate: 0.25 },
        { loss: "squared", steps: 2, learningRate: 1e-12 },
      ],
      initial,
    });
    // Adam's first step is its learning rate, whatever the gradient.
    expectClose(Math.abs(sub(params.linear, initial.linear).data()[0]), 0.25, 1e-4);
  });

  it("takes a function that draws samples, levels of noise from a range, float64 and other denoisers", async () => {
    const data = (rng: random.Rng, size: number) => rng.normal([size, 2]);
    const options = { sigma: [0.1, 0.5] as const, stages, batchSize: 8 };
    const wide = await fitProximal(model, data, { ...options, initial: model.init(random.rng(1), "float64") });
    expect(wide.params.linear.dtype).toBe("float64");
    const { history } = await fitProximal(residualDenoiser({ shape: [2], hidden: [4] }), data, options);
    expect(history.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  });

  it("warns where proximal matching has no gradient", async () => {
    const far: Stage[] = [{ loss: "matching", steps: 2, gamma: 1e-3, learningRate: 1e-4 }];
    const { warnings } = await fitProximal(model, clean, { sigma: 1, stages: far });
    expect(warnings.join()).toMatch(/no gradient in 2 of 2 steps/);
  });

  it("refuses what makes no sense", async () => {
    const run = (options: object, data: unknown = clean) =>
      fitProximal(model, data as Tensor, { sigma: 0.3, stages, ...options });
    const drawn = model.init(random.rng(1));
    const minus = { ...drawn, convex: drawn.convex.map((w) => mul(w, -1)) };
    const bad: [object, RegExp][] = [
      [{ stages: [{ loss: "matching", steps: 3 }] }, /needs gamma/],
      [{ stages: [{ loss: "matching", steps: 3, gamma: 0 }] }, /gamma/],
      [{ stages: [{ loss: "huber", steps: 3 }] }, /loss/],
      [{ stages: [{ loss: "squared", step: 3 }] }, /"step"/],
      [{ sigma: [0.5, 0.1] }, /lower end first/],
      [{ sigma: -1 }, /sigma/],
      [{ sigma: [0.1] }, /sigma is \[0\.1\]; give a number or \[low, high\]/],
      [{ sigma: [0.1, 0.2, 0.3] }, /give a number or \[low, high\]/],
      [{ stages: [{ loss: "squared", steps: 3, learningRate: [0.1] }] }, /learningRate is 0\.1; give a number or/],
      [{ stages: [{ loss: "squared", steps: 3, learningRate: [] }] }, /learningRate is /],
      [{ stages: [{ loss: "matching", steps: 3, gamma: [1] }] }, /gamma is 1; give a number or \[from, to\]/],
      [{ stages: [{ loss: "matching", steps: 3, gamma: 1e-30 }] }, /gamma is 1e-30; in float32 it must be between/],
      [{ stages: [{ loss: "matching", steps: 3, gamma: [1e200, 1] }] }, /gamma is 1e\+200; in float32/],
      [{ optimizer: 3 }, /optimizer is 3/],
      [{ initial: minus }, /convex\.0 has an entry -/],
      [{ sigma: "0.1" as never }, /sigma is "0\.1"; it must be a finite number > 0/],
    ];
    for (const [options, message] of bad) await expect(run(options)).rejects.toThrow(errorLike("ValueError", message));
    const other = lpn({ kind: "dense", shape: [2], hidden: [5] });
    const { state } = await fitProximal(other, clean, { sigma: 0.3, stages, steps: 1 });
    await expect(run({ resume: state })).rejects.toThrow(errorLike("ShapeError", /resume is of another model/));
    await expect(run({}, zeros([4, 3]))).rejects.toThrow(errorLike("ShapeError", /\[n, 2\]/));
    await expect(run({}, () => zeros([3, 2]))).rejects.toThrow(errorLike("ShapeError", /gave 3 samples.*, 128/));
    await expect(run({}, async () => zeros([128, 2]))).rejects.toThrow(errorLike("ValueError", /data gave a promise/));
    await expect(run({}, () => undefined)).rejects.toThrow(errorLike("ValueError", /what data gave is undefined/));
    await expect(fitProximal({ shape: [2] } as never, clean, { sigma: 1, stages })).rejects.toThrow(
      errorLike("ValueError", /model\.init is undefined/),
    );
    await expect(run({}, "images")).rejects.toThrow(errorLike("ValueError", /data/));
  });

  it("has the paper's schedule for images", () => {
    const schedule = matchingStages({ size: 784 });
    expect(schedule.map(({ loss, steps }) => [loss, steps])).toEqual([
      ["absolute", 20_000],
      ...[1, 2, 3, 4].map(() => ["matching", 5000]),
    ]);
    expectClose(schedule.at(-1)?.gamma as number, 0.08 * 28, 1e-12);
    expect(() => matchingStages({ size: 0 })).toThrow(errorLike("ValueError", /size/));
  });
});

it("proxOf denoises in the precision of the parameters, whatever the input's", () => {
  const params = model.init(random.rng(2));
  const prox = proxOf(model, params);
  const y = random.rng(3).normal([4, 2], { dtype: "float64" });
  expect(prox(y).dtype).toBe("float64");
  expectClose(prox(y).data(), model.prox(params, y.cast("float32")).data(), 1e-6);
  expectClose(
    prox.withPotential?.(y).psi.data() as Float64Array,
    model.potential(params, y.cast("float32")).data(),
    1e-6,
  );
  const negative = { ...params, convex: params.convex.map((w) => mul(w, -1)) };
  expect(() => proxOf(model, negative)).toThrow(errorLike("ValueError", /convex/));
  prox.release();
});

runConformance(
  "fitProximal",
  {
    run: (options) =>
      fitProximal(model, clean, {
        sigma: 0.3,
        batchSize: 4,
        stages: [
          { loss: "absolute", steps: 3, learningRate: 0.01 },
          { loss: "matching", steps: 1e8, learningRate: [1e-3, 1e-4], gamma: 1 },
        ],
        ...options,
      }),
    limit: "steps",
    short: 5,
    endless: { steps: 1e8 },
    seeded: true,
    invalid: [{ sigma: 0 }, { stages: [{ loss: "none", steps: 1 }] }, { batchSize: 0 }],
    nonFinite: [() => fitProximal(model, f64([Number.NaN, 1], [1, 2]), { sigma: 0.3, stages })],
  },
  { describe, expect, it },
);
