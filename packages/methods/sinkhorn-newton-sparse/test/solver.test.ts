import { largestDifference } from "@offprint/claims";
import { add, mul, random, take, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { assignment, costMatrix, exactTransport, sinkhorn, sinkhornNewtonSparse } from "../src/index.js";
import { assignmentProblem, distance, randomProblem, total } from "./problems.js";

interface Entropic {
  eta: number;
  cost: number[][];
  r: number[];
  c: number[];
  plan: number[][];
  value: number;
}
const fixtures = readFixture(import.meta.url, "pot.json") as {
  entropic: Entropic[];
};

describe("the optimal plan", () => {
  it("is the one of POT's sinkhorn_log with reg = 1 / eta", async () => {
    for (const { eta, cost, r, c, plan, value } of fixtures.entropic) {
      const result = await sinkhornNewtonSparse({ cost, r, c }, { eta });
      expect(result.status).toBe("converged");
      expect(largestDifference(result.plan.data(), plan.flat())).toBeLessThan(1e-10);
      expect(result.cost).toBeCloseTo(value, 10);
    }
  });

  const problem = randomProblem(0, 30, 24);
  let reference: Awaited<ReturnType<typeof sinkhorn>>;
  beforeAll(async () => {
    reference = await sinkhorn(problem, { eta: 100, tolerance: 1e-14, maxIterations: 20000 });
  });

  it("is reached by Sinkhorn, full Newton and any sparsity, gauge, solver and stage 1", async () => {
    expect(reference.marginalError).toBeLessThan(2e-14);
    for (const options of [
      { newton: "full" },
      { newton: "full", linearSolver: "dense" },
      { keepPerRow: 1 },
      { keepPerRow: 3 },
      { lambda: 0.5 },
      { gauge: "augmented" },
      { sinkhornIterations: 1 },
      { sinkhornIterations: 200 },
      { sinkhornIterations: "auto" },
      { sinkhornIterations: 0 },
      { linearSolver: "dense" },
      { linearSolver: "cg" },
      { cgTolerance: 1e-6 },
      { anneal: true },
      { anneal: false },
      { strict: true, keepPerRow: 24 },
    ] as const) {
      const result = await sinkhornNewtonSparse(problem, { eta: 100, newtonIterations: 200, ...options });
      expect([options, result.status]).toEqual([options, "converged"]);
      expect(distance(result.plan, reference.plan)).toBeLessThan(1e-10);
    }
  });

  it("does not depend on the gauge of the start", async () => {
    const { x, y } = reference;
    const moved = await sinkhornNewtonSparse(problem, {
      eta: 100,
      initial: { x: x.add(3), y: y.sub(3) },
      sinkhornIterations: 0,
    });
    expect(moved.stages.newton).toBeLessThanOrEqual(1);
    expect(distance(moved.plan, reference.plan)).toBeLessThan(1e-10);
    expect(total(moved.x)).toBeCloseTo(total(moved.y), 10);
  });

  it("is permuted when the rows are", async () => {
    const order = tensor(Int32Array.from({ length: 30 }, (_, i) => (7 * i) % 30));
    const permuted = await sinkhornNewtonSparse(
      { cost: take(problem.cost, order), r: take(problem.r, order), c: problem.c },
      { eta: 100 },
    );
    expect(distance(permuted.plan, take(reference.plan, order))).toBeLessThan(1e-10);
  });

  it("stays when a_i + b_j is added to the costs, and when the costs are scaled against eta", async () => {
    const { r, c, cost } = problem;
    const shifted = add(add(cost, r.mul(9).reshape([30, 1])), c.mul(-4).reshape([1, 24]));
    expect(
      distance((await sinkhornNewtonSparse({ cost: shifted, r, c }, { eta: 100 })).plan, reference.plan),
    ).toBeLessThan(1e-10);
    const scaled = await sinkhornNewtonSparse({ cost: mul(cost, 1000), r, c }, { eta: 0.1 });
    expect(distance(scaled.plan, reference.plan)).toBeLessThan(1e-10);
  });

  it("tends to r c^T as eta -> 0", async () => {
    const { plan } = await sinkhornNewtonSparse(problem, { eta: 1e-9 });
    const [r, c] = [problem.r.data(), problem.c.data()];
    expect(
      largestDifference(
        plan.data(),
        Float64Array.from({ length: 720 }, (_, k) => r[Math.floor(k / 24)] * c[k % 24]),
      ),
    ).toBeLessThan(1e-10);
  });

  it("tends to the best assignment as eta grows, with a cost that falls towards its", async () => {
    for (const seed of [0, 1, 2, 3, 4]) {
      const { cost } = assignmentProblem(seed, 7);
      const best = assignment(cost);
      let before = Infinity;
      for (const eta of [1, 10, 100, 1000, 1e4]) {
        const result = await sinkhornNewtonSparse({ cost }, { eta });
        expect(result.cost).toBeLessThanOrEqual(before + 1e-13);
        expect(result.cost).toBeGreaterThanOrEqual(best.cost / 7 - 1e-14);
        before = result.cost;
      }
      const { plan } = await sinkhornNewtonSparse({ cost }, { eta: 1e5 });
      const rows = plan.toArray() as number[][];
      expect(rows.map((row) => row.indexOf(Math.max(...row)))).toEqual([...best.columns]);
    }
  });

  it("meets its marginals to 1e-13 from strong to very weak regularisation", async () => {
    const { cost } = assignmentProblem(3, 80);
    const exact = assignment(cost).cost / 80;
    for (const eta of [1, 30, 1000, 3e4, 1e6]) {
      const result = await sinkhornNewtonSparse({ cost }, { eta });
      expect([eta, result.status]).toEqual([eta, "converged"]);
      const plan = result.plan.toArray() as number[][];
      const error = plan.reduce((sum, row, i) => {
        const column = plan.reduce((total, other) => total + other[i], 0);
        return sum + Math.abs(1 / 80 - row.reduce((a, b) => a + b, 0)) + Math.abs(1 / 80 - column);
      }, 0);
      expect(error).toBeLessThan(1.1e-13);
      expect(result.cost - exact).toBeLessThan(Math.log(80) / eta);
    }
  });

  it("is found where the costs of staying are 0 and of moving 1, however weak the regularisation", async () => {
    for (const n of [3, 5, 20]) {
      const { r, c } = randomProblem(n, n);
      const cost = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 0 : 1)));
      const [from, to] = [r.data(), c.data()];
      let moved = 0;
      for (let i = 0; i < n; i++) moved += Math.abs(from[i] - to[i]) / 2;
      for (const eta of [200, 1200]) {
        const result = await sinkhornNewtonSparse({ cost, r, c }, { eta });
        expect([n, eta, result.status]).toEqual([n, eta, "converged"]);
        expect(result.cost).toBeCloseTo(moved, 10);
      }
    }
  });

  it("is found for integer costs, whose best plans are many", async () => {
    const rng = random.rng(7);
    for (let k = 0; k < 10; k++) {
      const cost = rng.randint([3, 5], { low: 0, high: 10 });
      const result = await sinkhornNewtonSparse({ cost }, { eta: 1e4 });
      expect([k, result.status]).toEqual([k, "converged"]);
      expect(result.cost).toBeCloseTo((await exactTransport({ cost })).cost, 3);
    }
  });

  it("needs fewer steps from the potentials of a problem nearby", async () => {
    const near = { ...problem, cost: add(problem.cost, mul(problem.cost, 1e-4)) };
    const cold = await sinkhornNewtonSparse(problem, { eta: 100, sinkhornIterations: 0 });
    const start = await sinkhornNewtonSparse(near, { eta: 100 });
    const warm = await sinkhornNewtonSparse(problem, { eta: 100, sinkhornIterations: 0, initial: start });
    expect(warm.status).toBe("converged");
    expect(warm.history.length).toBeLessThan(cold.history.length / 2);
  });
});

describe("special problems", () => {
  it("one row, one column, or one of each", async () => {
    const row = await sinkhornNewtonSparse({ cost: [[0.3, 0.1, 0.9]], c: [0.2, 0.3, 0.5] }, { eta: 50 });
    expect(largestDifference(row.plan.data(), [0.2, 0.3, 0.5])).toBeLessThan(1e-14);
    const column = await sinkhornNewtonSparse({ cost: [[0.3], [0.1]], r: [0.75, 0.25] }, { eta: 50 });
    expect(largestDifference(column.plan.data(), [0.75, 0.25])).toBeLessThan(1e-14);
    const point = await sinkhornNewtonSparse({ cost: [[7]] }, { eta: 5 });
    expect(point.plan.item()).toBeCloseTo(1, 14);
    expect(point.cost).toBeCloseTo(7, 13);
  });

  it("equal costs give r c^T, and identical points too", async () => {
    const zero = await sinkhornNewtonSparse(
      { cost: new Array(4).fill([0, 0, 0]), c: [0.5, 0.25, 0.25] },
      { eta: 1000 },
    );
    expect(zero.status).toBe("converged");
    expect(largestDifference(zero.plan.data(), new Array(4).fill([0.125, 0.0625, 0.0625]).flat())).toBeLessThan(1e-13);
    const points = [
      [1, 2],
      [1, 2],
      [1, 2],
    ];
    const same = await sinkhornNewtonSparse({ cost: costMatrix(points, points) }, { eta: 10 });
    expect(largestDifference(same.plan.data(), new Array(9).fill(1 / 9))).toBeLessThan(1e-13);
  });

  it("a tiny mass, and masses over many orders of magnitude", async () => {
    const { cost } = assignmentProblem(5, 12);
    for (const tiny of [1e-12, 1e-30, 1e-200]) {
      const r = new Float64Array(12).fill((1 - tiny) / 11);
      r[4] = tiny;
      const result = await sinkhornNewtonSparse({ cost, r }, { eta: 300 });
      expect([tiny, result.status]).toEqual([tiny, "converged"]);
      expect((result.plan.toArray() as number[][])[4].reduce((a, b) => a + b, 0) / tiny).toBeCloseTo(1, 3);
    }
  });

  it("rectangular problems, either way", async () => {
    const wide = randomProblem(8, 6, 60);
    const a = await sinkhornNewtonSparse(wide, { eta: 400 });
    const b = await sinkhornNewtonSparse({ cost: wide.cost.transpose(), r: wide.c, c: wide.r }, { eta: 400 });
    expect([a.status, b.status]).toEqual(["converged", "converged"]);
    expect(distance(a.plan, b.plan.transpose())).toBeLessThan(1e-11);
  });

  it("places without mass, when they may be dropped", async () => {
    const cost = [
      [0, 1, 2],
      [1, 0, 1],
      [2, 1, 0],
    ];
    const result = await sinkhornNewtonSparse(
      { cost, r: [0.5, 0, 0.5], c: [0.25, 0.75, 0] },
      { eta: 40, dropZeros: true },
    );
    const small = await sinkhornNewtonSparse(
      {
        cost: [
          [0, 1],
          [2, 1],
        ],
        r: [0.5, 0.5],
        c: [0.25, 0.75],
      },
      { eta: 40 },
    );
    const p = small.plan.data();
    expect(largestDifference(result.plan.data(), [p[0], p[1], 0, 0, 0, 0, p[2], p[3], 0])).toBeLessThan(1e-14);
    expect(result.x.data()[1]).toBe(-Infinity);
    expect(result.cost).toBeCloseTo(small.cost, 14);
    const { x, y } = result;
    const again = await sinkhornNewtonSparse(
      { cost, r: [0.5, 0, 0.5], c: [0.25, 0.75, 0] },
      { eta: 40, dropZeros: true, initial: { x, y }, sinkhornIterations: 0 },
    );
    expect(again.history.length).toBeLessThanOrEqual(1);
  });
});

describe("a run", () => {
  const problem = assignmentProblem(2, 60);

  it("that is too short says so, and goes on from its potentials", async () => {
    const short = await sinkhornNewtonSparse(problem, {
      eta: 500,
      sinkhornIterations: 5,
      newtonIterations: 2,
      anneal: false,
    });
    expect(short.status).toBe("limit");
    expect(short.marginalError).toBeGreaterThan(1e-13);
    expect(short.iterations).toBe(7);
    expect(short.stages).toEqual({ sinkhorn: 5, newton: 2, fallback: 0 });
    const rest = await sinkhornNewtonSparse(problem, { eta: 500, sinkhornIterations: 0, initial: short });
    expect(rest.status).toBe("converged");
  });

  it("is told of, can be stopped with what it has, and can be aborted", async () => {
    const seen: number[] = [];
    const stopped = await sinkhornNewtonSparse(problem, {
      eta: 500,
      onProgress: ({ iteration }) => (seen.push(iteration) < 7 ? undefined : "stop"),
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(stopped.status).toBe("stopped");
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = await sinkhornNewtonSparse(problem, { eta: 500, onProgress: () => controller.abort(), signal });
    expect([aborted.status, aborted.iterations]).toEqual(["aborted", 1]);
  });

  it("keeps a history of stages, errors, steps and entries", async () => {
    const { history, marginalError, cgSteps } = await sinkhornNewtonSparse(problem, { eta: 300 });
    expect(history.slice(0, 20).every(({ stage, kept }) => stage === "sinkhorn" && kept === 0)).toBe(true);
    expect(history.slice(20).every(({ kept, alpha }) => kept >= 480 && alpha > 0)).toBe(true);
    expect(history.at(-1)?.marginalError).toBeCloseTo(marginalError, 15);
    expect(cgSteps).toBe(history.reduce((sum, record) => sum + record.cgSteps, 0));
  });

  it("in strict mode throws where the thresholded Hessian breaks down", async () => {
    const { cost } = assignmentProblem(6, 40);
    const strict = () => sinkhornNewtonSparse({ cost }, { eta: 1e5, strict: true, keepPerRow: 1 });
    await expect(strict()).rejects.toThrow(expect.objectContaining({ name: "ConvergenceError" }));
  });

  it("of Sinkhorn is the same in every domain, and over-relaxation leads to the same plan", async () => {
    const log = await sinkhorn(problem, { eta: 150, maxIterations: 40, tolerance: 0 });
    for (const domain of ["kernel", "stabilised"] as const) {
      const other = await sinkhorn(problem, { eta: 150, maxIterations: 40, tolerance: 0, domain });
      expect(other.history.length).toBe(40);
      expect(distance(log.plan, other.plan)).toBeLessThan(1e-11);
      for (let t = 0; t < 40; t++) expect(other.history[t].marginalError).toBeCloseTo(log.history[t].marginalError, 12);
    }
    const weak = { eta: 2000, maxIterations: 60, tolerance: 0 };
    const stable = await sinkhorn(problem, { ...weak, domain: "stabilised" });
    expect(distance((await sinkhorn(problem, weak)).plan, stable.plan)).toBeLessThan(1e-10);
    const exact = await sinkhornNewtonSparse(problem, { eta: 50 });
    const relaxed = await sinkhorn(problem, { eta: 50, omega: 1.5, tolerance: 1e-12, maxIterations: 5000 });
    expect(relaxed.status).toBe("converged");
    expect(distance(relaxed.plan, exact.plan)).toBeLessThan(1e-9);
    const plain = await sinkhorn(problem, { eta: 50, tolerance: 1e-12, maxIterations: 5000 });
    expect(relaxed.stages.sinkhorn).toBeLessThan(plain.stages.sinkhorn / 2);
  });
});
