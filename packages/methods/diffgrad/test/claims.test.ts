import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { adam, sgd } from "@offprint/optim";
import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { activationUniformity, judgeActivations } from "../claims/activations.js";
import { analyticalFunctions } from "../claims/analytical-functions.js";
import { EPOCHS, untilClear } from "../claims/digit-training.js";
import { claims } from "../claims/index.js";
import { judgeLargeStep, largeStep } from "../claims/large-step.js";
import { lossScaleLimits } from "../claims/loss-scale-limits.js";
import type { Method } from "../claims/method.js";
import { regretBound } from "../claims/regret.js";
import { testFunctions } from "../claims/test-functions.js";
import { diffGrad } from "../src/index.js";

/** diffGrad as its first code had it: the previous gradient is the present one, so that friction is always 1/2. */
const aliased: Method = (options) => diffGrad({ ...options, friction: (_, g) => g.mul(0).add(0.5) });

async function holds(claim: Claim): Promise<boolean> {
  return (await runClaim(claims, claim)).holds;
}

// That they hold for diffGrad is what the claims stage shows.
describe("claims fail for what is not diffGrad", () => {
  it("analytical functions: for Adam and for wide friction", async () => {
    expect(await holds(analyticalFunctions(adam))).toBe(false);
    expect(await holds(analyticalFunctions((o) => diffGrad({ ...o, friction: "wide" })))).toBe(false);
  });

  it("loss-scale limits: for Adam, for the aliased gradient and for signed friction", async () => {
    for (const wrong of [adam, aliased, (o) => diffGrad({ ...o, friction: "signed" })] as Method[]) {
      expect(await holds(lossScaleLimits(wrong))).toBe(false);
    }
  });

  it("large step: the criterion takes the prototype's accuracies and refuses Adam's", () => {
    expect(judgeLargeStep(0.903, [0.345, 0.341, 0.353])).toBe(true);
    expect(judgeLargeStep(0.345, [0.345, 0.341, 0.353])).toBe(false);
    expect(judgeLargeStep(0.74, [0.1, 0.1, 0.1])).toBe(false);
    expect(judgeLargeStep(0.9, [0.1, 0.1, 0.71])).toBe(false);
  });

  it("large step: for Adam, in three runs of the claim's length", async () => {
    const [own, baselines] = [
      { round: 3, most: 3 },
      { round: 1, most: 1 },
    ];
    expect(await holds(largeStep(adam, () => ({ own, baselines, controlRuns: 0, epochs: EPOCHS })))).toBe(false);
  });

  it("activations: the criterion takes the prototype's accuracies and refuses SGD's", () => {
    expect(judgeActivations([0.977, 0.976, 0.973, 0.972, 0.976])).toBe(true);
    expect(judgeActivations([0.932, 0.955, 0.95, 0.95, 0.95])).toBe(false);
    expect(judgeActivations([0.99, 0.955, 0.97, 0.97, 0.97])).toBe(false);
  });

  it("activations: for plain gradient descent, at the size at which it holds for diffGrad", async () => {
    const descent: Method = ({ learningRate = 0.01 }) => sgd({ learningRate });
    expect(await holds(activationUniformity(descent))).toBe(false);
  });

  it("regret: for a step that does not fall", async () => {
    const constant: Method = (options) => diffGrad({ ...options, learningRate: 0.5 });
    expect(await holds(regretBound(constant, [100, 1000, 10_000]))).toBe(false);
  });
});

describe("runs are added until it is clear on which side of a criterion their mean lies", () => {
  const asked: number[][] = [];
  const measured = (accuracies: readonly number[]) => async (runs: readonly number[]) => {
    asked.push([...runs]);
    return runs.map((run) => accuracies[run]);
  };

  it("one round is enough far from it, and near to it all runs are made, each once", async () => {
    expect(await untilClear({ round: 2, most: 6 }, 0.5, measured([0.9, 0.91]))).toEqual([0.9, 0.91]);
    asked.length = 0;
    const near = [0.1, 0.9, 0.1, 0.9, 0.5];
    expect(await untilClear({ round: 2, most: 5 }, 0.5, measured(near))).toEqual(near);
    expect(asked).toEqual([[0, 1], [2, 3], [4]]);
  });
});

describe("the test functions", () => {
  const value = (f: keyof typeof testFunctions, x: number) =>
    testFunctions[f].value(tensor(x, { dtype: "float64" })).item();
  const slope = (f: keyof typeof testFunctions, x: number) =>
    testFunctions[f].derivative(tensor(x, { dtype: "float64" })).item();

  it("have the values and slopes of the paper, of the left piece at a break", () => {
    expect(value("f1", 0)).toBeCloseTo(0.09, 14);
    expect([slope("f1", 0), slope("f1", 1e-9)]).toEqual([0.6, expect.closeTo(-0.4, 6)]);
    expect(value("f2", -0.9)).toBeCloseTo(0.85, 12);
    expect(slope("f2", -0.95)).toBe(-40);
    expect(slope("f2", 0.3)).toBeCloseTo(3 * 0.09 + Math.sin(2.4) + 2.4 * Math.cos(2.4), 12);
    expect([value("f3", -0.45), value("f3", 0.2), value("f3", 0.45)].map((v) => Number(v.toFixed(12)))).toEqual([
      0.3, 0.175, 0.3,
    ]);
    expect([-0.5, -0.4, 0, 0.4, 0.5].map((x) => slope("f3", x))).toEqual([-1, 1, -7 / 8, 7 / 8, -1]);
  });

  it("have the minima they list", () => {
    for (const [name, { minima }] of Object.entries(testFunctions)) {
      for (const { x, value: expected } of minima) {
        const f = name as keyof typeof testFunctions;
        expect(value(f, x)).toBeCloseTo(expected, 3);
        for (const step of [-1e-3, 1e-3]) expect(value(f, x + step)).toBeGreaterThan(value(f, x) - 1e-6);
      }
      expect(Math.min(...minima.map((m) => m.value))).toBe(minima[0].value);
    }
  });
});

it("the package declares the five claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    "analytical-functions",
    "loss-scale-limits",
    "large-step-on-digits",
    "uniform-over-activations",
    "regret-bound",
  ]);
});
