import { largestDifference } from "@offprint/claims";
import { grad, hessian, linalg, random, sparse, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { lyapunov, newtonDirection, sinkhorn, sinkhornNewtonSparse, sparsify } from "../src/index.js";
import { NewtonSystem } from "../src/newton-system.js";
import { keepAll, keepLargest, readPlan } from "../src/sparsify.js";
import { assignmentProblem, randomProblem, total } from "./problems.js";

const [n, m, eta] = [5, 4, 12];
const problem = randomProblem(3, n, m);
const [first, second] = random.rng(4).split(2);
const x = first.normal([n], { std: 0.1, dtype: "float64" });
const y = second.normal([m], { std: 0.1, dtype: "float64" });

/** P(x, y), entry by entry. */
function plan(): Tensor {
  const [C, a, b] = [problem.cost.data(), x.data(), y.data()];
  const values = Float64Array.from({ length: n * m }, (_, at) =>
    Math.exp(eta * (a[Math.floor(at / m)] + b[at % m] - C[at]) - 1),
  );
  return tensor(values, { shape: [n, m] });
}

const P = plan();
const rows = Float64Array.from({ length: n }, (_, i) => total(tensor(P.data().slice(i * m, i * m + m))));
const columns = Float64Array.from({ length: m }, (_, j) => rows.reduce((sum, _, i) => sum + P.data()[i * m + j], 0));

/** The matrix of a system, column by column. */
function matrixOf(system: NewtonSystem): Float64Array {
  const size = n + m;
  const out = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    const unit = new Float64Array(size);
    unit[k] = 1;
    system.apply(unit, out.subarray(k * size, (k + 1) * size));
  }
  return out;
}

describe("the dual potential f", () => {
  it("has the gradient (r - P 1; c - P^T 1)", () => {
    const [gx, gy] = grad((a: Tensor, b: Tensor) => lyapunov(problem, eta, a, b), { argument: [0, 1] })(x, y);
    expect(
      largestDifference(
        gx.data(),
        rows.map((sum, i) => problem.r.data()[i] - sum),
      ),
    ).toBeLessThan(1e-15);
    expect(
      largestDifference(
        gy.data(),
        columns.map((sum, j) => problem.c.data()[j] - sum),
      ),
    ).toBeLessThan(1e-15);
  });

  it("has the negative Hessian M = eta [diag(P 1) P; P^T diag(P^T 1)]", () => {
    const z = tensor([...x.data(), ...y.data()], { dtype: "float64" });
    const H = hessian((joined: Tensor) =>
      lyapunov(problem, eta, tensorPart(joined, 0, n), tensorPart(joined, n, n + m)),
    )(z) as Tensor;
    const M = matrixOf(new NewtonSystem(keepAll(readPlan("test", P)), rows, columns));
    expect(
      largestDifference(
        H.data(),
        M.map((value) => -eta * value),
      ),
    ).toBeLessThan(1e-13);
  });

  it("does not change along v = (1; -1): M v = 0 without thresholding", () => {
    const v = Float64Array.from({ length: n + m }, (_, k) => (k < n ? 1 : -1));
    const out = new Float64Array(n + m);
    new NewtonSystem(keepAll(readPlan("test", P)), rows, columns).apply(v, out);
    expect(Math.max(...out.map(Math.abs))).toBeLessThan(1e-15);
    const shifted = lyapunov(problem, eta, x.add(0.3), y.sub(0.3)).item();
    expect(shifted).toBeCloseTo(lyapunov(problem, eta, x, y).item(), 14);
  });

  it("keeps M symmetric, diagonally dominant and positive semidefinite when the plan is thresholded", () => {
    for (const k of [0, 3, 8, 13, n * m]) {
      const size = n + m;
      const M = matrixOf(new NewtonSystem(keepLargest(readPlan("test", P), k), rows, columns));
      for (let i = 0; i < size; i++) {
        let off = 0;
        for (let j = 0; j < size; j++) {
          expect(M[i * size + j]).toBe(M[j * size + i]);
          if (j !== i) off += Math.abs(M[i * size + j]);
        }
        expect(M[i * size + i]).toBeGreaterThanOrEqual(off * (1 - 1e-15));
      }
      const values = linalg.eigvalsh(tensor(M, { shape: [size, size] })).data();
      expect(Math.min(...values)).toBeGreaterThan(-1e-15);
    }
  });

  it("never falls, in either stage, by more than rounding", async () => {
    for (const anneal of [false, "auto"] as const) {
      const { history } = await sinkhornNewtonSparse(assignmentProblem(1, 40), {
        eta: 800,
        anneal,
        newtonIterations: 100,
      });
      for (let t = 1; t < history.length; t++) {
        if (history[t].eta !== history[t - 1].eta) continue;
        expect(history[t].f - history[t - 1].f).toBeGreaterThan(-1e-15);
      }
    }
  });

  it("equals the regularised primal value at the optimum", async () => {
    const result = await sinkhornNewtonSparse(problem, { eta: 200 });
    expect(result.status).toBe("converged");
    expect(result.f).toBeCloseTo(result.regularisedValue, 15);
    expect(lyapunov(problem, 200, result.x, result.y).item()).toBeCloseTo(result.f, 13);
    const entropy = Array.from(result.plan.data()).reduce((sum, p) => sum + p * Math.log(p), 0);
    expect(result.cost + entropy / 200).toBeCloseTo(result.regularisedValue, 14);
  });
});

it("lyapunov reads plain numbers as float64", () => {
  const value = lyapunov({ cost: [[1e8 + 0.25]] }, 1, [1e8], [0.5]);
  expect(value.dtype).toBe("float64");
  expect(value.item()).toBeCloseTo(1e8 + 0.5 - Math.exp(-0.75), 7);
});

describe("a Newton direction", () => {
  const masses = { r: problem.r, c: problem.c };

  it("is the full one when all entries are kept, and the same by both solvers", () => {
    const full = newtonDirection(P, masses, eta, { solver: "dense" });
    for (const options of [
      { solver: "cg", tolerance: 1e-14 },
      { keep: n * m, solver: "dense" },
    ] as const) {
      const other = newtonDirection(P, masses, eta, options);
      expect(largestDifference(full.dx.data(), other.dx.data())).toBeLessThan(1e-13);
      expect(largestDifference(full.dy.data(), other.dy.data())).toBeLessThan(1e-13);
    }
    const M = matrixOf(new NewtonSystem(keepAll(readPlan("test", P)), rows, columns));
    const step = [...full.dx.data(), ...full.dy.data()];
    const g = [
      ...rows.map((sum, i) => problem.r.data()[i] - sum),
      ...columns.map((sum, j) => problem.c.data()[j] - sum),
    ];
    for (let i = 0; i < n + m; i++) {
      const product = step.reduce((sum, s, j) => sum + eta * M[i * (n + m) + j] * s, 0);
      expect(product).toBeCloseTo(g[i], 14);
    }
    expect(total(full.dx)).toBeCloseTo(total(full.dy), 13);
  });

  it("is the diagonally scaled gradient when none are", () => {
    const { dx, dy } = newtonDirection(P, masses, eta, { keep: 0 });
    const raw = [
      ...rows.map((sum, i) => (problem.r.data()[i] - sum) / sum / eta),
      ...columns.map((sum, j) => (problem.c.data()[j] - sum) / sum / eta),
    ];
    const along = raw.reduce((sum, value, k) => sum + (k < n ? value : -value), 0) / (n + m);
    const expected = raw.map((value, k) => (k < n ? value - along : value + along));
    expect(largestDifference([...dx.data(), ...dy.data()], expected)).toBeLessThan(1e-14);
  });

  it("is solved accurately by elimination where the plan nearly falls apart", () => {
    // Two blocks tied by 1e-13. The tie must carry r_1 - c_1 = 1e-14 in all: its exponent has to change by -0.9.
    const [a, b, tie] = [0.5, 0.5, 1e-13];
    const plan = tensor([a - tie, tie, 0, b], { shape: [2, 2], dtype: "float64" });
    const move = 1e-14;
    const direction = newtonDirection(plan, { r: [0.5 + move, 0.5 - move], c: [0.5, 0.5] }, 1, { solver: "dense" });
    const [dx, dy] = [direction.dx.data(), direction.dy.data()];
    expect(dx[0] + dy[1]).toBeCloseTo(-0.9, 2);
    expect(direction.status).toBe("converged");
  });
});

describe("sparsify", () => {
  it("keeps the k largest entries, all ties, and no zeros", () => {
    const A = tensor([3, 1, 0, 2, 2, 0, 2, 5, 1], { shape: [3, 3], dtype: "float64" });
    const count = (k: number) => sparsify(A, k).entries;
    expect([0, 1, 2, 3, 4, 5, 6, 7, 9].map(count)).toEqual([0, 1, 2, 5, 5, 5, 7, 7, 7]);
    expect([...sparse.toDense(sparsify(A, 3))]).toEqual([3, 0, 0, 2, 2, 0, 2, 5, 0]);
  });

  it("finds the k-th largest among values over many orders of magnitude", () => {
    const values = random.rng(5).normal([40, 30], { std: 40, dtype: "float64" }).data().map(Math.exp) as Float64Array;
    const sorted = values.slice().sort().reverse();
    for (const k of [1, 7, 600, 1199, 1200]) {
      const kept = sparsify(tensor(values, { shape: [40, 30] }), k);
      expect(kept.entries).toBe(k);
      expect(Math.min(...kept.values)).toBe(sorted[k - 1]);
    }
  });
});

describe("stage 1", () => {
  it("leaves the column sums at c to 1e-15 (1 + eta max C)", async () => {
    for (const eta of [10, 300, 3000]) {
      const { plan: Q } = await sinkhorn(problem, { eta, maxIterations: 3 });
      for (let j = 0; j < m; j++) {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += Q.data()[i * m + j];
        expect(Math.abs(sum / problem.c.data()[j] - 1)).toBeLessThan(1e-15 * (1 + eta));
      }
    }
  });
});

function tensorPart(z: Tensor, from: number, to: number): Tensor {
  const pick = new Float64Array((to - from) * z.size);
  for (let k = from; k < to; k++) pick[(k - from) * z.size + k] = 1;
  return tensor(pick, { shape: [to - from, z.size] }).matmul(z);
}
