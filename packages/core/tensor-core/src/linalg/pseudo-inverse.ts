import { checkOptions } from "../check-options.js";
import { eye } from "../construct.js";
import { matmul } from "../ops/contraction.js";
import { add, div, lessEqual, mul, sub, where } from "../ops/elementwise.js";
import { expandDims } from "../ops/movement.js";
import { max } from "../ops/reduction.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { customVjp } from "../transforms/custom-vjp.js";
import { svd } from "./factorise.js";
import { alignSystem, asMatrices } from "./operands.js";
import { matrixTranspose } from "./symmetry.js";

/** Options of `pinv` and `lstsq`. */
export interface PseudoInverseOptions {
  /** Singular values up to this part of the largest count as 0. Default max(m, n) times the machine epsilon. */
  rcond?: number;
}

/** Distance from 1 to the next number of a float type. */
export function machineEpsilon(x: Tensor): number {
  return x.dtype === "float32" ? 2 ** -23 : 2 ** -52;
}

/**
 * The Moore-Penrose inverse `[..., n, m]` of `[..., m, n]`. The gradient is that for matrices of the same rank.
 * @throws ValueError where a value is not finite.
 */
export function pinv(a: TensorLike, options: PseudoInverseOptions = {}): Tensor {
  checkOptions("linalg.pinv", options, ["rcond"]);
  const t = asMatrices("pinv", "a", a);
  const rcond = options.rcond ?? Math.max(...t.shape.slice(-2)) * machineEpsilon(t);
  const inverse = (x: Tensor) => singularInverse(x, rcond);
  return customVjp(
    inverse,
    (x) => {
      const p = inverse(x);
      return [p, [x, p]];
    },
    ([x, p], g) => [pseudoInverseGradient(x, p, g)],
  )(t);
}

function singularInverse(x: Tensor, rcond: number): Tensor {
  const { u, s, vt } = svd(x);
  if (s.size === 0) return matrixTranspose(x);
  const small = lessEqual(s, mul(max(s, { axis: -1, keepDims: true }), rcond));
  const reciprocal = where(small, 0, div(1, where(small, 1, s)));
  return matmul(matrixTranspose(vt), mul(expandDims(reciprocal, -1), matrixTranspose(u)));
}

/** Golub and Pereyra (1973), transposed: dP = -P dA P + P P^T dA^T (1 - A P) + (1 - P A) dA^T P^T P. */
function pseudoInverseGradient(x: Tensor, p: Tensor, g: Tensor): Tensor {
  const [m, n] = x.shape.slice(-2);
  const pt = matrixTranspose(p);
  const gt = matrixTranspose(g);
  const offRange = sub(eye(m, m, x.dtype), matmul(x, p));
  const offRows = sub(eye(n, n, x.dtype), matmul(p, x));
  const inner = matmul(matmul(pt, g), pt);
  const left = matmul(matmul(offRange, gt), matmul(p, pt));
  const right = matmul(matmul(pt, p), matmul(gt, offRows));
  return sub(add(left, right), inner);
}

/**
 * The x of least norm among those that make `|a x - b|` smallest, for any `a` `[..., m, n]`; b is `[m]` or
 * `[..., m, k]`, and leading axes broadcast.
 * @throws ValueError where a value is not finite; ShapeError where rows differ.
 */
export function lstsq(a: TensorLike, b: TensorLike, options: PseudoInverseOptions = {}): Tensor {
  checkOptions("linalg.lstsq", options, ["rcond"]);
  const system = alignSystem("lstsq", a, b);
  return system.restore(matmul(pinv(system.a, options), system.b));
}
