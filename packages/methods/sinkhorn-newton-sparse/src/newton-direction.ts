import {
  checkOptions,
  hostTensor,
  requireNonNegative,
  requirePositive,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type LinearSolver, NewtonSystem, project } from "./newton-system.js";
import { keepAll, keepLargest, readPlan } from "./sparsify.js";
import { readMasses } from "./transport-problem.js";

/** Options of `newtonDirection`. */
export interface NewtonDirectionOptions {
  /** How many entries of the plan are kept, an integer >= 0. Default all. */
  readonly keep?: number;
  /** How the system is solved. Default `"auto"`. */
  readonly solver?: LinearSolver;
  /** Relative residual of conjugate gradients. Default 1e-10. */
  readonly tolerance?: number;
  /** Levenberg shift: the diagonal is multiplied by 1 + shift. Default 0. */
  readonly shift?: number;
}

/** A Newton direction of the dual potentials. */
export interface NewtonDirection {
  /** `[n]` change of x, in units of cost. */
  readonly dx: Tensor;
  /** `[m]` change of y. */
  readonly dy: Tensor;
  /** Conjugate-gradient steps. */
  readonly cgSteps: number;
  /** Whether the system was solved to the residual asked for; `breakdown`: it is singular. */
  readonly status: "converged" | "limit" | "breakdown";
}

/**
 * One Newton direction, for loops of one's own: solves M (dx; dy) = (r - P 1; c - P^T 1), with M the negative Hessian of f
 * whose plan is thresholded, and takes out the free constant (sum dx = sum dy). Moving along it raises f.
 *
 * @param plan `[n, m]` P at the present potentials, >= 0, without empty rows and columns
 * @param masses `r` `[n]` and `c` `[m]`, uniform where left out
 * @param eta inverse regularisation, > 0
 * @throws ShapeError, DTypeError, ValueError for what is wrong with an argument
 */
export function newtonDirection(
  plan: TensorLike,
  masses: { readonly r?: TensorLike; readonly c?: TensorLike },
  eta: number,
  options: NewtonDirectionOptions = {},
): NewtonDirection {
  const owner = "newtonDirection";
  checkOptions(`${owner}: masses`, masses, ["r", "c"]);
  requirePositive(owner, "eta", eta);
  checkOptions(owner, options, ["keep", "solver", "tolerance", "shift"]);
  const { keep, solver = "auto", tolerance = 1e-10, shift = 0 } = options;
  requireNonNegative(owner, "tolerance", tolerance);
  requireNonNegative(owner, "shift", shift);
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep >= 0)) {
    throw new ValueError(`${owner}: keep is ${keep}; it must be an integer >= 0`);
  }
  const P = readPlan(owner, plan);
  const { n, m, data } = P;
  const rows = new Float64Array(n);
  const columns = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      rows[i] += data[i * m + j];
      columns[j] += data[i * m + j];
    }
  }
  if (!(rows.every((sum) => sum > 0) && columns.every((sum) => sum > 0))) {
    throw new ValueError(`${owner}: plan has a row or a column without mass; leave it out of the problem`);
  }
  const r = readMasses(owner, "r", masses.r, n, false);
  const c = readMasses(owner, "c", masses.c, m, false);
  const g = new Float64Array(n + m);
  for (let i = 0; i < n; i++) g[i] = r[i] - rows[i];
  for (let j = 0; j < m; j++) g[n + j] = c[j] - columns[j];
  const kept = keep === undefined ? keepAll(P) : keepLargest(P, keep);
  const system = new NewtonSystem(kept, rows, columns, shift);
  const { step, cgSteps, status } = system.solve(g, { solver, rtol: tolerance, maxSteps: 10 * (n + m) });
  project(step, n);
  const scaled = step.map((value) => value / eta);
  return {
    dx: hostTensor(scaled.slice(0, n), [n], "float64"),
    dy: hostTensor(scaled.slice(n), [m], "float64"),
    cgSteps,
    status,
  };
}
