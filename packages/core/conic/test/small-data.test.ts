import { sparse } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type ConicProblem, solveConic } from "../src/index.js";
import { problems } from "./problems.js";

/** The problem with A, b and c times these, and P such that it stays the same in other units: x is times b / a. */
function times({ A, P, b, c, cones }: ConicProblem, [a, k, l]: readonly number[]): ConicProblem {
  const rows = (matrix: unknown, factor: number): number[][] =>
    (matrix as number[][]).map((row) => Array.from(row, (value) => value * factor));
  return {
    ...{ A: rows(A, a), cones },
    b: Array.from(b, (value) => value * k),
    c: Array.from(c, (value) => value * l),
    ...(P !== undefined && { P: rows(P, (l * a) / k) }),
  };
}

const sizes = [
  [1e-8, 1e-8, 1e-8],
  [1, 1e-8, 1e-8],
  [1, 1, 1e-8],
  [1, 1e-8, 1],
  [1e-8, 1, 1],
  [1e-4, 1e-4, 1e-4],
  [1e-100, 1e-100, 1e-100],
] as const;

describe.each(["interior-point", "splitting"] as const)("small data are solved as others are, by %s", (method) => {
  it.each(sizes)("A times %d, b times %d, c times %d", async (...factors) => {
    const [a, k, l] = factors;
    for (const { problem, value, name } of problems) {
      const { status, objective, residuals, s } = await solveConic(times(problem, factors), { method });
      expect(status, name).toBe("converged");
      const unit = (k / a) * l;
      expect(Math.abs(objective / unit - value), name).toBeLessThanOrEqual(1e-4 * (1 + Math.abs(value)));
      expect(residuals.primal / k, name).toBeLessThan(1e-4 * (1 + Math.max(...s) / k));
    }
  });

  it("certificates are normalised by the data that were given", async () => {
    // 1 <= x <= 0, and max x with x >= 1, times 1e-8.
    const empty = await solveConic({ A: [[-1e-8], [1e-8]], b: [-1e-8, 0], c: [1e-8], cones: { l: 2 } }, { method });
    expect(empty.status).toBe("infeasible");
    expect(-1e-8 * empty.y[0]).toBeCloseTo(-1, 12);
    expect(empty.y[1] / empty.y[0]).toBeCloseTo(1, 6);
    const open = await solveConic({ A: [[-1e-8]], b: [-1e-8], c: [-1e-8], cones: { l: 1 } }, { method });
    expect(open.status).toBe("unbounded");
    expect(-1e-8 * open.x[0]).toBeCloseTo(-1, 12);
    expect(open.s[0]).toBeCloseTo(1, 6);
  });

  it("P decides where b and c are beside it nothing, or A is", async () => {
    const P = sparse.identity(1);
    const far = await solveConic({ P, A: [[1e-8]], b: [1], c: [1], cones: { l: 1 } }, { method });
    expect(far.x[0]).toBeCloseTo(-1, 5);
    const noise = await solveConic({ P, A: [[-1]], b: [1e-17], c: [-1], cones: { l: 1 } }, { method });
    expect(noise.x[0]).toBeCloseTo(1, 5);
    expect([far.status, noise.status]).toEqual(["converged", "converged"]);
  });
});

it("a run on small data begins where it is told, and goes on", async () => {
  const problem = times(problems[0].problem, [1e-8, 1e-8, 1e-8]);
  const options = { method: "splitting" } as const;
  const whole = await solveConic(problem, options);
  const { x, y, s } = whole;
  const again = await solveConic(problem, { ...options, initial: { x, y, s } });
  expect(again.status).toBe("converged");
  expect(again.iterations).toBeLessThan(whole.iterations);
  const half = await solveConic(problem, { ...options, maxIterations: 25 });
  expect(half.status).toBe("limit");
  const rest = await solveConic(problem, { ...options, resume: half.state });
  expect(rest.x).toEqual(whole.x);
});
