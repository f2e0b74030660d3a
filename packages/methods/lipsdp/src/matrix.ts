import { lanczosEigenpairsSync } from "@offprint/solvers";
import { linalg, matmul, type Tensor, tensor } from "@offprint/tensor-core";
import { rowProducts } from "@offprint/tensor-core/internal";

/** Below this many multiplications a loop is faster than a call of the host kernels. */
const KERNEL_FROM = 4096;

/** @internal A dense float64 matrix, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** @internal Zeros, or a wrapped array. */
export function matrix(rows: number, columns: number, values: Float64Array = new Float64Array(rows * columns)): Matrix {
  return { rows, columns, values };
}

/** @internal `scale` times the identity. */
export function identity(n: number, scale = 1): Matrix {
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) out.values[i * n + i] = scale;
  return out;
}

/** @internal */
export function transposed(a: Matrix): Matrix {
  const out = matrix(a.columns, a.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) out.values[j * a.rows + i] = a.values[i * a.columns + j];
  }
  return out;
}

/** @internal a b */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const { rows, columns: inner } = a;
  const { columns } = b;
  if (rows * inner * columns >= KERNEL_FROM) {
    return matrix(rows, columns, matmul(asTensor(a), asTensor(b)).data() as Float64Array);
  }
  const out = matrix(rows, columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = a.values[i * inner + k];
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) out.values[i * columns + j] += factor * b.values[k * columns + j];
    }
  }
  return out;
}

/** @internal a^T b */
export function multiplyTransposed(a: Matrix, b: Matrix): Matrix {
  return multiply(transposed(a), b);
}

/** Rows of a Gram matrix that are multiplied at a time: only what lies before and on its diagonal is. */
const STRIP = 512;

/** @internal a a^T, exactly symmetric. */
export function gramOf(a: Matrix): Matrix {
  const n = a.rows;
  if (n <= STRIP) return symmetrized(multiply(a, transposed(a)));
  const out = matrix(n, n);
  for (let from = 0; from < n; from += STRIP) {
    const to = Math.min(n, from + STRIP);
    const strip = multiply(part(a, from, to), transposed(part(a, 0, to)));
    for (let i = from; i < to; i++) {
      for (let j = 0; j <= i; j++) {
        const value = strip.values[(i - from) * to + j];
        out.values[i * n + j] = value;
        out.values[j * n + i] = value;
      }
    }
  }
  return out;
}

/** @internal alpha a + beta b */
export function combine(alpha: number, a: Matrix, beta: number, b: Matrix): Matrix {
  return matrix(
    a.rows,
    a.columns,
    a.values.map((value, k) => alpha * value + beta * b.values[k]),
  );
}

/** @internal Entries by magnitude. */
export function absolute(a: Matrix): Matrix {
  return matrix(a.rows, a.columns, a.values.map(Math.abs));
}

/** @internal factor a */
export function scaled(a: Matrix, factor: number): Matrix {
  return matrix(
    a.rows,
    a.columns,
    a.values.map((value) => factor * value),
  );
}

/** @internal diag(factors) a */
export function scaledRows(a: Matrix, factors: Float64Array): Matrix {
  return matrix(
    a.rows,
    a.columns,
    a.values.map((value, k) => value * factors[Math.floor(k / a.columns)]),
  );
}

/** @internal (a + a^T) / 2 */
export function symmetrized(a: Matrix): Matrix {
  const n = a.rows;
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) out.values[i * n + j] = (a.values[i * n + j] + a.values[j * n + i]) / 2;
  }
  return out;
}

/** @internal Rows `from` to `to` and columns `left` to `right`. */
export function part(a: Matrix, from: number, to: number, left = 0, right = a.columns): Matrix {
  const out = matrix(to - from, right - left);
  for (let i = from; i < to; i++) {
    out.values.set(a.values.subarray(i * a.columns + left, i * a.columns + right), (i - from) * out.columns);
  }
  return out;
}

/** @internal Writes `block` into `into` at (top, left), times `factor`. */
export function place(into: Matrix, top: number, left: number, block: Matrix, factor = 1): void {
  for (let i = 0; i < block.rows; i++) {
    for (let j = 0; j < block.columns; j++) {
      into.values[(top + i) * into.columns + left + j] = factor * block.values[i * block.columns + j];
    }
  }
}

/** @internal a x */
export function multiplyVector({ rows, values }: Matrix, x: Float64Array): Float64Array {
  const out = new Float64Array(rows);
  rowProducts(values, x, out);
  return out;
}

/** @internal a^T y */
export function multiplyTransposedVector(a: Matrix, y: ArrayLike<number>): Float64Array {
  const out = new Float64Array(a.columns);
  for (let i = 0, p = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++, p++) out[j] += a.values[p] * y[i];
  }
  return out;
}

/** @internal The matrix as a tensor that shares its values. */
export function asTensor(a: Matrix): Tensor {
  return tensor(a.values, { shape: [a.rows, a.columns] });
}

/** @internal A tensor of rank 2 as a matrix. */
export function fromTensor(x: Tensor): Matrix {
  return matrix(x.shape[0], x.shape[1], Float64Array.from(x.data()));
}

/** From this order on Lanczos' method is faster than all eigenvalues: at 4096 it takes seconds in place of a minute. */
const LANCZOS_FROM = 1000;

/** @internal Largest eigenvalue of a positive semidefinite matrix: to rounding, or nearly so where it is a large one. */
export function largestOfGram(a: Matrix): number {
  if (a.rows < LANCZOS_FROM) return largestEigenvalue(a);
  const { values } = lanczosEigenpairsSync((x, out) => out.set(multiplyVector(a, x)), a.rows, { tolerance: 1e-6 });
  return values[0];
}

/** @internal Largest eigenvalue of a symmetric matrix, to rounding. */
export function largestEigenvalue(a: Matrix): number {
  if (a.rows === 0) return 0;
  const values = linalg.eigvalsh(asTensor(a)).data();
  return values[values.length - 1];
}

/** @internal Smallest eigenvalue of a symmetric matrix, to rounding. */
export function smallestEigenvalue(a: Matrix): number {
  return linalg.eigvalsh(asTensor(a)).data()[0];
}

/** @internal ||a||_2 to rounding; see `provenNorm` for a bound. */
export function spectralNorm(a: Matrix): number {
  const gram = a.rows < a.columns ? multiply(a, transposed(a)) : multiplyTransposed(a, a);
  return Math.sqrt(Math.max(0, largestEigenvalue(gram)));
}

/** @internal Lower Cholesky factor, or nothing where `a` is not positive definite. */
export function choleskyFactor(a: Matrix): Matrix | undefined {
  const n = a.rows;
  const L = matrix(n, n, a.values.slice());
  const v = L.values;
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = v[i * n + j];
      for (let k = 0; k < j; k++) sum -= v[i * n + k] * v[j * n + k];
      if (i === j) {
        if (!(sum > 0)) return undefined;
        v[j * n + j] = Math.sqrt(sum);
      } else v[i * n + j] = sum / v[j * n + j];
    }
    for (let k = j + 1; k < n; k++) v[j * n + k] = 0;
  }
  return L;
}

/** @internal L^-1 b for lower triangular L. */
export function forwardSolve(L: Matrix, b: Matrix): Matrix {
  const n = L.rows;
  const { columns } = b;
  const x = matrix(n, columns, b.values.slice());
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) {
      const factor = L.values[i * n + k];
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) x.values[i * columns + j] -= factor * x.values[k * columns + j];
    }
    const pivot = L.values[i * n + i];
    for (let j = 0; j < columns; j++) x.values[i * columns + j] /= pivot;
  }
  return x;
}

/** @internal Largest generalised eigenvalue of (v, L L^T): that of L^-1 v L^-T; infinite where the latter overflows. */
export function largestRelative(v: Matrix, L: Matrix): number {
  const relative = symmetrized(forwardSolve(L, transposed(forwardSolve(L, v))));
  return isFiniteMatrix(relative) ? largestEigenvalue(relative) : Infinity;
}

/** @internal Whether no entry is infinite or NaN. */
export function isFiniteMatrix({ values }: Matrix): boolean {
  return values.every(Number.isFinite);
}
