import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { type Claim, figure, largestDifference } from "@offprint/claims";
import { add, eye, matmul, mul, type random, sum, type Tensor, tensor, transpose } from "@offprint/tensor-core";
import { solveLowerProgramme } from "../src/index.js";
import { type Method, published } from "./method.js";

const [m, n, l] = [4, 3, 3];
const float64 = { dtype: "float64" } as const;

/** f = y'Py/2 + (q + Bx)'y under A y + C x <= b, with random numbers. */
function randomProgramme(rng: random.Rng): ConstrainedBilevelProblem & { feasible(): { x: Tensor; y: Tensor } } {
  const half = rng.normal([m, m], float64);
  const p = add(matmul(half, transpose(half)), eye(m, m, "float64"));
  const [q, b] = [rng.normal([m], float64), rng.uniform([l], { low: 0.2, high: 1, ...float64 })];
  const [mixed, a, c] = [rng.normal([m, n], float64), rng.normal([l, m], float64), rng.normal([l, n], float64)];
  const constraints = (x: Tensor, y: Tensor) => add(matmul(a, y), matmul(c, x)).sub(b);
  return {
    initial: { x: tensor(new Float64Array(n), float64), y: tensor(new Float64Array(m), float64) },
    upper: (x, y) => add(sum(mul(x, x)), sum(mul(y, y))),
    lower: (x, y) => add(mul(sum(mul(y, matmul(p, y))), 0.5), sum(mul(add(q, matmul(mixed, x)), y))),
    constraints,
    projectJointly: (x, y) => ({ x, y }),
    feasible() {
      for (;;) {
        const [x, y] = [rng.normal([n], float64), rng.normal([m], float64)];
        if (
          constraints(x, y)
            .data()
            .every((v: number) => v <= 0)
        )
          return { x, y };
      }
    },
  };
}

/** What the reformulation stands on. */
export function valueFunction(method: Method = published): Claim {
  return {
    id: "value-function",
    statement:
      "f - v is never negative on feasible points, zero just at a lower solution with its multipliers, and v has the gradients of its saddle point",
    source: "Equations (4) to (6), Theorem 2.1",
    paper: "exact",
    async run({ rng, scale }) {
      const problem = randomProgramme(rng);
      const options = { gamma1: 2, gamma2: 3, method: "quadratic" } as const;
      const value = async (x: Tensor, y: Tensor, z: Tensor) => method.proxLagrangianValue(problem, x, y, z, options);
      const gap = async (x: Tensor, y: Tensor, z: Tensor) =>
        problem.lower(x, y, null).item() - (await value(x, y, z)).value;
      let least = Number.POSITIVE_INFINITY;
      const tries = scale === "full" ? 200 : 40;
      for (let k = 0; k < tries; k++) {
        const { x, y } = problem.feasible();
        least = Math.min(least, await gap(x, y, rng.uniform([l], { high: 2, ...float64 })));
      }
      const { x, y } = problem.feasible();
      const z = rng.uniform([l], float64);
      const descent = await method.proxLagrangianValue(problem, x, y, z, {
        ...options,
        method: "descentAscent",
        eta: 0.05,
        tolerance: 1e-11,
      });
      const exact = await value(x, y, z);
      const [gx, gy, gz] = await Promise.all([
        differences((at) => value(at, y, z), x),
        differences((at) => value(x, at, z), y),
        differences((at) => value(x, y, at), z),
      ]);
      const slopes = Math.max(
        ...[
          [exact.gradX, gx],
          [exact.gradY, gy],
          [exact.gradZ, gz],
        ].map(([a, b]) => largestDifference(a, b)),
      );
      const solution = await solveLowerProgramme(problem, x, { tolerance: 1e-11 });
      const atSolution = await gap(x, solution.y, solution.multipliers);
      const moved = add(solution.y, mul(rng.sphere([m], float64), 0.3));
      const away = await gap(x, moved, solution.multipliers);
      const toExact = Math.abs(descent.value - exact.value);
      const holds =
        toExact <= 1e-8 && slopes <= 1e-6 && least >= -1e-12 && Math.abs(atSolution) <= 1e-9 && Math.abs(away) > 1e-6;
      return {
        measured: { "least f - v": least, "at the solution": atSolution, "to central differences": slopes },
        holds,
        detail:
          `descent and ascent must give the exact saddle's value to 1e-8 (${figure(toExact)}), gradients be central differences to 1e-6 ` +
          `(${figure(slopes)}), f - v at ${tries} random feasible points be at least -1e-12 (${figure(least)}), at the lower solution with its ` +
          `multipliers at most 1e-9 (${figure(atSolution)}), and above 1e-6 where y is moved by 0.3 (${figure(away)})`,
      };
    },
  };
}

async function differences(f: (at: Tensor) => Promise<{ readonly value: number }>, at: Tensor): Promise<Tensor> {
  const values = at.data();
  const slopes = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const moved = (by: number) =>
      tensor(
        Float64Array.from(values, (v, j) => (j === i ? v + by : v)),
        float64,
      );
    slopes[i] = ((await f(moved(1e-5))).value - (await f(moved(-1e-5))).value) / 2e-5;
  }
  return tensor(slopes, float64);
}
