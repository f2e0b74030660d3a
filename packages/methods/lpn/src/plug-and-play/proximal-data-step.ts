import { conjugateGradients } from "@offprint/solvers";
import {
  add,
  diagonal,
  eye,
  jitSync,
  linalg,
  mul,
  reshape,
  type Tensor,
  tensor,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { sizeOf } from "../batch.js";
import { type Measurement, normalMatrix } from "../measurement.js";

/** How the linear systems of the data step are solved. */
export type DataSolver = "cholesky" | "conjugateGradients";

/** @internal `argmin_x s |A x - y|^2 + weight / 2 |x - v|^2`, for one s, weight and y. */
export interface ProximalDataStep {
  /** At `v`, beginning the search at `near`. */
  solve(v: Tensor, near: Tensor): Tensor | Promise<Tensor>;
  /** Frees what was compiled. */
  release(): void;
}

/** Systems up to this size are factorised unless told. */
const SMALL = 1024;

/** @throws ValueError where the weight is nothing beside a singular `A^T A` in float64. */
function factored(system: Tensor, weight: number): Tensor {
  const refuse = (cause?: unknown) => {
    throw new ValueError(
      `the data step: a weight of ${weight}, from rho or weight, is nothing beside A^T A, which is singular; take a larger one`,
      { cause },
    );
  };
  const size = system.shape[0];
  let factor: Tensor;
  try {
    factor = linalg.cholesky(system);
  } catch (cause) {
    return refuse(cause);
  }
  // A pivot that rounding left of 0.
  const pivots = diagonal(factor).square();
  const least = size * Number.EPSILON * diagonal(system).max().item();
  return pivots.min().item() > least ? factor : refuse();
}

/** Solves `(2 s A^T A + weight I) x = 2 s A^T y + weight v`. */
export function proximalDataStep(
  measurement: Measurement,
  y: Tensor,
  dataScale: number,
  weight: number,
  solver: DataSolver = sizeOf(measurement.input) <= SMALL ? "cholesky" : "conjugateGradients",
): ProximalDataStep {
  const size = sizeOf(measurement.input);
  const { input, apply, adjoint } = measurement;
  const fixed = mul(adjoint(y), 2 * dataScale);
  if (solver === "cholesky") {
    const system = add(mul(normalMatrix(measurement), 2 * dataScale), mul(eye(size, size, "float64"), weight));
    const factor = factored(system, weight);
    const solve = jitSync((l: Tensor, b: Tensor, v: Tensor) => {
      const right = reshape(add(b, mul(v, weight)), [v.shape[0], size]);
      return reshape(transpose(linalg.choleskySolve(l, transpose(right))), v.shape).cast(v.dtype);
    });
    return { solve: (v) => solve(factor, fixed, v), release: () => solve.release() };
  }
  const normal = jitSync((x: Tensor) => add(mul(adjoint(apply(x)), 2 * dataScale), mul(x, weight)));
  return {
    async solve(v, near) {
      const asTensor = (x: Float64Array) => tensor(x.slice(), { shape: [v.shape[0], ...input], dtype: "float64" });
      const { x } = await conjugateGradients(
        (p, out) => out.set(normal(asTensor(p)).data()),
        Float64Array.from(add(fixed, mul(v, weight)).data()),
        { initial: Float64Array.from(near.data()), tolerance: 1e-5, maxIterations: 30 },
      );
      return asTensor(x).cast(v.dtype);
    },
    release: () => normal.release(),
  };
}
