import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { projections } from "@offprint/solvers";
import {
  add,
  concatenate,
  eye,
  grad,
  linalg,
  log,
  matmul,
  mul,
  random,
  sin,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  affineConstraints,
  aipod,
  kktImplicit,
  lvHba,
  searchUpper,
  solveLowerProgramme,
  svmHyperParameters,
} from "../src/index.js";
import { halfSpaceProblem } from "./problems.js";

const float64 = { dtype: "float64" } as const;

/** The strongly convex toy: F of y and x, f = |x - y|^2 / 2 under A y + H x = 0, so that y*(x) = (I - A+ A) x - A+ H x. */
function strongToy() {
  const rng = random.rng(3);
  const [a, h] = [rng.uniform([2, 4], float64), rng.uniform([2, 4], float64)];
  const inverse = linalg.pinv(a);
  const map = sub(sub(eye(4, 4, "float64"), matmul(inverse, a)), matmul(inverse, h));
  const t = rng.normal([4], float64);
  const problem: ConstrainedBilevelProblem = {
    initial: { x: rng.normal([4], float64), y: zeros([4], "float64") },
    upper: (x, y) => add(mul(sum(square(sub(y, t))), 0.5), mul(sum(square(x)), 0.5)),
    lower: (x, y) => mul(sum(square(sub(y, x))), 0.5),
    ...affineConstraints({ x: h, y: a, bounds: [0, 0], equality: true }),
  };
  const best = linalg.solve(add(matmul(transpose(map), map), eye(4, 4, "float64")), matmul(transpose(map), t));
  return { problem, level: { matrix: a, offset: (x: Tensor) => matmul(h, x) }, map, best };
}

/**
 * The paper's second problem: F = sin(c'x + d'y) + log(|x + y|^2 + 1) over f = |x - y|^2 / 2 under A y + H x = 0, where x
 * also satisfies B x = 0 and the lower half of B is zero.
 */
function paperToy(seed: number, n: number, rows: number) {
  const rng = random.rng(seed);
  const [a, h] = [rng.uniform([rows, n], float64), rng.uniform([rows, n], float64)];
  const b = rng.uniform([Math.floor(rows / 2), n], float64);
  const [c, d] = [rng.uniform([n], float64), rng.uniform([n], float64)];
  const inverse = linalg.pinv(a);
  const map = sub(sub(eye(n, n, "float64"), matmul(inverse, a)), matmul(inverse, h));
  const onX = projections.affineSet(b, zeros([b.shape[0]], "float64"));
  const none = zeros([b.shape[0], n], "float64");
  const stacked = concatenate([concatenate([h, a], 1), concatenate([b, none], 1)], 0);
  const onBoth = projections.affineSet(stacked, zeros([stacked.shape[0]], "float64"));
  const upper = (x: Tensor, y: Tensor) =>
    add(sin(add(sum(mul(c, x)), sum(mul(d, y)))), log(add(sum(square(add(x, y))), 1)));
  const problem: ConstrainedBilevelProblem = {
    initial: { x: onX(rng.normal([n], float64)), y: zeros([n], "float64") },
    upper,
    lower: (x, y) => mul(sum(square(sub(x, y))), 0.5),
    constraints: (x, y) => add(matmul(a, y), matmul(h, x)),
    equality: true,
    project: { x: onX },
    projectJointly(x, y) {
      const pair = onBoth(concatenate([x, y], 0));
      return { x: slice(pair, [{ stop: n }]), y: slice(pair, [{ start: n }]) };
    },
  };
  const outer = (x: Tensor) => upper(x, matmul(map, x));
  // Its gradient along the x that are allowed, of which the outer function is one of x alone.
  const slope = (x: Tensor) => linalg.norm(onX(grad(outer)(x))).item();
  return { problem, level: { matrix: a, offset: (x: Tensor) => matmul(h, x) }, map, outer, slope, onX };
}

describe("aipod", () => {
  it("and LV-HBA come to rest on the paper's second problem, whose upper function is not convex", async () => {
    for (const seed of [0, 1, 2]) {
      const { problem, level, map, outer, slope, onX } = paperToy(seed, 10, 6);
      const start = problem.initial.x;
      const exact = await aipod(problem, level, { stepSize: 0.05, lowerStepSize: 0.5, maxIterations: 1500 });
      const ours = await lvHba(problem, { maxIterations: 3000, gamma1: 1, gamma2: 1, c: 1, alpha: 0.2, eta: 0.3 });
      expect(slope(start)).toBeGreaterThan(0.5);
      expect(slope(exact.x)).toBeLessThan(1e-8);
      expectClose(exact.y, matmul(map, exact.x), 1e-6);
      // The penalty leaves a gap that shrinks as it grows: seldom is the point itself stationary.
      const [high, low] = [outer(start).item(), outer(exact.x).item()];
      expect(high - outer(ours.x).item()).toBeGreaterThan(0.9 * (high - low));
      expectClose(onX(ours.x), ours.x, 1e-8);
      expect(linalg.norm(sub(ours.y, matmul(map, ours.x))).item()).toBeLessThan(0.15);
    }
  });

  it("and E-AiPOD reach the minimiser of a strongly convex problem", async () => {
    const { problem, level, best, map } = strongToy();
    const options = { stepSize: 0.1, lowerStepSize: 0.5, maxIterations: 400 };
    const exact = await aipod(problem, level, options);
    expectClose(exact.x, best, 1e-6);
    expectClose(exact.y, matmul(map, best), 1e-6);
    const seldom = await aipod(problem, level, {
      ...options,
      projectionProbability: 0.5,
      lowerSteps: 10,
      maxIterations: 600,
      stepSize: 0.05,
    });
    expectClose(seldom.x, best, 0.02);
  });

  it("agrees with LV-HBA and the optimality conditions", async () => {
    const { problem, best, map } = strongToy();
    const kkt = await kktImplicit(problem, { stepSize: 0.3, maxIterations: 150 });
    expectClose(kkt.x, best, 1e-6);
    const ours = await lvHba(problem, { maxIterations: 6000, gamma1: 1, gamma2: 1, penalty: () => 60, alpha: 0.1 });
    const outer = (x: Tensor) => problem.upper(x, matmul(map, x), null).item();
    expect(outer(ours.x)).toBeLessThan(1.02 * outer(best));
    expect(outer(problem.initial.x)).toBeGreaterThan(1.2 * outer(best));
  });
});

describe("kktImplicit", () => {
  it("has the gradient that central differences of the outer function show, on both sides of the constraint", async () => {
    const problem = halfSpaceProblem();
    for (const start of [
      [0.9, 0.8, 0.7],
      [-1, -0.5, -0.7],
    ]) {
      const x = tensor(start, float64);
      const outer = async (at: Tensor) =>
        problem.upper(at, (await solveLowerProgramme(problem, at, { tolerance: 1e-11 })).y, null).item();
      const slopes: number[] = [];
      for (let i = 0; i < 3; i++) {
        const moved = (by: number) =>
          tensor(
            start.map((v, j) => (j === i ? v + by : v)),
            float64,
          );
        slopes.push(((await outer(moved(1e-4))) - (await outer(moved(-1e-4)))) / 2e-4);
      }
      const wide = { ...problem, initial: { x, y: x.mul(-1) } };
      const { x: after, history } = await kktImplicit(wide, { stepSize: 1e-3, maxIterations: 1, tolerance: 1e-11 });
      expectClose(sub(x, after).mul(1e3), slopes, 1e-5);
      expect(history[0].active).toBe(start[0] > 0 ? 1 : 0);
    }
  });
});

describe("searchUpper", () => {
  it("puts the best candidate first", async () => {
    const rng = random.rng(5);
    const examples = () => {
      const features = rng.normal([30, 2], float64);
      return {
        features,
        labels: Float64Array.from({ length: 30 }, (_, i) =>
          features.data()[2 * i] + 0.5 * rng.normal([], float64).item() > 0 ? 1 : -1,
        ),
      };
    };
    const svm = svmHyperParameters({ train: examples(), validation: examples() }, { per: "all" });
    const found = await searchUpper(
      svm,
      [-1.5, 0, 1].map((v) => tensor([v], float64)),
    );
    expect(found.map(({ upper }) => upper)).toEqual([...found.map(({ upper }) => upper)].sort((a, b) => a - b));
    await expect(searchUpper(svm, [])).rejects.toThrow(/no candidates/);
  });
});

describe("svmHyperParameters", () => {
  it("projects pairs exactly and solves what scikit-learn calls squared hinge", async () => {
    const features = tensor(
      [
        [1, 2],
        [2, 0],
        [-1, -1],
        [-2, 1],
      ],
      float64,
    );
    const svm = svmHyperParameters({
      train: { features, labels: [1, 1, -1, -1] },
      validation: { features, labels: [1, 1, -1, -1] },
    });
    const { y } = await solveLowerProgramme(svm, svm.initial.x);
    const { weights, bias, slacks } = svm.split(y);
    // xi is the hinge, so that the objective is |w|^2 / 2 + sum of squared hinges / 2, whose gradient vanishes.
    const margins = svm
      .decide(y, features)
      .mul(tensor([1, 1, -1, -1], float64))
      .data();
    const hinge = Array.from(margins, (v) => Math.max(0, 1 - v));
    expectClose(slacks, hinge, 1e-7);
    const rows = features.toArray() as number[][];
    const labels = [1, 1, -1, -1];
    const slope = [0, 1].map(
      (j) => weights.data()[j] - rows.reduce((s, row, i) => s + hinge[i] * labels[i] * row[j], 0),
    );
    expectClose(slope, [0, 0], 1e-6);
    expect(Math.abs(hinge.reduce((s, v, i) => s + v * labels[i], 0))).toBeLessThan(1e-6);
    expect(Number.isFinite(bias.item())).toBe(true);
    const moved = svm.projectJointly(svm.initial.x.add(9), y.sub(1));
    expect(Math.max(...svm.constraints(moved.x, moved.y).data())).toBeLessThan(1e-9);
    expectClose(moved.x, new Float64Array(4).fill(5 / 3), 1e-12);
  });

  it("refuses what are no examples of two classes", () => {
    const good = { features: [[1], [2]], labels: [1, -1] };
    expect(() => svmHyperParameters({ train: { features: [[1], [2]], labels: [1, 0] }, validation: good })).toThrow(
      /has the label 0/,
    );
    expect(() => svmHyperParameters({ train: { features: [[1]], labels: [1, -1] }, validation: good })).toThrow(
      /features of shape/,
    );
    expect(() => svmHyperParameters({ train: good, validation: { features: [[1, 2]], labels: [1] } })).toThrow(
      /train has 1 features and validation 2/,
    );
    expect(() => svmHyperParameters({ train: good } as never)).toThrow(/validation has no features and labels/);
  });
});
