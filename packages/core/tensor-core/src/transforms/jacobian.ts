import { requireFunction } from "../arguments.js";
import { asTensor, eye } from "../construct.js";
import { applied, type TensorFunction } from "../function-types.js";
import { reshape } from "../ops/movement.js";
import type { Tensor, TensorLike } from "../tensor.js";
import * as tree from "../tree.js";
import { grad } from "./grad.js";
import { vjp } from "./vjp.js";
import { vmap } from "./vmap.js";

/**
 * A function that gives the Jacobian of `f` (one tensor out) with respect to its first argument: for each leaf of
 * the argument a tensor of shape `[...result, ...leaf]`. One batched reverse pass over all results.
 */
export function jacobian<F extends (...args: never[]) => Tensor = TensorFunction>(
  f: F,
): (...args: Parameters<F>) => Parameters<F>[0] {
  requireFunction("jacobian", "the first argument", f);
  return (...args) => {
    const [x, ...rest] = args;
    const [y, pullback] = vjp((v: unknown) => asTensor(applied(f, [v, ...rest]) as Tensor), x);
    const basis = reshape(eye(y.size, y.size, y.dtype), [y.size, ...y.shape]);
    const rows = vmap((g: Tensor) => pullback(g)[0])(basis);
    return tree.map(
      (leaf: Tensor, original: TensorLike) => reshape(leaf, [...y.shape, ...asTensor(original).shape]),
      rows,
      tree.map((leaf: TensorLike) => asTensor(leaf), x),
    );
  };
}

/**
 * A function that gives the Hessian of the scalar function `f` with respect to its first argument, a tensor:
 * shape `[...x, ...x]`.
 */
export function hessian<F extends (...args: never[]) => Tensor = TensorFunction>(
  f: F,
): (...args: Parameters<F>) => Tensor {
  return jacobian(grad(f) as unknown as F) as (...args: Parameters<F>) => Tensor;
}
