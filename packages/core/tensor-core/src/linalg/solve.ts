import { checkOptions } from "../check-options.js";
import { eye } from "../construct.js";
import { broadcastTo } from "../ops/movement.js";
import { bind, bindOne } from "../primitive.js";
import { requireSquare, triangularSolveP } from "../primitives/linear-algebra.js";
import { luP, solveP } from "../primitives/lu.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { alignSystem, asMatrices } from "./operands.js";

/** How `triangularSolve` reads its matrix. */
export interface TriangularOptions {
  /** Read the lower triangle, else the upper one. Default true. */
  lower?: boolean;
  /** Solve with the transpose of the triangular matrix. Default false. */
  transposeA?: boolean;
  /** Take the diagonal as ones, whatever it holds. Default false. */
  unitDiagonal?: boolean;
}

/**
 * The solution of `a x = b` for triangular `a` `[..., n, n]`, whose other triangle is not read; b is `[n]` or
 * `[..., n, k]`, and leading axes broadcast.
 * @throws ValueError where the diagonal holds a zero, naming its place, or a value is not finite.
 */
export function triangularSolve(a: TensorLike, b: TensorLike, options: TriangularOptions = {}): Tensor {
  checkOptions("linalg.triangularSolve", options, ["lower", "transposeA", "unitDiagonal"]);
  const { lower = true, transposeA = false, unitDiagonal = false } = options;
  const system = alignSystem("triangularSolve", a, b);
  return system.restore(bindOne(triangularSolveP, [system.a, system.b], { lower, transposeA, unitDiagonal }));
}

/**
 * The solution of `a x = b` for square `a` `[..., n, n]`; b is `[n]` or `[..., n, k]`, and leading axes broadcast.
 * @throws ValueError where a matrix is singular, naming the pivot, or a value is not finite; ShapeError where shapes
 * do not fit.
 * @example linalg.solve([[2, 0], [0, 4]], [2, 2]) // [1, 0.5]
 */
export function solve(a: TensorLike, b: TensorLike): Tensor {
  const system = alignSystem("solve", a, b);
  return system.restore(bindOne(solveP, [system.a, system.b], { transposeA: false }));
}

/**
 * The inverse of square matrices `[..., n, n]`. To solve a system, `solve` is faster and more accurate.
 * @throws ValueError where a matrix is singular or not finite.
 */
export function inverse(a: TensorLike): Tensor {
  const t = asMatrices("inverse", "a", a);
  const n = requireSquare("linalg.inverse", "a", t);
  return bindOne(solveP, [t, broadcastTo(eye(n, n, t.dtype), t.shape)], { transposeA: false });
}

/**
 * LU factors with row exchanges of `[..., n, n]`: `a[order] = l u`, where `lu` holds l below the diagonal (its own
 * diagonal is ones) and u on and above it, and `order` `[..., n]` is int32.
 */
export function luFactor(a: TensorLike): { lu: Tensor; order: Tensor } {
  const [lu, order] = bind(luP, [asMatrices("luFactor", "a", a)], null);
  return { lu, order };
}
