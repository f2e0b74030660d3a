import type { Layer } from "@offprint/nn";
import { div, linalg, mean, ShapeError, sub, type Tensor } from "@offprint/tensor-core";
import type { Fields, PdeConstraint } from "./constraint.js";
import type { ConstraintOptions } from "./constraint-options.js";
import { fieldsOf } from "./expert-problems.js";
import { hardConstraint } from "./hard-constraint.js";

/** How a network's output becomes a solution. */
export type Solving =
  /** Its N functions are combined by experts (PI-HC-MoE; one expert: PI-HC). */
  | ConstraintOptions
  /** It is the solution itself, of one function (PI-SC). */
  | "soft";

/** @internal The solution that a network with these parameters gives, and its fields. */
export function learnedSolution<P, M>(
  network: Layer<M>,
  params: M,
  pde: PdeConstraint<P>,
  problem: P,
  solving: Solving,
): { readonly u: Tensor; readonly fields: Fields } {
  const basis = network.apply(params, pde.input(problem));
  if (solving !== "soft") return hardConstraint(basis, pde, problem, solving);
  const functions = basis.shape[basis.rank - 1];
  if (functions !== 1) {
    throw new ShapeError(`PI-SC: the network gives ${functions} functions; solving "soft" takes one`);
  }
  return fieldsOf(pde, problem, pde.shape?.(basis, problem) ?? basis);
}

/** @internal Euclidean norms of the residual on the whole grid, `[batch]`. */
export function residualNorms<P>(pde: PdeConstraint<P>, fields: Fields): Tensor {
  const residual = pde.residual(fields);
  return lengths(residual.reshape([residual.shape[0], -1]));
}

/** @internal What training lowers. */
export function lossOf<P>(pde: PdeConstraint<P>, fields: Fields, problem: P): Tensor {
  return pde.loss?.(fields, problem) ?? mean(residualNorms(pde, fields));
}

/** @internal `|u - reference| / |reference|`, `[batch]`. */
export function relativeErrors(u: Tensor, reference: Tensor): Tensor {
  const flat = (x: Tensor) => x.reshape([x.shape[0], -1]);
  return div(lengths(flat(sub(u, reference))), lengths(flat(reference)));
}

/** @internal Euclidean lengths of rows, `[rows, n]` to `[rows]`, in any units; a row of zeros has the gradient 0. */
export function lengths(rows: Tensor): Tensor {
  return linalg.norm(rows, { axis: 1 });
}
