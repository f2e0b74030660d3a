import { type ConstrainedBilevelProblem, type Rate, rateTensors } from "@offprint/bilevel";
import {
  type RunOptions,
  type RunState,
  requireStateLike,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  add,
  checkOptions,
  concatenate,
  eye,
  grad,
  hessian,
  jacobian,
  jitSync,
  linalg,
  mul,
  NonFiniteError,
  requireInteger,
  requirePositive,
  stopGradient,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { ConstrainedProblem } from "./constrained-problem.js";
import { lowerProgramme } from "./lower-programme.js";

/** What is told of an iteration of {@link kktImplicit}. */
export interface KktRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** The upper function before the step, at the lower solution. */
  readonly upper: number;
  /** Norm of the gradient. */
  readonly gradientNorm: number;
  /** Constraints with a multiplier. */
  readonly active: number;
}

/** Where {@link kktImplicit} stands. */
export interface KktPoint {
  /** `[dx]` */
  readonly x: Tensor;
  /** The lower solution at the x before, `[dy]`. */
  readonly y: Tensor;
  /** What was told; null before the first. */
  readonly told: Omit<KktRecord, "iteration"> | null;
}

/** Options of {@link kktImplicit}. */
export interface KktOptions extends RunOptions<KktRecord, RunState<KktPoint, KktRecord>> {
  /** Iterations at most. */
  readonly maxIterations: number;
  /** Step of x, > 0. */
  readonly stepSize: Rate;
  /** Constraints with a multiplier above this count as active, > 0. Default 1e-6. */
  readonly activeTolerance?: number;
  /** Of the quadratic programme, in (0, 1). Default 1e-9. */
  readonly tolerance?: number;
}

/** What {@link kktImplicit} gives. */
export interface KktResult<X, Y> {
  /** The last upper variables. */
  readonly x: X;
  /** The lower solution before the last step. */
  readonly y: Y;
  /** Iterations done. */
  readonly iterations: number;
  /** How it ended. */
  readonly status: Status;
  /** The record of every iteration. */
  readonly history: readonly KktRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<KktPoint, KktRecord>;
}

/**
 * Descent along the implicit gradient of the lower problem's optimality conditions, as in GAM (Xu and Zhu 2023): in each
 * iteration the quadratic programme is solved, and with its active constraints a, multipliers and Lagrangian La one adjoint system
 * `[[H, a_y'], [a_y, 0]] (u, v) = (grad_y F, 0)` gives `grad_x F - J_La u - a_x' v`.
 * @throws ValueError, ShapeError for problems and options that are none; ConvergenceError where the lower problem has no
 * solution.
 */
export async function kktImplicit<X, Y, U = null, L = U>(
  problem: ConstrainedBilevelProblem<X, Y, U, L>,
  options: KktOptions,
): Promise<KktResult<X, Y>> {
  const owner = "kktImplicit";
  if (options === undefined) throw new ValueError(`${owner}: options are missing; give { maxIterations, stepSize }`);
  checkOptions(owner, options, ["maxIterations", "stepSize", "activeTolerance", "tolerance", ...runOptionNames]);
  const { maxIterations, activeTolerance = 1e-6, tolerance = 1e-9 } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requirePositive(owner, "activeTolerance", activeTolerance);
  requirePositive(owner, "tolerance", tolerance);
  const stepSize = rateTensors(owner, "stepSize", options.stepSize);
  const read = new ConstrainedProblem(owner, problem);
  const { vectors } = read;
  const solve = lowerProgramme(read, { tolerance });
  const gradientAt = implicitGradient(read, activeTolerance);
  const run = await runLoop<KktPoint, KktRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => ({ x: read.initial.x, y: read.initial.y, told: null }),
      async step({ x }, iteration) {
        const { y, multipliers } = await solve(x);
        const { gradient, active } = gradientAt(x, y, multipliers);
        const gradientNorm = linalg.norm(gradient).item();
        const upper = vectors.upper(x, y, vectors.full.upper).item();
        if (!Number.isFinite(gradientNorm) || !Number.isFinite(upper)) {
          throw new NonFiniteError(
            `the upper function is ${upper}, the gradient's norm ${gradientNorm}; take a smaller stepSize`,
          );
        }
        return {
          x: vectors.projectX(sub(x, mul(gradient, stepSize(iteration)))),
          y,
          told: { upper, gradientNorm, active },
        };
      },
      record: ({ told }, iteration) => (told === null ? undefined : { iteration, ...told }),
      check: (point) => requireStateLike(owner, point, read.initial),
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  return { x: vectors.x.unravel(last.x), y: vectors.y.unravel(last.y), iterations, status, history, state };
}

/** The gradient of the outer function at a solved lower level, and the number of active constraints. */
export function implicitGradient<X, Y, U, L>(read: ConstrainedProblem<X, Y, U, L>, activeTolerance: number) {
  const { vectors } = read;
  const lagrangian = (x: Tensor, y: Tensor, multipliers: Tensor, batch: L) =>
    add(vectors.lower(x, y, batch), sum(mul(multipliers, read.rawConstraints(x, y))));
  const matrices = jitSync((x: Tensor, y: Tensor, multipliers: Tensor, upper: U, lower: L) => ({
    curvature: hessian((at: Tensor) => lagrangian(x, at, multipliers, lower))(y),
    rows: jacobian((at: Tensor) => read.rawConstraints(x, at))(y),
    gradients: grad((at: { x: Tensor; y: Tensor }) => vectors.upper(at.x, at.y, upper))({ x, y }),
  }));
  const through = jitSync((x: Tensor, y: Tensor, multipliers: Tensor, u: Tensor, v: Tensor, batch: L) =>
    grad((at: Tensor) => {
      const slope = grad((w: Tensor) => lagrangian(at, w, multipliers, batch))(y);
      return add(sum(mul(slope, stopGradient(u))), sum(mul(read.rawConstraints(at, y), stopGradient(v))));
    })(x),
  );
  const flags = read.equations.data();
  return (x: Tensor, y: Tensor, multipliers: Tensor): { readonly gradient: Tensor; readonly active: number } => {
    const { full } = vectors;
    const { curvature, rows, gradients } = matrices(x, y, multipliers, full.upper, full.lower);
    const values = multipliers.data();
    const chosen = Int32Array.from([...values.keys()].filter((i) => flags[i] > 0 || values[i] > activeTolerance));
    const active = take(rows, tensor(chosen));
    const top = concatenate([curvature, transpose(active)], 1);
    // Dependent constraints and flat directions leave the system singular: as small a number keeps it solvable.
    const corner = mul(eye(chosen.length, chosen.length, "float64"), -1e-12);
    const system = concatenate([top, concatenate([active, corner], 1)], 0);
    const solution = linalg.solve(system, concatenate([gradients.y, zeros([chosen.length], "float64")], 0));
    const u = solution.slice([{ stop: vectors.y.size }]);
    const spread = new Float64Array(values.length);
    const v = solution.data().subarray(vectors.y.size);
    chosen.forEach((i, k) => {
      spread[i] = v[k];
    });
    const part = through(x, y, multipliers, u, tensor(spread, { dtype: "float64" }), full.lower);
    return { gradient: sub(gradients.x, part), active: chosen.length };
  };
}
