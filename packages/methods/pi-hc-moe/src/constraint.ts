import type { Tensor } from "@offprint/tensor-core";

/** Fields by name, such as `u`, `ut`, `ux`: a solution and its derivatives. */
export type Fields = Readonly<Record<string, Tensor>>;

/** Linear conditions on the weights: matrix times weights should be the target. */
export interface Rows {
  /** `[batch, rows, N]`. */
  readonly matrix: Tensor;
  /** `[batch, rows]`. */
  readonly target: Tensor;
}

/**
 * A family of differential equations, in operations of tensors. Derivatives are linear, so that they are taken of the basis
 * functions, once and on the whole grid; the equation itself may be nonlinear. `P` is a batch of problems: a tree of tensors
 * `[batch, ...]`, such as initial conditions.
 */
export interface PdeConstraint<P> {
  /** Points of the grid, time first. */
  readonly grid: readonly number[];
  /** What the network is given: `[batch, channels, ...grid]`. */
  input(problem: P): Tensor;
  /** What is done to the network's basis `[batch, ...grid, N]` first, such as making it vanish at the start; linear. */
  shape?(basis: Tensor, problem: P): Tensor;
  /** What is done to the part that experts made together `[batch, ...grid, 1]`, such as taking its mean away; linear. */
  finish?(part: Tensor): Tensor;
  /** Linear terms of functions `[batch, ...grid, N]`, `u` (themselves) among them: each of the same shape. */
  terms(basis: Tensor, problem: P): Fields;
  /** What is added to the terms, such as those of the initial condition, and given fields: each `[batch, ...grid]`. */
  offset?(problem: P): Fields;
  /** The equation's residual at points, from fields `[..., points]`. */
  residual(fields: Fields): Tensor;
  /** Initial and boundary conditions of the basis functions, which every expert is given whole. */
  rows?(basis: Tensor, problem: P): Rows;
  /** Default 0 for each weight. */
  readonly initialWeight?: number;
  /** What training lowers, of fields of the assembled solution `[batch, ...grid]`. Default the mean norm of the residual. */
  loss?(fields: Fields, problem: P): Tensor;
}
