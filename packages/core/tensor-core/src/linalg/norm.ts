import { checkOptions } from "../check-options.js";
import { asTensor } from "../construct.js";
import { ValueError } from "../errors.js";
import { abs, cast, div, equal, greater, isFinite, logicalAnd, mul, notEqual, pow, where } from "../ops/elementwise.js";
import { expandDims, reshape, transpose } from "../ops/movement.js";
import { asFloat } from "../ops/operands.js";
import { max, min, sum } from "../ops/reduction.js";
import { formatShape, normalizeAxes } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { stopGradient } from "../transforms/stop-gradient.js";
import { euclidean } from "./euclidean-norm.js";
import { svdvals } from "./factorise.js";
import { asMatrices } from "./operands.js";
import { machineEpsilon, type PseudoInverseOptions } from "./pseudo-inverse.js";
import { inverse } from "./solve.js";

/**
 * Which norm. Vectors: a number p for `(sum |x|^p)^(1/p)`, Infinity and -Infinity for the largest and smallest
 * magnitude, 0 for the count of entries that are not 0. Matrices: "fro", "nuc" (sum of singular values), 2 and -2
 * (largest and smallest singular value), 1 and -1 (column sums), Infinity and -Infinity (row sums).
 */
export type NormOrder = number | "fro" | "nuc";

/** Options of `norm`. */
export interface NormOptions {
  /** Default: 2 for vectors, "fro" for matrices; without an axis the 2-norm of all values. */
  ord?: NormOrder;
  /** One axis for vectors, two (rows, columns) for matrices. Default: all, where the rank is 1 or 2. */
  axis?: number | readonly [number, number];
  /** Keep reduced axes with extent 1. Default false. */
  keepDims?: boolean;
}

/**
 * The norm of vectors or matrices inside a tensor, whatever their size: squares and powers neither vanish nor overflow.
 * At 0 the gradient of the 2-norm and the Frobenius norm is 0.
 * @throws ValueError for an order that does not exist for vectors or for matrices.
 * @example linalg.norm([3, 4]) // 5
 */
export function norm(x: TensorLike, options: NormOptions = {}): Tensor {
  if (typeof options === "number" || typeof options === "string") {
    throw new ValueError(
      `linalg.norm: ${String(options)} may be an axis or an order; say { axis: ... } or { ord: ... }`,
    );
  }
  checkOptions("linalg.norm", options, ["ord", "axis", "keepDims"]);
  const t = asFloat(asTensor(x));
  const { ord, keepDims = false } = options;
  if (options.axis === undefined && ord === undefined) {
    const whole = euclidean(reshape(t, [-1]), [0]);
    return keepDims
      ? reshape(
          whole,
          t.shape.map(() => 1),
        )
      : reshape(whole, []);
  }
  const axes = typeof options.axis === "number" ? [options.axis] : (options.axis ?? t.shape.map((_, axis) => axis));
  if (axes.length !== 1 && axes.length !== 2) {
    throw new ValueError(`linalg.norm: x has shape ${formatShape(t.shape)}; name one axis or two in axis`);
  }
  const kept = axes.length === 1 ? vectorNorm(t, ord ?? 2, axes[0]) : matrixNorm(t, ord ?? "fro", axes);
  if (keepDims) return kept;
  const dropped = normalizeAxes("linalg.norm", axes, t.rank);
  return reshape(
    kept,
    kept.shape.filter((_, axis) => !dropped.includes(axis)),
  );
}

function vectorNorm(x: Tensor, ord: NormOrder, axis: number): Tensor {
  const over = { axis, keepDims: true };
  if (typeof ord !== "number") {
    throw new ValueError(`linalg.norm: order "${ord}" is for matrices; give a number for vectors`);
  }
  if (ord === 2) return euclidean(x, [axis]);
  if (ord === 0) return sum(cast(notEqual(x, 0), x.dtype), over);
  if (ord === 1) return sum(abs(x), over);
  if (ord === Number.POSITIVE_INFINITY) return max(abs(x), over);
  if (ord === Number.NEGATIVE_INFINITY) return min(abs(x), over);
  if (Number.isNaN(ord)) throw new ValueError("linalg.norm: the order is NaN; give a number");
  const sizes = abs(x);
  const unit = x.size === 0 ? 1 : unitOf((ord > 0 ? max : min)(stopGradient(sizes), over));
  const total = sum(pow(div(sizes, unit), ord), over);
  const zero = equal(total, 0);
  return mul(where(zero, 0, pow(where(zero, 1, total), 1 / ord)), unit);
}

/** What elements are divided by, so that no power of them overflows: the one that decides, where it is a positive number. */
function unitOf(size: Tensor): Tensor {
  return where(logicalAnd(greater(size, 0), isFinite(size)), size, 1);
}

function matrixNorm(x: Tensor, ord: NormOrder, axes: readonly number[]): Tensor {
  const [rows, columns] = axes.map((axis) => (axis < 0 ? axis + x.rank : axis));
  const both = normalizeAxes("linalg.norm", axes, x.rank);
  switch (ord) {
    case "fro":
      return euclidean(x, both);
    case 1:
      return max(sum(abs(x), { axis: rows, keepDims: true }), { axis: columns, keepDims: true });
    case -1:
      return min(sum(abs(x), { axis: rows, keepDims: true }), { axis: columns, keepDims: true });
    case Number.POSITIVE_INFINITY:
      return max(sum(abs(x), { axis: columns, keepDims: true }), { axis: rows, keepDims: true });
    case Number.NEGATIVE_INFINITY:
      return min(sum(abs(x), { axis: columns, keepDims: true }), { axis: rows, keepDims: true });
  }
  if (ord !== "nuc" && ord !== 2 && ord !== -2) {
    throw new ValueError(`linalg.norm: order ${ord} does not exist for matrices; use fro, nuc, 1, 2 or Infinity`);
  }
  const s = svdvals(lastTwo(x, rows, columns));
  const value = ord === "nuc" ? sum(s, { axis: -1 }) : ord === 2 ? max(s, { axis: -1 }) : min(s, { axis: -1 });
  return both.reduce((y, axis) => expandDims(y, axis), value);
}

function lastTwo(x: Tensor, rows: number, columns: number): Tensor {
  const order = x.shape.map((_, axis) => axis).filter((axis) => axis !== rows && axis !== columns);
  return transpose(x, [...order, rows, columns]);
}

/** The number of singular values of `[..., m, n]` above `rcond` times the largest; int32. */
export function matrixRank(a: TensorLike, options: PseudoInverseOptions = {}): Tensor {
  checkOptions("linalg.matrixRank", options, ["rcond"]);
  const t = asMatrices("matrixRank", "a", a);
  const s = svdvals(t);
  const rcond = options.rcond ?? Math.max(...t.shape.slice(-2)) * machineEpsilon(t);
  if (s.shape[s.rank - 1] === 0) return sum(cast(s, "int32"), { axis: -1 });
  return sum(greater(s, mul(max(s, { axis: -1, keepDims: true }), rcond)), { axis: -1 });
}

/**
 * The condition number of `[..., m, n]`: the ratio of the extreme singular values (2, the default, or -2), or the norm
 * of the matrix times that of its inverse.
 */
export function cond(a: TensorLike, ord: NormOrder = 2): Tensor {
  const t = asMatrices("cond", "a", a);
  if (ord === 2 || ord === -2) {
    const s = svdvals(t);
    const [high, low] = [max(s, { axis: -1 }), min(s, { axis: -1 })];
    return ord === 2 ? div(high, low) : div(low, high);
  }
  return mul(norm(t, { ord, axis: [-2, -1] }), norm(inverse(t), { ord, axis: [-2, -1] }));
}
