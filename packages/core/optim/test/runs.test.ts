import { runConformance } from "@offprint/solvers/conformance";
import { div, mul, type random, square, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  adabelief,
  adam,
  adamax,
  adamw,
  amsgrad,
  cosineSchedule,
  crossEntropy,
  huberLoss,
  meanSquaredError,
  minimize,
  sgd,
  type TrainOptions,
  train,
  warmupSchedule,
} from "../src/index.js";

const point = tensor([3, -1], { dtype: "float64" });
const far = (x: Tensor) => sum(square(sub(x, 7)));

runConformance(
  "minimize",
  {
    run: (options) => minimize(far, point, adam({ learningRate: 0.01 }), options as never),
    limit: "steps",
    short: 6,
    endless: { steps: 1e9 },
    seeded: false,
    invalid: [{ gradientTolerance: -1 }],
    nonFinite: [
      () => minimize(far, tensor([Number.NaN]), sgd(), { steps: 3 }),
      () => minimize((x: Tensor) => div(sum(x), 0), point, sgd(), { steps: 3 }),
    ],
  },
  { describe, it, expect },
);

interface Batch {
  readonly x: Tensor;
}

function* shuffled(_: number, rng: random.Rng): Generator<Batch> {
  for (let k = 0; k < 3; k++) yield { x: rng.normal([4, 2], { dtype: "float64" }) };
}

runConformance(
  "train",
  {
    run: (options) =>
      train<{ w: Tensor }, Batch, unknown, Tensor>({
        loss: (p, { x }, { noise }) => sum(square(sub(mul(x, p.w), mul(0.1, noise)))),
        initial: { w: point },
        optimizer: adam({ learningRate: 0.01 }),
        data: shuffled,
        noise: (rng) => rng.normal([4, 2], { dtype: "float64" }),
        evaluate: ({ w }) => ({ first: w.data()[0] }),
        epochs: 4,
        ...(options as Partial<TrainOptions<{ w: Tensor }, Batch, unknown, Tensor>>),
      }),
    limit: "epochs",
    short: 4,
    endless: { epochs: 1e9 },
    seeded: true,
    invalid: [],
    nonFinite: [
      () =>
        train({
          loss: (p: Tensor) => div(sum(p), 0),
          initial: point,
          optimizer: sgd(),
          data: shuffled,
          epochs: 1,
        }),
    ],
  },
  { describe, it, expect },
);

describe("options", () => {
  it("that nobody knows are refused by the nearest name, in optimizers, schedules and losses", () => {
    for (const make of [adam, adamw, amsgrad, adamax, adabelief, sgd]) {
      expect(() => make({ lr: 0.1 } as object)).toThrow(/there is no option "lr"; did you mean "learningRate"/);
    }
    expect(() => cosineSchedule({ initial: 1, step: 3 } as never)).toThrow(/did you mean "steps"/);
    expect(() => warmupSchedule({ peak: 1, steps: 3, next: 1 } as never)).toThrow(/warmupSchedule: there is no option/);
    expect(() => meanSquaredError([1], [2], { delta: 1 } as never)).toThrow(/meanSquaredError: there is no option/);
    expect(() => huberLoss([1], [2], { Delta: 1 } as never)).toThrow(/did you mean "delta"/);
    expect(() => crossEntropy([[1, 2]], [[0, 1]], { smoothing: 0.1 } as never)).toThrow(/labelSmoothing/);
  });

  it("that are missing are named, and so is a missing optimizer or loss", async () => {
    const missing = undefined as never;
    await expect(minimize(far, point, sgd({ learningRate: 0.1 }), missing)).rejects.toThrow(
      /minimize: the options are/,
    );
    await expect(minimize(far, point, missing, { steps: 1 })).rejects.toThrow(
      /the third argument must be an optimizer/,
    );
    await expect(minimize(missing, point, sgd({ learningRate: 0.1 }), { steps: 1 })).rejects.toThrow(/the loss is/);
  });

  it("that record figures must be functions that give an object of numbers", async () => {
    const once = (more: object) => minimize(far, point, sgd({ learningRate: 0.1 }), { steps: 1, ...more });
    await expect(once({ evaluate: () => 3 })).rejects.toThrow(/^minimize: evaluate gave 3; it must give an object/);
    await expect(once({ evaluate: 3 })).rejects.toThrow(/^minimize: evaluate is 3; give a function/);
    const trained = (more: object) =>
      train({
        loss: (p: Tensor) => [sum(p), { mean: sum(p) }] as const,
        initial: point,
        optimizer: sgd({ learningRate: 0.1 }),
        data: () => [0],
        epochs: 1,
        ...more,
      } as never);
    await expect(trained({ evaluate: async () => 3 })).rejects.toThrow(/^train: evaluate gave 3/);
    await expect(trained({ figures: (own: object) => own })).rejects.toThrow(/^train: figures gave a float.* as mean/);
    await expect(trained({ figures: 3 })).rejects.toThrow(/^train: figures is 3; give a function/);
  });

  it("a schedule in plain arithmetic is told to use operations, eager and traced", async () => {
    const plain = ((t: number) => 0.1 / Math.sqrt(t)) as never;
    const optimizer = sgd({ learningRate: plain });
    await expect(minimize(far, point, optimizer, { steps: 2 })).rejects.toThrow(
      /its step is a tensor.*div\(0\.1, sqrt/,
    );
    const state = optimizer.init(point);
    expect(() => optimizer.update(point, state, point)).toThrow(/instead of 0\.1 \/ Math\.sqrt/);
  });
});
