import { largestDifference } from "@offprint/claims";
import { log, NonFiniteError, random, sparse, sum, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  activeSet,
  activeSetBound,
  type BcdMethodOptions,
  type BcdProblem,
  type BcdRunState,
  BcdSolver,
  type BlockObjective,
  bcd,
  fromTraceable,
  leastSquares,
  logistic,
  quadratic,
  softmaxRegression,
} from "../src/index.js";
import { blocksTaken, normals, scaled } from "./problems.js";

const rng = random.rng("bcd");
const { A } = scaled(rng, 30, 12);
const y = normals(rng, 30);
const smooth = leastSquares(A, y);
const lasso: BcdProblem = { smooth, composite: { kind: "l1", lambda: 1 } };

describe("a run", () => {
  it("tells its history, and when the support stopped changing", async () => {
    const { history, iterations, objective, support, identifiedAt, status } = await bcd(lasso, { blockSize: 4 });
    expect(status).toBe("converged");
    expect(history).toHaveLength(iterations);
    expect(history[iterations - 1].objective).toBeCloseTo(objective, 10);
    expect(history.map((record) => record.iteration)).toEqual(history.map((_, k) => k + 1));
    expect(history[iterations - 1].support).toBe(support.length);
    expect(identifiedAt).toBeLessThanOrEqual(iterations);
    for (const record of history.slice(identifiedAt)) expect(record.support).toBe(support.length);
    expect(history.every(({ residual }) => residual > 1e-8)).toBe(true);
  });

  it("goes on bit for bit, whatever its updates have left of rounding", async () => {
    const both = sparse.fromDense(A.toArray() as number[][]);
    const smooths: readonly (readonly [BlockObjective, BcdProblem["composite"]])[] = [
      [leastSquares(A, y), { kind: "l1", lambda: 1 }],
      [leastSquares(both, y), { kind: "nonneg" }],
      [logistic(A, y.map(Math.sign)), undefined],
      [
        softmaxRegression(
          A,
          y.map((v) => (v > 0 ? 1 : 0) + (v > 1 ? 1 : 0)),
          3,
        ),
        { kind: "l1", lambda: 0.1 },
      ],
      [quadratic(A.transpose().matmul(A), y.subarray(0, 12)), undefined],
      [
        { n: 12, value: smooth.value, gradient: smooth.gradient, blockHessian: smooth.blockHessian },
        { kind: "nonneg" },
      ],
    ];
    const ways: BcdMethodOptions[] = [{}, { rule: "random" }, { rule: "perm", update: "lipschitz-approx" }];
    for (const [objective, composite] of smooths) {
      for (const way of ways) {
        const [problem, options] = [
          { smooth: objective, composite },
          { blockSize: 3, maxIterations: 60, tolerance: 0, ...way },
        ];
        const whole = await bcd(problem, options);
        const states: BcdRunState[] = [];
        await bcd(problem, { ...options, checkpoint: { every: 17, save: (state) => states.push(state) } });
        for (const state of states) {
          const resumed = await bcd(problem, { ...options, resume: tree.fromJson(tree.toJson(state)) });
          expect(tree.toJson(resumed)).toBe(tree.toJson(whole));
        }
      }
    }
  });

  it("with many rounds on few columns, whose products are kept by then, too", async () => {
    const wide = leastSquares(rng.normal([10, 40], { dtype: "float64" }), normals(rng, 10));
    const options = { blockSize: 3, update: "gradient", tolerance: 0, maxIterations: 90 } as const;
    const whole = await bcd({ smooth: wide }, options);
    const half = await bcd({ smooth: wide }, { ...options, maxIterations: 61 });
    const resumed = await bcd({ smooth: wide }, { ...options, resume: half.state });
    expect(tree.toJson(resumed)).toBe(tree.toJson(whole));
  });

  it("can be taken step by step", async () => {
    const solver = new BcdSolver(lasso, { blockSize: 4 });
    const whole = await bcd(lasso, { blockSize: 4 });
    while (solver.status === undefined) solver.step();
    expect(largestDifference(solver.state.x, whole.x.data())).toBe(0);
    const { iteration } = solver.state;
    expect(solver.step().iteration).toBe(iteration);
  });

  it("does not touch initial, and leaves nothing to do at the optimum", async () => {
    const { x } = await bcd({ smooth });
    const x0 = Float64Array.from((await bcd({ smooth }, { blockSize: 12 })).x.data());
    const kept = x0.slice();
    const again = await bcd({ smooth }, { initial: x0, tolerance: 1e-6 });
    expect([again.iterations, again.status]).toEqual([0, "converged"]);
    expect(x0).toEqual(kept);
    expect(x.dtype).toBe("float64");
  });

  it("ends by fStar, and by its limit", async () => {
    const { objective } = await bcd(lasso, { blockSize: 12 });
    const early = await bcd(lasso, { blockSize: 2, fStar: objective, tolerance: 1e-3 });
    expect(early.status).toBe("converged");
    expect(early.objective - objective).toBeLessThanOrEqual(1e-3);
    expect((await bcd(lasso, { blockSize: 1, maxIterations: 2 })).status).toBe("limit");
  });

  it("does not take rounding errors of its updates for convergence", async () => {
    // A gradient that wanders off: every commit leaves an error behind until the state is refreshed.
    const start = smooth.start as NonNullable<BlockObjective["start"]>;
    const drifting: BlockObjective = {
      ...smooth,
      start(x) {
        const inner = start(x);
        let drift = 0;
        return new Proxy(inner, {
          get(target, key) {
            if (key === "gradient") return () => target.gradient().map((v) => (Math.abs(v) < 10 * drift ? 0 : v));
            if (key === "commit")
              return (alpha: number) => {
                drift += 0.01;
                target.commit(alpha);
              };
            if (key === "refresh")
              return () => {
                drift = 0;
                target.refresh();
              };
            const value = Reflect.get(target, key, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      },
    };
    const { x, status } = await bcd({ smooth: drifting }, { maxIterations: 5000 });
    expect(status).toBe("converged");
    expect(Math.max(...Array.from(smooth.gradient(x.data() as Float64Array), Math.abs))).toBeLessThan(1e-8);
  });
});

describe("objectives of one's own", () => {
  /** -sum log(a_i^T x) + sum x, for x > 0: no quadratic, and infinite outside. */
  const rows = [
    [1, 2, 0],
    [0, 1, 1],
    [3, 0, 1],
    [1, 1, 1],
  ];
  const own: BlockObjective = {
    n: 3,
    value: (x) =>
      rows.reduce(
        (total, row) => {
          const z = row.reduce((s, a, j) => s + a * x[j], 0);
          return z > 0 ? total - Math.log(z) : Infinity;
        },
        x.reduce((s, v) => s + v, 0),
      ),
    gradient: (x) =>
      [0, 1, 2].map((j) => 1 - rows.reduce((s, row) => s + row[j] / row.reduce((t, a, k) => t + a * x[k], 0), 0)),
  };
  const traced = fromTraceable((x: Tensor) => sum(x).sub(sum(log(tensor(rows, { dtype: "float64" }).matmul(x)))), 3);
  const x0 = [1, 1, 1];

  it("with callbacks alone and by automatic differentiation the minimum is one", async () => {
    const callbacks = await bcd(
      { smooth: own, composite: { kind: "nonneg" } },
      { blockSize: 2, initial: x0, maxIterations: 5000, tolerance: 1e-9 },
    );
    expect(callbacks.status).toBe("converged");
    for (const update of ["pn", "tmp", "lipschitz-approx"] as const) {
      const result = await bcd(
        { smooth: traced, composite: { kind: "nonneg" } },
        { blockSize: 2, initial: x0, update, maxIterations: 5000, tolerance: 1e-9 },
      );
      expect(result.status).toBe("converged");
      expect(largestDifference(result.x.data(), callbacks.x.data())).toBeLessThan(1e-6);
    }
    const newton = await bcd({ smooth: traced }, { blockSize: 3, initial: [0.1, 0.1, 3], update: "newton" });
    expect(newton.history.every((record, k) => k === 0 || record.objective <= newton.history[k - 1].objective)).toBe(
      true,
    );
  });

  it("blockGradient, blockHessian and blockBound are used where they are given", async () => {
    const called = { blockGradient: 0, blockBound: 0 };
    const { value, gradient, blockBound } = smooth;
    const counted: BlockObjective = {
      n: 12,
      quadratic: true,
      value: (x) => value(x),
      gradient: (x) => gradient(x),
      blockGradient: (x, b) => {
        called.blockGradient++;
        return Array.from(b, (i) => gradient(x)[i]);
      },
      blockBound: (b) => {
        called.blockBound++;
        return blockBound?.(b) as Float64Array;
      },
    };
    const result = await bcd({ smooth: counted }, { rule: "cyclic", blocks: "order", maxIterations: 5000 });
    expect(result.status).toBe("converged");
    expect(result.objective).toBeCloseTo((await bcd({ smooth }, { blockSize: 12 })).objective, 9);
    expect(called.blockGradient).toBeGreaterThan(10);
    // Twelve L_i, and one H_b for each of three blocks.
    expect(called.blockBound).toBe(15);
  });

  it("a rule of one's own gives the blocks", async () => {
    const blocks = blocksTaken(
      { smooth },
      {
        update: "matrix",
        rule: ({ iteration, gradient }) => {
          const g = gradient();
          const best = g.reduce((most, v, i) => (Math.abs(v) > Math.abs(g[most]) ? i : most), 0);
          return [best, (best + 1 + (iteration % 11)) % 12];
        },
      },
    );
    expect(blocks[0]).toHaveLength(2);
    expect(new Set(blocks.flat()).size).toBeGreaterThan(6);
  });

  it("an objective without a lower bound ends in an error", async () => {
    const falling: BlockObjective = {
      n: 1,
      value: (x) => (x[0] > -1e6 ? x[0] * 1e303 : -Infinity),
      gradient: () => [1e303],
      lipschitz: [1e-6],
    };
    const error: unknown = await bcd({ smooth: falling }, { update: "gradient" }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(NonFiniteError);
    const { inner, iterations } = (error as NonFiniteError).state as BcdRunState;
    expect([iterations, Array.from(inner.x)]).toEqual([0, [0]]);
  });

  it("a line search steps back from a value of -Infinity", async () => {
    const holed: BlockObjective = {
      n: 1,
      value: ([x]) => (x < -1.5 ? -Infinity : x),
      gradient: () => [1],
      blockHessian: () => [0.5],
      lipschitz: [0.5],
    };
    const { x, objective } = await bcd({ smooth: holed }, { update: "newton", maxIterations: 1 });
    expect(objective).toBeCloseTo(-1, 12);
    expect(x.data()[0]).toBe(objective);
  });
});

describe("sparse problems", () => {
  it("a step touches only what its columns touch", async () => {
    // Two problems that share nothing: steps on one leave the other's gradient bit by bit.
    const one = sparse.fromDense(A.toArray() as number[][]);
    const both = sparse.block([
      [one, null],
      [null, one],
    ]) as sparse.CsrMatrix;
    const joint = leastSquares(both, [...y, ...y]);
    const solver = new BcdSolver(
      { smooth: joint },
      {
        blocks: [Array.from({ length: 12 }, (_, i) => i), Array.from({ length: 12 }, (_, i) => 12 + i)],
        rule: "cyclic",
        tolerance: 0,
      },
    );
    const before = solver.state.gradient().slice(12);
    solver.step();
    expect(solver.state.gradient().slice(12)).toEqual(before);
    expect(solver.step().objective).toBeCloseTo(2 * (await bcd({ smooth }, { blockSize: 12 })).objective, 9);
  });
});

describe("active sets", () => {
  it("hold the variables whose multipliers are strictly positive, and the smallest of those", async () => {
    const D = quadratic(sparse.identity(4), [2, 0.5, -3, 1]);
    const problem: BcdProblem = { smooth: D, composite: { kind: "l1", lambda: 1 } };
    const { x } = await bcd(problem, { blockSize: 4 });
    expect(Array.from(x.data())).toEqual([1, 0, -2, 0]);
    // Variable 3 sits at the kink with |g| = lambda: not strictly inside.
    const { indices, delta } = activeSet(problem, x);
    expect([Array.from(indices), delta]).toEqual([[1], 0.5]);
    const bounded = activeSet({ smooth: D, composite: { kind: "box", lower: -1, upper: 0.75 } }, [0.75, 0.5, -1, 0.75]);
    expect([Array.from(bounded.indices), bounded.delta]).toEqual([[0, 2, 3], 0.25]);
  });

  it("are found within kappa log(2 L d / delta) iterations", () => {
    expect(activeSetBound({ L: 10, mu: 2, delta: 0.5, dist0: 3 })).toBeCloseTo(5 * Math.log(120), 12);
    expect(activeSetBound({ L: 10, mu: 2, delta: 100, dist0: 1 })).toBe(0);
    expect(() => activeSetBound({ L: 10, mu: 0, delta: 1, dist0: 1 })).toThrow(
      /mu is 0; it must be a finite number > 0/,
    );
    expect(() => activeSetBound({ L: 10, mu: 1, delta: 1, dist0: Number.NaN })).toThrow(/dist0 is NaN/);
  });
});
