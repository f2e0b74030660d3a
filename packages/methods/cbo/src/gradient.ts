import {
  checkOptions,
  grad,
  hostTensor,
  jitSync,
  requirePositive,
  ShapeError,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { Evaluator } from "./objective.js";
import { vectorOf } from "./problem.js";

/**
 * Where gradients come from, for what compares with them: differentiation of an objective in operations of tensors,
 * central differences of values (2 d evaluations a point), or your own function `[n, d]` to `[n, d]`.
 */
export type GradientSource =
  | "autodiff"
  | "finite-difference"
  | {
      /** Central differences with this distance to either side, > 0; that of "finite-difference" is 1e-5 of a coordinate, at least 1e-5. */
      readonly spacing: number;
    }
  | ((points: Tensor) => TensorLike);

/** @internal Gradients at points `[n, d]`, row-major. */
export interface GradientEvaluator {
  at(points: Tensor): ArrayLike<number> | Promise<ArrayLike<number>>;
  /** Evaluations of the objective for the gradient at one point. */
  readonly evaluations: number;
}

/** @internal @param source default "autodiff" where the objective can be differentiated, else "finite-difference" */
export function gradientOf(
  owner: string,
  evaluator: Evaluator,
  d: number,
  source: GradientSource = evaluator.traceable ? "autodiff" : "finite-difference",
): GradientEvaluator {
  if (typeof source === "function") {
    return { at: (points) => checked(owner, source(points), points), evaluations: 0 };
  }
  const differences = (spacingAt: (value: number) => number): GradientEvaluator => ({
    at: (points) => centralDifferences(owner, evaluator, points, spacingAt),
    evaluations: 2 * d,
  });
  // Beside large coordinates a fixed distance would be lost in rounding.
  if (source === "finite-difference") return differences((value) => 1e-5 * Math.max(1, Math.abs(value)));
  if (typeof source === "object" && source !== null) {
    checkOptions(`${owner}: gradient`, source, ["spacing"]);
    const { spacing } = source;
    requirePositive(owner, "gradient.spacing", spacing);
    return differences(() => spacing);
  }
  if (source !== "autodiff") {
    throw new ValueError(
      `${owner}: gradient is ${String(source)}; give "autodiff", "finite-difference" or a function [n, d] to [n, d]`,
    );
  }
  const { traceable: f } = evaluator;
  if (f === undefined) {
    throw new ValueError(
      `${owner}: the objective is not written in operations of tensors, so it cannot be differentiated; take ` +
        'gradient: "finite-difference", or give a function',
    );
  }
  const derivative = jitSync(grad((points: Tensor) => sum(f(points))) as (points: Tensor) => Tensor);
  return { at: (points) => derivative(points).data(), evaluations: 1 };
}

function checked(owner: string, gradient: TensorLike, points: Tensor): ArrayLike<number> {
  const g = vectorOf(owner, "what gradient returned", gradient);
  if (g.size !== points.size) {
    throw new ShapeError(`${owner}: the gradient has shape [${g.shape}] at points of shape [${points.shape}]; keep it`);
  }
  return g.data();
}

/** `(E(v + h e_j) - E(v - h e_j)) / 2h` for every coordinate, one batch each, with a distance h that may depend on it. */
async function centralDifferences(
  owner: string,
  { evaluate }: Evaluator,
  points: Tensor,
  spacingAt: (value: number) => number,
): Promise<Float64Array> {
  const [n, d] = points.shape;
  const values = Float64Array.from(points.data());
  const spacing = values.map(spacingAt);
  const still = values.find((value, i) => value + spacing[i] === value);
  if (still !== undefined) {
    throw new ValueError(
      `${owner}: gradient.spacing is ${spacing[0]}, which changes nothing beside a coordinate of ${still}; give a larger one`,
    );
  }
  const gradient = new Float64Array(n * d);
  const moved = async (j: number, sign: number): Promise<ArrayLike<number>> => {
    const out = values.slice();
    for (let i = j; i < out.length; i += d) out[i] += sign * spacing[i];
    return evaluate(hostTensor(out, [n, d], "float64"));
  };
  for (let j = 0; j < d; j++) {
    const [ahead, behind] = [await moved(j, 1), await moved(j, -1)];
    for (let i = 0; i < n; i++) gradient[i * d + j] = (ahead[i] - behind[i]) / (2 * spacing[i * d + j]);
  }
  return gradient;
}
