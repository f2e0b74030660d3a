import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { runLoop } from "@offprint/solvers";
import {
  add,
  checkOptions,
  clip,
  div,
  grad,
  hessian,
  isTensor,
  jacobian,
  jitSync,
  mul,
  NonFiniteError,
  requireChoice,
  requireInteger,
  requirePositive,
  ShapeError,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { boxedQuadratic } from "./boxed-quadratic.js";
import { ConstrainedProblem } from "./constrained-problem.js";

/** Weights and bounds of the proximal Lagrangian. */
export interface LagrangianNumbers {
  readonly gamma1: number;
  readonly gamma2: number;
  readonly r: number;
}

/** A point of the saddle. */
export interface SaddlePoint {
  /** The lower variables, `[dy]`. */
  readonly theta: Tensor;
  /** The multipliers of the scaled constraints, `[l]`. */
  readonly lambda: Tensor;
}

/** Bounds of the multipliers `[l]`: `[-r, r]` for equations, `[0, r]` for inequalities. */
export function multiplierBounds(equations: Tensor, r: number): { readonly lower: Tensor; readonly upper: Tensor } {
  return { lower: mul(equations, -r), upper: add(mul(equations, 0), r) };
}

/**
 * The proximal Lagrangian at one x, y, z:
 * `f(x, theta) + lambda' g(x, theta) + |theta - y|^2 / (2 gamma1) - |lambda - z|^2 / (2 gamma2)`.
 */
export function lagrangian<X, Y, U, L>(
  problem: ConstrainedProblem<X, Y, U, L>,
  scale: Tensor,
  { gamma1, gamma2 }: LagrangianNumbers,
) {
  const constraints = (x: Tensor, y: Tensor) => div(problem.rawConstraints(x, y), scale);
  const withMultipliers = (x: Tensor, y: Tensor, lambda: Tensor, batch: L) =>
    add(problem.vectors.lower(x, y, batch), sum(mul(lambda, constraints(x, y))));
  return {
    constraints,
    /** f + lambda' g. */
    withMultipliers,
    /** The slopes of the saddle: down in theta, up in lambda. */
    slopes(x: Tensor, y: Tensor, z: Tensor, { theta, lambda }: SaddlePoint, batch: L): SaddlePoint {
      const inTheta = grad((t: Tensor) => withMultipliers(x, t, lambda, batch))(theta);
      return {
        theta: add(inTheta, div(sub(theta, y), gamma1)),
        lambda: sub(div(sub(lambda, z), gamma2), constraints(x, theta)),
      };
    },
    /** The value at a point. */
    value(x: Tensor, y: Tensor, z: Tensor, { theta, lambda }: SaddlePoint, batch: L): Tensor {
      const near = div(sum(square(sub(theta, y))), 2 * gamma1);
      return sub(add(withMultipliers(x, theta, lambda, batch), near), div(sum(square(sub(lambda, z))), 2 * gamma2));
    },
  };
}

/** Options of {@link proxLagrangianValue}. */
export interface ProxLagrangianOptions {
  /** Proximal weight of y, > 0. Default 10. */
  readonly gamma1?: number;
  /** Proximal weight of the multipliers, > 0. Default 10. */
  readonly gamma2?: number;
  /** Bound of the multipliers, > 0. Default 1e4. */
  readonly r?: number;
  /** Descent and ascent, or, for a quadratic lower function with affine constraints and no set of y, the dual exactly. Default `descentAscent`. */
  readonly method?: "descentAscent" | "quadratic";
  /** Step of descent and ascent, > 0. Default 0.1. */
  readonly eta?: number;
  /** Ends when the slopes' norm (with steps cut by the sets) is at most this. Default 1e-10. */
  readonly tolerance?: number;
  /** Steps at most. Default 100000. */
  readonly maxIterations?: number;
  /** What constraints are divided by, `[l]`. Default 1. */
  readonly scale?: TensorLike;
  /** Where theta and lambda begin. Default y and z. */
  readonly initial?: SaddlePoint;
  /** Ends the descent with what was reached. */
  readonly signal?: AbortSignal;
}

/** The value function with its saddle point and gradients. */
export interface ProxLagrangianValue<X, Y> {
  /** v(x, y, z). */
  readonly value: number;
  /** The lower variables of the saddle. */
  readonly theta: Y;
  /** Its multipliers, of the scaled constraints. */
  readonly lambda: Tensor;
  /** `grad_x f(x, theta) + lambda' grad_x g(x, theta)`. */
  readonly gradX: X;
  /** `(y - theta) / gamma1`. */
  readonly gradY: Y;
  /** `(lambda - z) / gamma2`. */
  readonly gradZ: Tensor;
  /** Norm of the slopes at the end. */
  readonly residualNorm: number;
}

const names = ["gamma1", "gamma2", "r", "method", "eta", "tolerance", "maxIterations", "scale", "initial", "signal"];

/**
 * The proximal Lagrangian value function
 * `v(x, y, z) = min_theta max_lambda f(x, theta) + lambda' g(x, theta) + |theta - y|^2 / (2 gamma1) - |lambda - z|^2 / (2 gamma2)`
 * with its gradients. `f(x, y) - v(x, y, z)` is at least 0 where (x, y) is feasible, and 0 just where y solves the lower
 * problem with z as its multipliers.
 * @throws ValueError, ShapeError for problems and options that are none; NonFiniteError where the iteration diverges.
 */
export async function proxLagrangianValue<X, Y, U = null, L = U>(
  problem: ConstrainedBilevelProblem<X, Y, U, L>,
  x: X,
  y: Y,
  z: TensorLike,
  options: ProxLagrangianOptions = {},
): Promise<ProxLagrangianValue<X, Y>> {
  const owner = "proxLagrangianValue";
  checkOptions(owner, options, names);
  const { gamma1 = 10, gamma2 = 10, r = 1e4, method = "descentAscent", eta = 0.1 } = options;
  const { tolerance = 1e-10, maxIterations = 100_000 } = options;
  for (const [name, value] of Object.entries({ gamma1, gamma2, r, eta, tolerance }))
    requirePositive(owner, name, value);
  requireChoice(owner, "method", method, ["descentAscent", "quadratic"]);
  requireInteger(owner, "maxIterations", maxIterations, 1);
  const read = new ConstrainedProblem(owner, problem);
  const { vectors } = read;
  const centre = isTensor(z) ? z : tensor(z, { dtype: "float64" });
  if (centre.size !== read.count)
    throw new ShapeError(`${owner}: z has ${centre.size} entries for ${read.count} constraints`);
  const given = options.scale ?? tensor(new Float64Array(read.count).fill(1), { dtype: "float64" });
  const scale = isTensor(given) ? given : tensor(given, { dtype: "float64" });
  const at = { x: vectors.x.ravel(x), y: vectors.y.ravel(y), z: centre };
  const evaluation = saddleEvaluation(read, scale, { gamma1, gamma2, r });
  const start = options.initial ?? { theta: at.y, lambda: centre };
  const saddle =
    method === "quadratic"
      ? evaluation.exactly(at, vectors.full.lower)
      : await evaluation.descend(at, start, vectors.full.lower, {
          eta,
          tolerance,
          maxIterations,
          ...(options.signal && { signal: options.signal }),
        });
  const { value, gradX, residual } = evaluation.measure(at, saddle, vectors.full.lower);
  return {
    value: value.item(),
    theta: vectors.y.unravel(saddle.theta),
    lambda: saddle.lambda,
    gradX: vectors.x.unravel(gradX),
    gradY: vectors.y.unravel(div(sub(at.y, saddle.theta), gamma1)),
    gradZ: div(sub(saddle.lambda, centre), gamma2),
    residualNorm: residual.item(),
  };
}

/** Where a value function is evaluated. */
export interface ValuePlace {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly z: Tensor;
}

interface DescentSettings {
  readonly eta: number;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly signal?: AbortSignal;
}

/** Solves for the saddle point, and measures there; compiled. */
export function saddleEvaluation<X, Y, U, L>(
  problem: ConstrainedProblem<X, Y, U, L>,
  scale: Tensor,
  numbers: LagrangianNumbers,
) {
  const { gamma1, gamma2, r } = numbers;
  const parts = lagrangian(problem, scale, numbers);
  const { lower, upper } = multiplierBounds(problem.equations, r);
  const stepped = (at: ValuePlace, { theta, lambda }: SaddlePoint, eta: Tensor, batch: L) => {
    const slope = parts.slopes(at.x, at.y, at.z, { theta, lambda }, batch);
    const next = {
      theta: problem.projectY(sub(theta, mul(eta, slope.theta))),
      lambda: clip(sub(lambda, mul(eta, slope.lambda)), lower, upper),
    };
    const moved = add(sum(square(sub(next.theta, theta))), sum(square(sub(next.lambda, lambda))));
    return { ...next, residual: div(sqrt(moved), eta) };
  };
  // Ten steps a call.
  const advance = jitSync((at: ValuePlace, start: SaddlePoint, eta: Tensor, batch: L) => {
    let point = stepped(at, start, eta, batch);
    for (let k = 1; k < 10; k++) point = stepped(at, point, eta, batch);
    return point;
  });
  const measure = jitSync((at: ValuePlace, saddle: SaddlePoint, batch: L) => ({
    value: parts.value(at.x, at.y, at.z, saddle, batch),
    lower: problem.vectors.lower(at.x, at.y, batch),
    gradX: grad((x: Tensor) => parts.withMultipliers(x, saddle.theta, saddle.lambda, batch))(at.x),
    residual: stepped(at, saddle, tensor(1e-3, { dtype: "float64" }), batch).residual,
  }));
  return {
    measure,
    async descend(at: ValuePlace, start: SaddlePoint, batch: L, settings: DescentSettings): Promise<SaddlePoint> {
      const eta = tensor(settings.eta, { dtype: "float64" });
      const { last } = await runLoop<SaddlePoint & { readonly residual: number }, never>(
        {
          owner: problem.owner,
          limit: Math.ceil(settings.maxIterations / 10),
          initial: () => ({ ...start, residual: Number.POSITIVE_INFINITY }),
          step(point) {
            const { theta, lambda, residual } = advance(at, { theta: point.theta, lambda: point.lambda }, eta, batch);
            const norm = residual.item();
            if (Number.isFinite(norm)) return { theta, lambda, residual: norm };
            throw new NonFiniteError(
              "the saddle point's iteration diverged; take a smaller eta, or scale the constraints",
            );
          },
          record: () => undefined,
          finished: ({ residual }) => (residual <= settings.tolerance ? "converged" : undefined),
        },
        settings.signal === undefined ? {} : { signal: settings.signal },
      );
      return { theta: last.theta, lambda: last.lambda };
    },
    /** For quadratic f and affine g: theta is a function of lambda, which maximises a concave quadratic in a box. */
    exactly(at: ValuePlace, batch: L): SaddlePoint {
      const origin = zeros([at.y.size], "float64");
      const slope = (t: Tensor) => grad((w: Tensor) => problem.vectors.lower(at.x, w, batch))(t);
      const curvature = hessian((t: Tensor) => problem.vectors.lower(at.x, t, batch))(at.y);
      const rows = jacobian((t: Tensor) => parts.constraints(at.x, t))(at.y);
      return boxedQuadratic({
        ...{ curvature, slope: slope(origin), rows, offset: parts.constraints(at.x, origin) },
        ...{ y: at.y, z: at.z, gamma1, gamma2, lower, upper },
      });
    },
  };
}
