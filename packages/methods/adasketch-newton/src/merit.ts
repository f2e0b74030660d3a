import {
  add,
  checkOptions,
  dot,
  grad,
  hvp,
  jvp,
  mul,
  requirePositive,
  reshape,
  type Tensor,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { checkedProblem, type LagrangianPoint, type Products } from "./oracle.js";
import type { EqualityProblem } from "./problem.js";

/** Weights of the exact augmented Lagrangian. */
export interface MeritPenalties {
  /** Of the constraints, > 0: large enough. */
  readonly eta1: number;
  /** Of the gradient of the Lagrangian, > 0: small enough. */
  readonly eta2: number;
}

/** M = f + l . c + eta1/2 ||c||^2 + eta2/2 ||g_L||^2, a scalar. */
export function meritValue(
  { objective, constraints, gradient }: LagrangianPoint,
  multipliers: Tensor,
  { eta1, eta2 }: MeritPenalties,
): Tensor {
  const stationarity = add(objective, mul(eta2 / 2, dot(gradient, gradient)));
  if (constraints.size === 0) return stationarity;
  const feasibility = add(dot(multipliers, constraints), mul(eta1 / 2, dot(constraints, constraints)));
  return add(stationarity, feasibility);
}

/**
 * The gradient of M: in x it is g_L + eta1 G^T c + eta2 H g_L with the Hessian H of the Lagrangian, in the multipliers
 * c + eta2 G g_L.
 */
export function meritGradient(
  { constraints, gradient }: LagrangianPoint,
  { eta1, eta2 }: MeritPenalties,
  { hessian, jacobian, jacobianTransposed }: Products,
): { x: Tensor; multipliers: Tensor } {
  const curved = add(gradient, mul(eta2, hessian(gradient)));
  if (constraints.size === 0) return { x: curved, multipliers: constraints };
  return {
    x: add(curved, mul(eta1, jacobianTransposed(constraints))),
    multipliers: add(constraints, mul(eta2, jacobian(gradient))),
  };
}

/** The exact augmented Lagrangian of a problem as functions of `(x, multipliers)`, which can be traced. */
export interface ExactAugmentedLagrangian {
  /** M, a scalar. */
  readonly value: (x: Tensor, multipliers: Tensor) => Tensor;
  /** Its gradient in both, by the formula of the paper: second derivatives of f and c, no third ones. */
  readonly gradient: (x: Tensor, multipliers: Tensor) => { x: Tensor; multipliers: Tensor };
}

/**
 * The differentiable exact penalty (primal-dual augmented Lagrangian) that the line search of `adaSketchNewton`
 * lowers. For eta1 large and eta2 small enough its stationary points are the KKT points of the problem.
 * @throws ValueError for a problem without functions, or penalties that are not > 0.
 * @example
 * const problem = { objective: (x) => sum(square(x)), constraints: (x) => sub(sum(x), 1) };
 * const { value } = exactAugmentedLagrangian(problem, { eta1: 1, eta2: 0.1 });
 */
export function exactAugmentedLagrangian(
  problem: EqualityProblem,
  penalties: MeritPenalties,
): ExactAugmentedLagrangian {
  const owner = "exactAugmentedLagrangian";
  const { objective, constraints } = checkedProblem(owner, problem);
  checkOptions(owner, penalties, ["eta1", "eta2"], ["eta1", "eta2"]);
  for (const [name, value] of Object.entries(penalties)) requirePositive(owner, name, value);
  const c = (x: Tensor) => (constraints === undefined ? zeros([0], "float64") : reshape(constraints(x), [-1]));
  const lagrangian = (x: Tensor, multipliers: Tensor) =>
    constraints === undefined ? objective(x) : add(objective(x), dot(multipliers, c(x)));
  const at = (x: Tensor, multipliers: Tensor): LagrangianPoint => ({
    objective: objective(x),
    constraints: c(x),
    gradient: grad(lagrangian)(x, multipliers),
  });
  return {
    value: (x, multipliers) => meritValue(at(x, multipliers), multipliers, penalties),
    gradient: (x, multipliers) =>
      meritGradient(at(x, multipliers), penalties, {
        hessian: (v) => hvp(lagrangian)(x, v, multipliers),
        jacobian: (v) => jvp(c, [x], [v])[1],
        jacobianTransposed: (y) => vjp(c, x)[1](y)[0],
      }),
  };
}
