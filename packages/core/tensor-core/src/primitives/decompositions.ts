import type { DType } from "../dtype.js";
import { eigh, qr, svd } from "../kernels/index.js";
import { matrixCount, matrixValues, resultTensor } from "../linalg/host-matrices.js";
import { positiveDiagonal, positivePeaks } from "../linalg/signs.js";
import { matrixTranspose, symmetricPart } from "../linalg/symmetry.js";
import { matmul } from "../ops/contraction.js";
import { abs, add, div, lessEqual, mul, sub, where } from "../ops/elementwise.js";
import { diag, diagonal, tril } from "../ops/matrix-parts.js";
import { concatenate, expandDims, slice } from "../ops/movement.js";
import { max } from "../ops/reduction.js";
import { bind, bindOne, definePrimitive, type Primitive } from "../primitive.js";
import type { Tensor } from "../tensor.js";
import { stopGradient } from "../transforms/stop-gradient.js";
import { requireMatrices, requireSquare, triangularSolveP } from "./linear-algebra.js";

/** Differences of eigenvalues and singular values below this part of the largest one are rounding. */
const RELATIVE_GAP: Record<string, number> = { float32: 1e-6, float64: 1e-14 };

function gapOf(dtype: DType): number {
  return RELATIVE_GAP[dtype];
}

/** `1 / x`, and 0 where |x| is at most `tolerance`. */
function safeReciprocal(x: Tensor, tolerance: Tensor): Tensor {
  const negligible = lessEqual(abs(stopGradient(x)), tolerance);
  return where(negligible, 0, div(1, where(negligible, 1, x)));
}

function largest(values: Tensor): Tensor {
  return expandDims(max(abs(stopGradient(values)), { axis: -1, keepDims: true }), -1);
}

/** The values as rows minus the values as columns: [i, j] holds `values[j] - values[i]`. */
function differences(values: Tensor): Tensor {
  return sub(expandDims(values, -2), expandDims(values, -1));
}

/**
 * Eigenvalues `[..., n]`, ascending, and eigenvectors `[..., n, n]` (columns; the entry of largest magnitude of each is
 * positive) of symmetric matrices. Reads the lower triangle; the gradient is that of a symmetric matrix. Where
 * eigenvalues are equal up to rounding, the part of the gradient that would turn their eigenvectors into each other
 * is 0: see `linalg.eigh` for which functions that is right.
 */
export const eighP: Primitive<null> = definePrimitive<null>({
  name: "eigh",
  outputs([a]) {
    requireSquare("eigh", "a", a);
    return [
      { shape: a.shape.slice(0, -1), dtype: a.dtype },
      { shape: a.shape, dtype: a.dtype },
    ];
  },
  host([a], _, specs) {
    const matrices = matrixValues("eigh", "a", a);
    const n = a.shape[a.rank - 1];
    const count = matrixCount(a.shape);
    const values = new Float64Array(count * n);
    const vectors = new Float64Array(count * n * n);
    for (let i = 0; i < count; i++) {
      const matrix = matrices.subarray(i * n * n, (i + 1) * n * n);
      const result = eigh(matrix, n);
      positivePeaks(result.vectors, n, n);
      values.set(result.values, i * n);
      vectors.set(result.vectors, i * n * n);
    }
    return [resultTensor(values, specs[0]), resultTensor(vectors, specs[1])];
  },
  vjp: ([gValues, gVectors], { outputs: [w, v] }) => [
    () => {
      if (w.size === 0) return v;
      const tolerance = mul(largest(w), gapOf(w.dtype));
      const turn = mul(safeReciprocal(differences(w), tolerance), matmul(matrixTranspose(v), gVectors));
      const inner = add(diag(gValues), symmetricPart(turn));
      return matmul(matmul(v, inner), matrixTranspose(v));
    },
  ],
  batch: ([a]) => bind(eighP, [a], null),
});

/**
 * Reduced singular value decomposition `a = u diag(s) vt` of `[..., m, n]`: u `[..., m, k]`, s `[..., k]` descending,
 * vt `[..., k, n]`, k = min(m, n); the entry of largest magnitude of each column of u is positive. Gradients at equal
 * or zero singular values leave out the undetermined part, as for `eigh`.
 */
export const svdP: Primitive<null> = definePrimitive<null>({
  name: "svd",
  outputs([a]) {
    requireMatrices("svd", "a", a);
    const lead = a.shape.slice(0, -2);
    const [m, n] = a.shape.slice(-2);
    const k = Math.min(m, n);
    return [
      [...lead, m, k],
      [...lead, k],
      [...lead, k, n],
    ].map((shape) => ({ shape, dtype: a.dtype }));
  },
  host([a], _, specs) {
    const matrices = matrixValues("svd", "a", a);
    const [m, n] = a.shape.slice(-2);
    const k = Math.min(m, n);
    const count = matrixCount(a.shape);
    const u = new Float64Array(count * m * k);
    const s = new Float64Array(count * k);
    const vt = new Float64Array(count * k * n);
    for (let i = 0; i < count && k > 0; i++) {
      const result = svd(matrices.subarray(i * m * n, (i + 1) * m * n), m, n);
      positivePeaks(result.u, m, k, result.vt, n);
      u.set(result.u, i * m * k);
      s.set(result.s, i * k);
      vt.set(result.vt, i * k * n);
    }
    return [u, s, vt].map((values, i) => resultTensor(values, specs[i]));
  },
  vjp: ([gu, gs, gvt], { inputs: [a], outputs: [u, s, vt] }) => [() => svdGradient(a, u, s, vt, gu, gs, gvt)],
  batch: ([a]) => bind(svdP, [a], null),
});

/** Townsend, "Differentiating the singular value decomposition" (2016), the reverse mode for reduced factors. */
function svdGradient(a: Tensor, u: Tensor, s: Tensor, vt: Tensor, gu: Tensor, gs: Tensor, gvt: Tensor): Tensor {
  if (a.size === 0) return a;
  const [m, n] = a.shape.slice(-2);
  const k = s.shape[s.rank - 1];
  const v = matrixTranspose(vt);
  const ut = matrixTranspose(u);
  const gv = matrixTranspose(gvt);
  const sRow = expandDims(s, -2);
  const sColumn = expandDims(s, -1);
  const peak = largest(s);
  const tolerance = mul(peak, gapOf(s.dtype));
  // 1 / (s_j^2 - s_i^2), the two factors apart so that close values lose no digits.
  const f = mul(safeReciprocal(differences(s), tolerance), safeReciprocal(add(sRow, sColumn), tolerance));
  const skew = (x: Tensor) => sub(x, matrixTranspose(x));
  let inner = diag(gs);
  inner = add(inner, mul(mul(f, skew(matmul(ut, gu))), sRow));
  inner = add(inner, mul(sColumn, mul(f, skew(matmul(vt, gv)))));
  let gradient = matmul(matmul(u, inner), vt);
  const inverse = safeReciprocal(sRow, tolerance);
  if (m > k) gradient = add(gradient, matmul(mul(outside(gu, u, ut), inverse), vt));
  if (n > k) gradient = add(gradient, matmul(u, matrixTranspose(mul(outside(gv, v, vt), inverse))));
  return gradient;
}

/** The part of `g` outside the space that the orthonormal columns of `q` span. */
function outside(g: Tensor, q: Tensor, qt: Tensor): Tensor {
  return sub(g, matmul(q, matmul(qt, g)));
}

/**
 * Reduced QR decomposition `a = q r` of `[..., m, n]`: q `[..., m, k]` with orthonormal columns, r `[..., k, n]` upper
 * triangular with a non-negative diagonal, k = min(m, n). The gradient needs the first k columns to be independent.
 */
export const qrP: Primitive<null> = definePrimitive<null>({
  name: "qr",
  outputs([a]) {
    requireMatrices("qr", "a", a);
    const lead = a.shape.slice(0, -2);
    const [m, n] = a.shape.slice(-2);
    const k = Math.min(m, n);
    return [
      [...lead, m, k],
      [...lead, k, n],
    ].map((shape) => ({ shape, dtype: a.dtype }));
  },
  host([a], _, specs) {
    const matrices = matrixValues("qr", "a", a);
    const [m, n] = a.shape.slice(-2);
    const k = Math.min(m, n);
    const count = matrixCount(a.shape);
    const q = new Float64Array(count * m * k);
    const r = new Float64Array(count * k * n);
    for (let i = 0; i < count && k > 0; i++) {
      const result = qr(matrices.subarray(i * m * n, (i + 1) * m * n), m, n);
      positiveDiagonal(result.q, result.r, m, n);
      q.set(result.q, i * m * k);
      r.set(result.r, i * k * n);
    }
    return [resultTensor(q, specs[0]), resultTensor(r, specs[1])];
  },
  vjp: ([gq, gr], { inputs: [a], outputs: [q, r] }) => [() => qrGradient(a, q, r, gq, gr)],
  batch: ([a]) => bind(qrP, [a], null),
});

/** Roberts and Roberts, "QR and LQ decomposition matrix backpropagation algorithms" (2020). */
function qrGradient(a: Tensor, q: Tensor, r: Tensor, gq: Tensor, gr: Tensor): Tensor {
  if (a.size === 0) return a;
  const [m, n] = a.shape.slice(-2);
  if (m >= n) return tallQrGradient(q, r, gq, gr);
  const lead = a.shape.slice(0, -2).map(() => null);
  const left = (x: Tensor) => slice(x, [...lead, null, { stop: m }]);
  const right = (x: Tensor) => slice(x, [...lead, null, { start: m }]);
  const toQ = add(gq, matmul(right(a), matrixTranspose(right(gr))));
  return concatenate([tallQrGradient(q, left(r), toQ, left(gr)), matmul(q, right(gr))], -1);
}

function tallQrGradient(q: Tensor, r: Tensor, gq: Tensor, gr: Tensor): Tensor {
  const inner = sub(matmul(r, matrixTranspose(gr)), matmul(matrixTranspose(gq), q));
  const below = tril(inner, -1);
  const symmetric = add(add(below, matrixTranspose(below)), diag(diagonal(inner)));
  const right = matrixTranspose(add(gq, matmul(q, symmetric)));
  const form = { lower: false, transposeA: false, unitDiagonal: false };
  return matrixTranspose(bindOne(triangularSolveP, [r, right], form));
}
