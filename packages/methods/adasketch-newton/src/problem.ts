import type { Tensor, TensorLike } from "@offprint/tensor-core";

/**
 * `min f(x)` subject to `c(x) = 0`, in operations of tensors: every derivative is found and compiled.
 * @typeParam X - the variables: a vector `[n]`, or any tree of tensors
 */
export interface EqualityProblem<X = Tensor> {
  /** f: a scalar. Smooth; it need not be convex. */
  readonly objective: (x: X) => Tensor;
  /** c: a vector `[m]`, m <= n. Left out where there are no constraints. */
  readonly constraints?: (x: X) => Tensor;
}

/** What {@link EqualityCallbacks} know of f and c at a point. */
export interface FirstOrder {
  /** f(x). */
  readonly objective: number;
  /** `[n]` its gradient. */
  readonly gradient: TensorLike;
  /** `[m]` c(x); left out where there are no constraints. */
  readonly constraints?: TensorLike;
  /** `[m, n]` the Jacobian G of c. */
  readonly jacobian?: TensorLike;
}

/** The same problem from functions of plain numbers that bring their derivatives: a simulation, a service, a file. */
export interface EqualityCallbacks {
  /** f, c and their first derivatives at `[n]` numbers, or a promise of them. */
  readonly first: (x: Float64Array) => FirstOrder | Promise<FirstOrder>;
  /** `[n, n]` the Hessian of the Lagrangian f + multipliers . c with respect to x, or a promise of it. */
  readonly hessian?: (x: Float64Array, multipliers: Float64Array) => TensorLike | Promise<TensorLike>;
  /** `[n]` that Hessian times v: all that `derivatives: "products"` needs. */
  readonly hessianProduct?: (x: Float64Array, multipliers: Float64Array, v: Float64Array) => TensorLike;
}

/** Whether a problem is given by callbacks. */
export function isCallbacks(problem: object): problem is EqualityCallbacks {
  return typeof (problem as Partial<EqualityCallbacks>).first === "function";
}
