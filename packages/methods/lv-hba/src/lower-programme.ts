import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { solveConic } from "@offprint/conic";
import {
  ConvergenceError,
  checkOptions,
  grad,
  hessian,
  jacobian,
  jitSync,
  requirePositive,
  type Tensor,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { ConstrainedProblem } from "./constrained-problem.js";

/** Options of {@link solveLowerProgramme}. */
export interface LowerProgrammeOptions {
  /** Of the residuals, in (0, 1). Default 1e-9. */
  readonly tolerance?: number;
  /** Ends the search with an error. */
  readonly signal?: AbortSignal;
}

/** A solution of the lower problem. */
export interface LowerProgrammeSolution<Y> {
  /** The lower variables. */
  readonly y: Y;
  /** The multipliers of the constraints, `[l]`. */
  readonly multipliers: Tensor;
}

/**
 * Solves the lower problem of one x as a quadratic programme: the lower function must be quadratic and convex in y, the
 * constraints affine. For exact answers, for the end of a run, and for what compares itself with LV-HBA.
 * @throws ConvergenceError where there is no solution, or none is found.
 */
export async function solveLowerProgramme<X, Y, U = null, L = U>(
  problem: ConstrainedBilevelProblem<X, Y, U, L>,
  x: X,
  options: LowerProgrammeOptions = {},
): Promise<LowerProgrammeSolution<Y>> {
  checkOptions("solveLowerProgramme", options, ["tolerance", "signal"]);
  const { tolerance = 1e-9 } = options;
  requirePositive("solveLowerProgramme", "tolerance", tolerance);
  const read = new ConstrainedProblem("solveLowerProgramme", problem);
  const { y, multipliers } = await lowerProgramme(read, { ...options, tolerance })(read.vectors.x.ravel(x));
  return { y: read.vectors.y.unravel(y), multipliers };
}

/** The lower problem's solution as a function of x, on vectors. */
export function lowerProgramme<X, Y, U, L>(
  read: ConstrainedProblem<X, Y, U, L>,
  options: LowerProgrammeOptions & { readonly tolerance: number },
) {
  const { vectors, count } = read;
  const origin = zeros([vectors.y.size], "float64");
  const numbers = jitSync((x: Tensor, batch: L) => {
    const lower = (y: Tensor) => vectors.lower(x, y, batch);
    return {
      curvature: hessian(lower)(origin),
      slope: grad(lower)(origin),
      rows: jacobian((y: Tensor) => read.rawConstraints(x, y))(origin),
      offset: read.rawConstraints(x, origin),
    };
  });
  const flags = read.equations.data();
  // The cone wants equations first.
  const order = [...flags.keys()].sort((i, j) => flags[j] - flags[i] || i - j);
  const equations = order.filter((i) => flags[i] > 0).length;
  return async (x: Tensor): Promise<{ readonly y: Tensor; readonly multipliers: Tensor }> => {
    const { curvature, slope, rows, offset } = numbers(x, vectors.full.lower);
    const [a, b] = [rows.data(), offset.data()];
    const width = vectors.y.size;
    const {
      status,
      x: y,
      y: dual,
    } = await solveConic(
      {
        P: toRows(curvature),
        A: order.map((i) => Array.from(a.subarray(i * width, (i + 1) * width))),
        b: order.map((i) => -b[i]),
        c: Array.from(slope.data()),
        cones: { z: equations, l: count - equations },
      },
      { tolerance: options.tolerance, ...(options.signal && { signal: options.signal }) },
    );
    if (status !== "converged" && status !== "inaccurate") {
      throw new ConvergenceError(
        `${read.owner}: the lower problem's quadratic programme ended as ${status}; is it feasible and convex?`,
      );
    }
    const multipliers = new Float64Array(count);
    order.forEach((i, k) => {
      multipliers[i] = dual[k];
    });
    return { y: tensor(y, { dtype: "float64" }), multipliers: tensor(multipliers, { dtype: "float64" }) };
  };
}

function toRows(matrix: Tensor): number[][] {
  const [n, m] = matrix.shape;
  const values = matrix.data();
  return Array.from({ length: n }, (_, i) => Array.from(values.subarray(i * m, (i + 1) * m)));
}
