import { largestDifference } from "@offprint/claims";
import { linalg, random, sparse, square, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { columnDots } from "../src/column-dots.js";
import {
  BcdSolver,
  type BlockObjective,
  fromTraceable,
  labelPropagation,
  leastSquares,
  linearModel,
  logistic,
  quadratic,
  softmaxRegression,
} from "../src/index.js";
import { all, normals, scaled } from "./problems.js";

const rng = random.rng("objectives");
const [m, n] = [15, 8];
const { A, values } = scaled(rng, m, n);
const sparseA = sparse.fromDense(
  tensor(
    values.map((v, p) => (p % 3 === 0 ? v : 0)),
    { shape: [m, n] },
  ) as never,
);
const y = normals(rng, m);
const signs = y.map((v) => Math.sign(v));
const labels = Int32Array.from({ length: m }, (_, i) => i % 3);
const symmetric = leastSquares(A, y).blockBound?.(all(n)) as Float64Array;
const objectives: [string, BlockObjective][] = [
  ["least squares", leastSquares(A, y)],
  ["least squares, sparse", leastSquares(sparseA, y)],
  ["logistic", logistic(A, signs)],
  ["logistic, sparse", logistic(sparseA, signs)],
  ["softmax", softmaxRegression(A, labels, 3)],
  ["softmax, sparse", softmaxRegression(sparseA, labels, 3)],
  ["quadratic", quadratic(tensor(symmetric, { shape: [n, n] }), y.slice(0, n))],
  [
    "a loss of one's own",
    linearModel(A, {
      value: (i, z) => Math.sqrt(1 + (z - y[i]) ** 2),
      slope: (i, z) => (z - y[i]) / Math.sqrt(1 + (z - y[i]) ** 2),
      curvature: (i, z) => (1 + (z - y[i]) ** 2) ** -1.5,
      curvatureBound: 1,
    }),
  ],
];

/** The smallest eigenvalue of a - b. */
function leastEigenvalue(a: ArrayLike<number>, b: ArrayLike<number>, t: number): number {
  return linalg
    .eigvalsh(
      tensor(
        Float64Array.from(a, (v, k) => v - b[k]),
        { shape: [t, t] },
      ),
    )
    .data()[0];
}

describe.each(objectives)("%s", (_name, objective) => {
  const x = normals(random.rng("point"), objective.n).map((v) => 0.3 * v);
  const block = Int32Array.of(1, 4, 5, 7);

  it("has the gradient and the Hessian that finite differences show", () => {
    const g = objective.gradient(x);
    const H = objective.blockHessian?.(x, all(objective.n)) as Float64Array;
    const scale = Math.max(...Array.from(g, Math.abs), ...H.map(Math.abs));
    const h = 1e-5;
    for (let i = 0; i < objective.n; i++) {
      const [plus, minus] = [h, -h].map((step) => x.map((v, j) => (j === i ? v + step : v)));
      expect(Math.abs((objective.value(plus) - objective.value(minus)) / (2 * h) - g[i])).toBeLessThan(1e-6 * scale);
      const [up, down] = [objective.gradient(plus), objective.gradient(minus)];
      for (let j = 0; j < objective.n; j++) {
        expect(Math.abs((up[j] - down[j]) / (2 * h) - H[j * objective.n + i])).toBeLessThan(1e-6 * scale);
      }
    }
    expect(
      largestDifference(
        objective.blockGradient?.(x, block) ?? Array.from(block, (i) => g[i]),
        Array.from(block, (i) => g[i]),
      ),
    ).toBeLessThan(1e-12 * scale);
  });

  it("has bounds H_b that no Hessian of the block exceeds, and L_i for single variables", () => {
    for (const b of [block, Int32Array.of(2), Int32Array.of(0, 3), all(objective.n)]) {
      const bound = objective.blockBound?.(b) as Float64Array;
      if (b.length === 1) expect(bound[0]).toBeCloseTo((objective.lipschitz as Float64Array)[b[0]], 9);
      for (let trial = 0; trial < 5; trial++) {
        const at = normals(random.rng(`bound/${trial}`), objective.n);
        const H = objective.blockHessian?.(at, b) as Float64Array;
        expect(leastEigenvalue(bound, H, b.length)).toBeGreaterThan(-1e-9 * Math.max(...bound));
      }
    }
  });

  it("has a bound of the whole Hessian with these products and row sums", () => {
    const whole = softmaxFull(objective) ?? (objective.blockBound?.(all(objective.n)) as Float64Array);
    const d = normals(random.rng("d"), block.length);
    const out = new Float64Array(objective.n).fill(9);
    objective.boundTimes?.(block, d, out);
    const sums = objective.absoluteRowSums?.() as Float64Array;
    for (let i = 0; i < objective.n; i++) {
      let [product, total] = [0, 0];
      for (let k = 0; k < block.length; k++) product += whole[i * objective.n + block[k]] * d[k];
      for (let j = 0; j < objective.n; j++) total += Math.abs(whole[i * objective.n + j]);
      expect(out[i]).toBeCloseTo(product, 9);
      expect(sums[i]).toBeCloseTo(total, 9);
    }
  });

  it("keeps value, gradient and Hessian up to date while blocks move", () => {
    const state = objective.start?.(x.slice());
    if (state === undefined) throw new Error("it has an incremental form");
    const own = random.rng("moves");
    state.gradient();
    for (let step = 0; step < 12; step++) {
      const b = (own.choice(objective.n, { shape: [3], replace: false }).data() as Int32Array).slice();
      const d = normals(own, 3).map((v) => 0.2 * v);
      const before = objective.value(state.x);
      state.aim(b, d);
      const target = state.x.slice();
      for (let k = 0; k < 3; k++) target[b[k]] += 0.5 * d[k];
      const change = objective.value(target) - before;
      expect(Math.abs(state.change(0.5) - change)).toBeLessThan(1e-10 * (1 + before));
      state.commit(0.5);
      expect(largestDifference(state.x, target)).toBe(0);
      expect(state.value).toBeCloseTo(objective.value(target), 8);
      const g = objective.gradient(target);
      const out = new Float64Array(3);
      state.blockGradient(b, out);
      expect(
        largestDifference(
          out,
          Array.from(b, (i) => g[i]),
        ),
      ).toBeLessThan(1e-9 * (1 + before));
      // Not asked for in every iteration: both ways to the gradient must agree.
      if (step % 3 !== 2) expect(largestDifference(state.gradient(), g)).toBeLessThan(1e-9 * (1 + before));
      if (step % 4 === 0) {
        const H = objective.blockHessian?.(target, b) as Float64Array;
        expect(largestDifference(state.blockHessian?.(b) as Float64Array, H)).toBeLessThan(1e-9 * (1 + before));
      }
    }
    const { value } = state;
    state.refresh();
    expect(state.value).toBeCloseTo(value, 8);
  });
});

/** With all classes in the block the bound of softmax is the one of the whole Hessian. */
function softmaxFull(objective: BlockObjective): Float64Array | undefined {
  return objective.n === 3 * n ? (objective.blockBound?.(all(objective.n)) as Float64Array) : undefined;
}

describe("the three ways to say one thing agree", () => {
  it("a quadratic of A^T A and A^T y is least squares up to a constant", () => {
    const c = leastSquares(A, y).gradient(new Float64Array(n));
    const same = quadratic(
      tensor(symmetric, { shape: [n, n] }),
      Float64Array.from(c, (v) => -v),
    );
    const x = normals(rng, n);
    expect(same.value(x) + 0.5 * y.reduce((s, v) => s + v * v, 0)).toBeCloseTo(leastSquares(A, y).value(x), 8);
  });

  it("dense and sparse matrices, and their sparse bounds", () => {
    const dense = tensor(sparse.toDense(sparseA), { shape: [m, n] });
    const [a, b] = [leastSquares(dense, y), leastSquares(sparseA, y)];
    const x = normals(rng, n);
    expect(largestDifference(a.gradient(x), b.gradient(x))).toBeLessThan(1e-12);
    const H = sparse.toDense((b.sparseBound as () => sparse.CsrMatrix)());
    expect(largestDifference(H, a.blockBound?.(all(n)) as Float64Array)).toBeLessThan(1e-12);
    const hessian = sparse.toDense(logistic(sparseA, signs).sparseHessian?.(x) as sparse.CsrMatrix);
    expect(largestDifference(hessian, logistic(dense, signs).blockHessian?.(x, all(n)) as Float64Array)).toBeLessThan(
      1e-12,
    );
  });

  it("two classes of softmax are logistic regression", () => {
    const two = softmaxRegression(
      A,
      Int32Array.from(signs, (s) => (s > 0 ? 1 : 0)),
      2,
    );
    const x = normals(rng, n);
    const both = Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 1 ? x[(i - 1) / 2] : 0));
    expect(two.value(both)).toBeCloseTo(logistic(A, signs).value(x), 10);
  });

  it("a traceable function and its closed form", () => {
    const traced = fromTraceable((x: Tensor) => sum(square(sub(A.matmul(x), tensor(y)))).mul(0.5), n);
    const x = normals(rng, n);
    expect(traced.value(x)).toBeCloseTo(leastSquares(A, y).value(x), 10);
    expect(largestDifference(traced.gradient(x), leastSquares(A, y).gradient(x))).toBeLessThan(1e-10);
    expect(largestDifference(traced.blockHessian?.(x, all(n)) as Float64Array, symmetric)).toBeLessThan(1e-10);
  });

  it("label propagation is the sum over its edges, each counted once", () => {
    const W = sparse.fromTriplets(
      4,
      4,
      [0, 1, 1, 2, 2, 3, 0, 3],
      [1, 0, 2, 1, 3, 2, 3, 0],
      [2, 2, 1, 1, 3, 3, 0.5, 0.5],
    );
    const objective = labelPropagation(W, new Map([[0, 4]]));
    const energy = (v: ArrayLike<number>) =>
      0.5 * (2 * (v[0] - v[1]) ** 2 + (v[1] - v[2]) ** 2 + 3 * (v[2] - v[3]) ** 2 + 0.5 * (v[0] - v[3]) ** 2);
    const [p, q] = [
      [1, -2, 0.5],
      [0, 3, 1],
    ].map((v) => Float64Array.from(v));
    const [ep, eq] = [p, q].map((v) => energy(objective.complete(v)));
    expect(objective.value(p) - objective.value(q)).toBeCloseTo(ep - eq, 10);
    expect(Array.from(objective.unlabelled)).toEqual([1, 2, 3]);
    expect(objective.blocksOf([[0, 1], [0], [2, 3]]).map((b) => Array.from(b))).toEqual([[0], [1, 2]]);
  });
});

it("A_b^T A_b of large blocks is exact, and the same bit for bit whatever block was asked for before", () => {
  const own = random.rng("large blocks");
  const [rows, columns] = [150, 300];
  const large = normals(own, rows * columns);
  const matrix = tensor(large, { shape: [rows, columns] });
  const target = normals(own, rows);
  const one = leastSquares(matrix, target);
  const bound = (objective: BlockObjective, block: Int32Array) => objective.blockBound?.(block) as Float64Array;
  const every = (step: number, count: number, from = 0) =>
    Int32Array.from({ length: count }, (_, k) => (from + k * step) % columns);
  const first = every(1, 100);
  // Disjoint from the one before, half of it, one variable more, the same, fewer, in another order.
  for (const block of [
    first,
    every(1, 130, 150),
    every(2, 100),
    [...every(2, 100), 1],
    first,
    every(3, 60),
    every(7, 90),
  ]) {
    const places = Int32Array.from(block);
    const H = bound(one, places);
    expect(H).toEqual(bound(leastSquares(matrix, target), places));
    const t = places.length;
    for (let k = 0; k < t * t; k += 97) {
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        sum += large[i * columns + places[Math.floor(k / t)]] * large[i * columns + places[k % t]];
      }
      expect(Math.abs(H[k] - sum)).toBeLessThan(1e-11);
    }
  }
});

it("large blocks of softmax, which hold several classes of a feature, have their bound whatever block was asked for before", () => {
  const own = random.rng("classes of a feature");
  const [rows, features, classes] = [600, 20, 5];
  const A = own.normal([rows, features], { dtype: "float64" });
  const labels = Int32Array.from({ length: rows }, (_, i) => i % classes);
  const make = () => softmaxRegression(A, labels, classes);
  const one = make();
  for (const from of [0, 10, 12, 60]) {
    const block = Int32Array.from({ length: 25 }, (_, k) => from + k);
    expect(one.blockBound?.(block)).toEqual(make().blockBound?.(block));
  }
  const solver = new BcdSolver({ smooth: one }, { blockSize: 25, update: "matrix" });
  for (let before = solver.state.objective, k = 0; k < 20; k++) {
    const after = solver.step().objective;
    expect(after).toBeLessThan(before);
    before = after;
  }
});

describe("products with large dense matrices, which are compiled", () => {
  const pattern = (size: number, shift: number) =>
    Float64Array.from({ length: size }, (_, p) => ((p + shift) % 13) - 6);

  it("belong to the matrix that was given, whichever of its size was used before", () => {
    const [rows, columns] = [300, 600];
    const target = normals(rng, rows);
    const given = [0, 5].map((shift) => pattern(rows * columns, shift));
    const dense = given.map((entries) => leastSquares(tensor(entries, { shape: [rows, columns] }), target));
    const x = new Float64Array(columns).fill(0.5);
    for (const which of [0, 1, 1, 0]) {
      const entries = given[which];
      const residual = target.map(
        (v, i) => -v + 0.5 * entries.slice(i * columns, (i + 1) * columns).reduce((a, b) => a + b),
      );
      const slow = x.map((_, j) => residual.reduce((total, v, i) => total + v * entries[i * columns + j], 0));
      expect(largestDifference(dense[which].gradient(x), slow)).toBeLessThan(1e-8);
    }
  });

  it("are right for more sizes than are kept", () => {
    const s = Float64Array.of(1, -2);
    for (const count of [2.6e6, 2.7e6, 2.6e6]) {
      const columns = pattern(2 * count, 3);
      const dots = columnDots(tensor(columns, { shape: [count, 2] }), s);
      for (let j = 0; j < count; j += 99_991) expect(dots[j]).toBe(columns[2 * j] - 2 * columns[2 * j + 1]);
    }
  });
});

describe("a matrix that lies by columns", () => {
  const columns = new Float64Array(n * m);
  values.forEach((v, p) => {
    columns[(p % n) * m + Math.floor(p / n)] = v;
  });
  const byColumns = tensor(columns, { shape: [n, m] }).transpose();

  it("gives what one by rows gives, bit for bit", () => {
    const x = normals(rng, n);
    const [here, there] = [leastSquares(byColumns, y), leastSquares(A, y)];
    expect(here.gradient(x)).toEqual(there.gradient(x));
    expect(here.blockBound?.(all(n))).toEqual(there.blockBound?.(all(n)));
  });

  it("may be a part of a larger one", () => {
    const x = normals(rng, n - 3);
    const part = leastSquares(byColumns.slice([null, { start: 2, stop: n - 1 }]), y);
    const copy = leastSquares(
      tensor(
        Float64Array.from({ length: m * (n - 3) }, (_, p) => values[Math.floor(p / (n - 3)) * n + 2 + (p % (n - 3))]),
        { shape: [m, n - 3] },
      ),
      y,
    );
    expect(part.gradient(x)).toEqual(copy.gradient(x));
  });

  it("is refused with the place of what is not finite", () => {
    const bad = columns.slice();
    bad[3 * m + 5] = Number.NaN;
    expect(() => leastSquares(tensor(bad, { shape: [n, m] }).transpose(), y)).toThrow(/A holds NaN at \[5, 3\]/);
  });
});

it("the Hessian of a large block is A_b^T diag(curvatures) A_b, symmetric to the bit, in any order of its variables", () => {
  const own = random.rng("large weighted blocks");
  const [rows, columns] = [150, 120];
  const large = normals(own, rows * columns);
  const smooth = logistic(
    tensor(large, { shape: [rows, columns] }),
    normals(own, rows).map((v) => Math.sign(v)),
  );
  const x = normals(own, columns).map((v) => 0.1 * v);
  const curvatures = Array.from({ length: rows }, (_, i) => {
    const z = x.reduce((total, v, j) => total + large[i * columns + j] * v, 0);
    return 1 / ((1 + Math.exp(-z)) * (1 + Math.exp(z)));
  });
  for (const t of [30, 49, 50, 119]) {
    const block = Int32Array.from({ length: t }, (_, k) => (7 * k + 3) % columns);
    const H = smooth.blockHessian?.(x, block) as Float64Array;
    for (let a = 0; a < t; a += 5) {
      for (let b = 0; b < t; b++) {
        let entry = 0;
        for (let i = 0; i < rows; i++) {
          entry += curvatures[i] * large[i * columns + block[a]] * large[i * columns + block[b]];
        }
        expect(Math.abs(H[a * t + b] - entry)).toBeLessThan(1e-11);
        expect(H[a * t + b]).toBe(H[b * t + a]);
      }
    }
  }
});
