import { largestDifference } from "@offprint/claims";
import { linalg, random, sparse, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  type BcdOptions,
  type BcdProblem,
  BcdSolver,
  bcd,
  type Composite,
  labelPropagation,
  leastSquares,
  logistic,
  quadratic,
  softmaxRegression,
} from "../src/index.js";
import { all, normals, scaled } from "./problems.js";

const rng = random.rng("updates");
const [m, n] = [25, 10];
const { A } = scaled(rng, m, n);
const y = normals(rng, m);
const signs = y.map((v) => Math.sign(v));
const least = leastSquares(A, y);
const logit = logistic(A, signs);
const multi = softmaxRegression(
  A,
  Int32Array.from(signs, (_, i) => i % 3),
  3,
);
const composites: Composite[] = [
  { kind: "l1", lambda: 0.7 },
  { kind: "nonneg" },
  { kind: "nonneg", lambda: 0.5 },
  { kind: "box", lower: -0.2, upper: 0.3 },
  {
    kind: "box",
    lower: tensor(Float64Array.from({ length: n }, (_, i) => (i % 3 === 0 ? -Infinity : -0.1))),
    upper: 0.4,
  },
];

describe("every update decreases F in every iteration", () => {
  const smooth: [string, BcdOptions][] = [
    ...(["gradient", "lipschitz-approx", "diagonal", "matrix", "newton", "pg", "pn", "tmp"] as const).map(
      (update) => [update, { update }] as [string, BcdOptions],
    ),
    ["cubic", { update: "cubic", hessianLipschitz: 0.1 * cubes() }],
  ];
  const cases = [least, logit, multi].flatMap((objective, o) => [
    ...smooth.map(
      ([name, options]) =>
        [`${name} on ${["least squares", "logistic", "softmax"][o]}`, { smooth: objective }, options] as const,
    ),
    ...(objective === multi ? composites.slice(0, 3) : composites).flatMap((composite) =>
      (["pg", "pn", "tmp", "lipschitz-approx"] as const).map(
        (update) =>
          [
            `${update} on ${["least squares", "logistic", "softmax"][o]} with ${composite.kind}`,
            { smooth: objective, composite },
            { update },
          ] as const,
      ),
    ),
  ]);
  it.each(cases as readonly (readonly [string, BcdProblem, BcdOptions])[])("%s", (_name, problem, options) => {
    for (const blocks of ["variable", "avg"] as const) {
      const rule = problem.composite ? "gs-q" : "gsd";
      const solver = new BcdSolver(problem, {
        blockSize: 4,
        blocks,
        rule,
        tolerance: 0,
        maxIterations: 30,
        ...options,
      });
      let before = solver.state.objective;
      for (let k = 0; k < 30 && solver.status === undefined; k++) {
        const now = solver.step().objective;
        expect(now).toBeLessThanOrEqual(before + 1e-10 * Math.abs(before));
        before = now;
      }
      expect(before).toBeLessThan(new BcdSolver(problem, options).state.objective);
    }
  });
});

/** sum ||a_i||^3, of which a tenth bounds how fast the Hessian of logistic loss changes (its third derivative is below 0.0963). */
function cubes(): number {
  const rows = A.toArray() as number[][];
  return rows.reduce((sum, row) => sum + Math.hypot(...row) ** 3, 0);
}

describe("matrix steps", () => {
  it("leave no gradient in the block of a quadratic", () => {
    const solver = new BcdSolver({ smooth: least }, { blockSize: 4, update: "matrix", tolerance: 0 });
    for (let k = 0; k < 20; k++) {
      const before = Math.max(...solver.state.gradient().map(Math.abs));
      const { block } = solver.step();
      for (const i of block) expect(Math.abs(solver.state.gradient()[i])).toBeLessThan(1e-10 * (1 + before));
    }
  });

  it("reach the optimum in one step when the block is everything", async () => {
    for (const update of ["matrix", "newton", "pn", "tmp"] as const) {
      const { x, iterations, status } = await bcd({ smooth: least }, { blockSize: n, update });
      const exact = linalg.solve(A.transpose().matmul(A), A.transpose().matmul(tensor(y)));
      expect(largestDifference(x.data(), exact.data())).toBeLessThan(1e-8);
      expect([iterations, status]).toEqual([1, "converged"]);
    }
  });

  it("work where H_b is singular: copies of a column", async () => {
    const twice = leastSquares(
      [
        [1, 1, 0],
        [2, 2, 1],
        [0, 0, 3],
      ],
      [1, 2, 3],
    );
    const { objective, status } = await bcd({ smooth: twice }, { blockSize: 3, update: "matrix", tolerance: 1e-7 });
    expect(status).toBe("converged");
    const one = await bcd(
      {
        smooth: leastSquares(
          [
            [1, 0],
            [2, 1],
            [0, 3],
          ],
          [1, 2, 3],
        ),
      },
      { blockSize: 2 },
    );
    expect(objective).toBeCloseTo(one.objective, 10);
  });

  it("a column of zeros is left alone", async () => {
    for (const rule of ["gsd", "gsl", "gs", "gsq"] as const) {
      const { x, status } = await bcd(
        {
          smooth: leastSquares(
            [
              [1, 0, 2],
              [0, 0, 1],
              [3, 0, 1],
            ],
            [1, 2, 3],
          ),
        },
        { blockSize: 2, rule },
      );
      expect(status).toBe("converged");
      expect(x.data()[1]).toBe(0);
    }
  });
});

describe("Newton steps", () => {
  it("make the gradient of logistic regression vanish in few iterations", async () => {
    // Labels without a hyperplane between them, so that there is a minimum.
    const mixed = logistic(
      A,
      signs.map((s, i) => (i % 3 === 0 ? -s : s)),
    );
    const { status, iterations } = await bcd({ smooth: mixed }, { blockSize: n, update: "newton", tolerance: 1e-9 });
    expect(status).toBe("converged");
    expect(iterations).toBeLessThan(12);
  });

  it("with the cubic term agree with the minimum that a line search finds", async () => {
    const mixed = logistic(
      A,
      signs.map((s, i) => (i % 3 === 0 ? -s : s)),
    );
    const cubic = await bcd(
      { smooth: mixed },
      { blockSize: n, update: "cubic", hessianLipschitz: 0.1 * cubes(), maxIterations: 5000 },
    );
    expect(cubic.status).toBe("converged");
    expect(cubic.objective).toBeCloseTo(
      (await bcd({ smooth: mixed }, { blockSize: n, update: "newton" })).objective,
      9,
    );
  });
});

describe("lipschitz-approx", async () => {
  it("keeps estimates below twice the true L_b when it begins below it", () => {
    const blocks = [
      [0, 1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ].map((b) => Int32Array.from(b));
    const big = leastSquares(
      tensor(
        A.data().map((v) => 40 * v),
        { shape: [m, n] },
      ),
      y,
    );
    for (const objective of [
      big,
      logistic(
        tensor(
          A.data().map((v) => 40 * v),
          { shape: [m, n] },
        ),
        signs,
      ),
    ]) {
      const solver = new BcdSolver(
        { smooth: objective },
        { blocks, rule: "cyclic", update: "lipschitz-approx", tolerance: 0, maxIterations: 60 },
      );
      for (let k = 0; k < 60; k++) solver.step();
      for (const b of blocks) {
        const H = objective.blockBound?.(b) as Float64Array;
        const L = linalg.eigvalsh(tensor(H, { shape: [b.length, b.length] })).data()[b.length - 1];
        expect(L).toBeGreaterThan(1);
        for (const i of b) expect(solver.state.lipschitz[i]).toBeLessThanOrEqual(2 * L);
      }
    }
  });

  it("comes down to the scale of f where its first guess is far above it, with and without l1", async () => {
    const { value, gradient } = least;
    const H = tensor(least.blockBound?.(all(n)) as Float64Array, { shape: [n, n] });
    const largestEigenvalue = linalg.eigvalsh(H).data()[n - 1];
    const ends = [1, 2 ** -20, 2 ** -80].map((scale) => {
      const own = {
        n,
        value: (x: Float64Array) => scale * value(x),
        gradient: (x: Float64Array) => Float64Array.from(gradient(x), (v) => scale * v),
      };
      const none = new BcdSolver({ smooth: own }, { tolerance: 1e-6 * scale, maxIterations: 20000 });
      while (none.status === undefined) none.step();
      for (const i of all(n)) expect(none.state.lipschitz[i]).toBeLessThanOrEqual(2 * scale * largestEigenvalue);
      const l1 = new BcdSolver(
        { smooth: own, composite: { kind: "l1", lambda: scale } },
        { update: "lipschitz-approx", tolerance: 1e-7, maxIterations: 20000 },
      );
      while (l1.status === undefined) l1.step();
      return [none, l1].map((solver) => [solver.status, solver.state.objective / scale]);
    });
    for (const [none, l1] of ends) {
      expect([none[0], l1[0]]).toEqual(["converged", "converged"]);
      expect(none[1]).toBeCloseTo(Number(ends[0][0][1]), 6);
      expect(l1[1]).toBeCloseTo(Number(ends[0][1][1]), 6);
    }
  });

  it("goes on bit for bit while some of its estimates are guesses", async () => {
    const own = {
      n,
      value: (x: Float64Array) => 1e-6 * least.value(x),
      gradient: (x: Float64Array) => Float64Array.from(least.gradient(x), (v) => 1e-6 * v),
    };
    const problem = { smooth: own, composite: { kind: "l1", lambda: 1e-7 } } as const;
    const options = { blockSize: 2, update: "lipschitz-approx", maxIterations: 40 } as const;
    const whole = await bcd(problem, options);
    const part = await bcd(problem, { ...options, maxIterations: 2 });
    expect(part.state.inner.lipschitz?.some((L) => L < 0)).toBe(true);
    const rest = await bcd(problem, { ...options, resume: tree.fromJson(tree.toJson(part.state)) as never });
    expect(rest.x.toArray()).toEqual(whole.x.toArray());
    const damaged = { ...part.state, inner: { ...part.state.inner, lipschitz: new Float64Array(n) } };
    await expect(bcd(problem, { ...options, resume: damaged })).rejects.toThrow(/resume.lipschitz holds 0 at 0/);
  });

  it("needs nothing but value and gradient", async () => {
    const { value, gradient } = least;
    const own = { n, value: (x: Float64Array) => value(x), gradient: (x: Float64Array) => gradient(x) };
    const { objective, status } = await bcd({ smooth: own }, { blockSize: n, maxIterations: 20000, tolerance: 1e-7 });
    expect(status).toBe("converged");
    expect(objective).toBeCloseTo((await bcd({ smooth: least }, { blockSize: n })).objective, 8);
  });
});

describe("composite steps are exact", async () => {
  /** The best of all patterns of zero, positive, negative or at a bound, by solving on each. */
  function bruteForce(H: number[][], c: number[], composite: Composite): { x: number[]; value: number } {
    const t = c.length;
    const value = (x: number[]) => {
      let total = 0;
      for (let i = 0; i < t; i++) {
        total -= c[i] * x[i];
        for (let j = 0; j < t; j++) total += 0.5 * H[i][j] * x[i] * x[j];
        if (composite.kind === "l1") total += (composite.lambda as number) * Math.abs(x[i]);
        if (composite.kind === "nonneg") total += ((composite.lambda ?? 0) as number) * x[i];
      }
      return total;
    };
    const choices = composite.kind === "l1" ? [0, 1, -1] : composite.kind === "nonneg" ? [0, 1] : [0, 1, 2];
    let best = { x: new Array<number>(t).fill(0), value: Infinity };
    for (let code = 0; code < choices.length ** t; code++) {
      const pattern = Array.from(
        { length: t },
        (_, i) => choices[Math.floor(code / choices.length ** i) % choices.length],
      );
      const x = new Array<number>(t).fill(0);
      const free = [...pattern.keys()].filter((i) => (composite.kind === "box" ? pattern[i] === 0 : pattern[i] !== 0));
      if (composite.kind === "box")
        for (const i of pattern.keys())
          if (pattern[i] > 0) x[i] = (pattern[i] === 1 ? composite.lower : composite.upper) as number;
      if (free.length > 0) {
        const rhs = free.map(
          (i) =>
            c[i] -
            (composite.kind === "l1"
              ? (composite.lambda as number) * pattern[i]
              : composite.kind === "nonneg"
                ? ((composite.lambda ?? 0) as number)
                : 0) -
            H[i].reduce((s, h, j) => s + h * x[j], 0),
        );
        const solved = linalg
          .solve(
            tensor(
              free.map((i) => free.map((j) => H[i][j])),
              { dtype: "float64" },
            ),
            tensor(rhs, { dtype: "float64" }),
          )
          .data();
        free.forEach((i, k) => {
          x[i] = solved[k];
        });
      }
      const feasible = x.every((v, i) =>
        composite.kind === "l1"
          ? v * pattern[i] >= 0
          : composite.kind === "nonneg"
            ? v >= 0
            : composite.kind === "box" && v >= (composite.lower as number) && v <= (composite.upper as number),
      );
      if (feasible && value(x) < best.value) best = { x, value: value(x) };
    }
    return best;
  }

  const kinds: Composite[] = [
    { kind: "l1", lambda: 0.8 },
    { kind: "nonneg", lambda: 0.3 },
    { kind: "box", lower: -0.3, upper: 0.5 },
  ];
  it.each(kinds)("$kind: pn solves a block at once; pg, tmp and lipschitz-approx get there", async (composite) => {
    for (let trial = 0; trial < 6; trial++) {
      const own = random.rng(`brute/${trial}`);
      const t = 5;
      const { A: design } = scaled(own, 8, t);
      const target = normals(own, 8);
      const objective = leastSquares(design, target);
      const H = objective.blockBound?.(all(t)) as Float64Array;
      const c = Array.from(objective.gradient(new Float64Array(t)), (v) => -v);
      const exact = bruteForce(
        Array.from({ length: t }, (_, i) => Array.from(H.slice(i * t, i * t + t))),
        c,
        composite,
      );
      const pn = await bcd({ smooth: objective, composite }, { blockSize: t, update: "pn" });
      expect(pn.iterations).toBeLessThanOrEqual(1);
      expect(largestDifference(pn.x.data(), exact.x)).toBeLessThan(1e-9);
      for (const update of ["pg", "tmp", "lipschitz-approx"] as const) {
        const { x, status } = await bcd(
          { smooth: objective, composite },
          { blockSize: t, update, maxIterations: 100000, tolerance: 1e-11 },
        );
        expect(status).toBe("converged");
        expect(largestDifference(x.data(), exact.x)).toBeLessThan(1e-6);
      }
    }
  });

  it.each(composites)(
    "tmp stops at points that satisfy the optimality conditions, and x never leaves its bounds ($kind)",
    (composite) => {
      for (const objective of [least, logit]) {
        const problem = { smooth: objective, composite };
        const solver = new BcdSolver(problem, { blockSize: 6, update: "tmp", maxIterations: 400, tolerance: 1e-10 });
        const bound = (which: "lower" | "upper", i: number) =>
          composite.kind === "box"
            ? typeof composite[which] === "number"
              ? composite[which]
              : (composite[which] as { data(): Float64Array }).data()[i]
            : composite.kind === "nonneg" && which === "lower"
              ? 0
              : which === "lower"
                ? -Infinity
                : Infinity;
        while (solver.status === undefined) {
          const { x } = solver.step();
          for (let i = 0; i < n; i++) {
            expect(x[i]).toBeGreaterThanOrEqual(bound("lower", i) as number);
            expect(x[i]).toBeLessThanOrEqual(bound("upper", i) as number);
          }
        }
        expect(solver.status).toBe("converged");
        const { x } = solver.state;
        const g = objective.gradient(x);
        for (let i = 0; i < n; i++) {
          const slope = g[i] + (composite.kind === "nonneg" ? ((composite.lambda ?? 0) as number) : 0);
          const lambda = composite.kind === "l1" ? (composite.lambda as number) : 0;
          if (lambda > 0)
            expect(
              x[i] === 0 ? Math.max(0, Math.abs(slope) - lambda) : Math.abs(slope + lambda * Math.sign(x[i])),
            ).toBeLessThan(1e-6);
          else if (x[i] === bound("lower", i)) expect(slope).toBeGreaterThan(-1e-6);
          else if (x[i] === bound("upper", i)) expect(slope).toBeLessThan(1e-6);
          else expect(Math.abs(slope)).toBeLessThan(1e-6);
        }
      }
    },
  );
});

describe("message passing as an update", () => {
  const side = 8;
  const rows: number[] = [];
  const columns: number[] = [];
  for (let i = 0; i < side * side; i++) {
    for (const j of [i % side < side - 1 ? i + 1 : -1, i + side < side * side ? i + side : -1]) {
      if (j < 0) continue;
      rows.push(i, j);
      columns.push(j, i);
    }
  }
  const W = sparse.fromTriplets(side * side, side * side, rows, columns, new Float64Array(rows.length).fill(1));
  const lattice = labelPropagation(
    W,
    new Map([
      [0, 1],
      [63, -1],
      [20, 3],
    ]),
  );

  it("takes the same steps as the dense matrix update on the same blocks", async () => {
    for (const blocks of ["tree-partition", "red-black", "greedy-tree", "random-tree"] as const) {
      const solver = new BcdSolver({ smooth: lattice }, { blocks, tolerance: 0, maxIterations: 15 });
      let x = new Float64Array(lattice.n);
      for (let k = 0; k < 15; k++) {
        const { block } = solver.step();
        const dense = await bcd(
          { smooth: lattice },
          { rule: () => block, update: "matrix", initial: x, maxIterations: 1, tolerance: 0 },
        );
        x = dense.x.data() as Float64Array<ArrayBuffer>;
        expect(largestDifference(solver.state.x, x)).toBeLessThan(1e-10);
      }
    }
  });

  it("refuses a block with a cycle", async () => {
    const square = [Int32Array.from(all(lattice.n))];
    await expect(
      bcd({ smooth: lattice }, { blocks: square, rule: "cyclic", update: "message-passing" }),
    ).rejects.toThrow(/close a cycle/);
  });

  it("takes Newton steps where the Hessian changes, with the steps of newton on the same forest", async () => {
    // A chain of logistic losses of differences: the Hessian is tridiagonal.
    const design = sparse.fromTriplets(
      9,
      9,
      [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8],
      [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8],
      [1, -1, 1, 1, -1, 1, 1, 2, -1, 1, 1, -1, 1, 1, 1, -1, 2],
    );
    const chain = logistic(
      sparse.vstack([design, design]) as sparse.CsrMatrix,
      Float64Array.from({ length: 18 }, (_, i) => (i % 4 < 2 ? 1 : -1) * (i < 9 ? 1 : i % 3 === 0 ? 1 : -1)),
    );
    const forest = await bcd({ smooth: chain }, { blocks: "tree-partition", maxIterations: 30 });
    const newton = await bcd({ smooth: chain }, { blockSize: 9, update: "newton", maxIterations: 30 });
    expect(forest.history[0].blockSize).toBe(9);
    expect(forest.objective).toBeCloseTo(newton.objective, 9);
    expect(forest.iterations).toBe(newton.iterations);
  });
});

it("a quadratic with exact steps on everything agrees with a dense solution", async () => {
  const H = [
    [4, 1, 0],
    [1, 3, -1],
    [0, -1, 5],
  ];
  const { x } = await bcd({ smooth: quadratic(H, [1, 2, 3]) }, { blockSize: 3 });
  expect(
    largestDifference(
      x.data(),
      linalg.solve(tensor(H, { dtype: "float64" }), tensor([1, 2, 3], { dtype: "float64" })).data(),
    ),
  ).toBeLessThan(1e-13);
});
