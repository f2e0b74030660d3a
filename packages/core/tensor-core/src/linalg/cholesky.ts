import { bindOne } from "../primitive.js";
import { choleskyInverseP, choleskyP } from "../primitives/linear-algebra.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { alignSystem, asMatrices } from "./operands.js";
import { triangularSolve } from "./solve.js";
import { symmetricPart } from "./symmetry.js";

/**
 * The lower triangular `l` with `l l^T = a` for symmetric positive definite matrices `[..., n, n]`. Only the symmetric
 * part of `a` counts.
 * @throws ValueError where a matrix is not positive definite, naming the pivot, or not finite; ShapeError where it is
 * not square.
 * @example linalg.cholesky([[4, 2], [2, 5]]) // [[2, 0], [1, 2]]
 */
export function cholesky(a: TensorLike): Tensor {
  return bindOne(choleskyP, [symmetricOperand("cholesky", a)], null);
}

/** The symmetric part of matrices; one that is not square is left for the primitive to reject. */
export function symmetricOperand(operation: string, a: TensorLike): Tensor {
  const t = asMatrices(operation, "a", a);
  const [m, n] = t.shape.slice(-2);
  return m === n ? symmetricPart(t) : t;
}

/**
 * The solution of `a x = b` from the Cholesky factor `l` of `a` `[..., n, n]`; b is `[n]` or `[..., n, k]`, and leading
 * axes broadcast.
 * @throws ValueError where the factor has a zero on its diagonal or a value is not finite.
 */
export function choleskySolve(l: TensorLike, b: TensorLike): Tensor {
  const system = alignSystem("choleskySolve", l, b, "l");
  return system.restore(triangularSolve(system.a, triangularSolve(system.a, system.b), { transposeA: true }));
}

/**
 * The inverse of `a` from its Cholesky factor `l` `[..., n, n]`, whose upper triangle is not read: exactly symmetric, for
 * a third of what solving with the identity costs.
 * @throws ValueError where the factor has a zero on its diagonal or a value is not finite; ShapeError where it is not
 * square.
 * @example linalg.choleskyInverse([[2, 0], [1, 2]]) // [[0.3125, -0.125], [-0.125, 0.25]]
 */
export function choleskyInverse(l: TensorLike): Tensor {
  return bindOne(choleskyInverseP, [asMatrices("choleskyInverse", "l", l)], null);
}
