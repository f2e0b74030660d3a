import { linalg, matmul, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { congruence } from "@offprint/tensor-core/internal";
import { readSmat } from "../svec.js";
import type { ConeScaling } from "./cone-scaling.js";

/**
 * @internal Semidefinite cones of one order, batched: W v = svec(r^T V r) with r^T Y r = r^-1 S r^-T = diag(lambda). From the
 * Cholesky factors S = L L^T and Y = M M^T and the singular values M^T L = U diag(lambda) V^T it is r = L V lambda^(-1/2).
 */
export class SemidefiniteScaling implements ConeScaling {
  readonly degree: number;
  /** r and r^-1, `[blocks, order, order]`. */
  r: Tensor;
  rInverse: Tensor;
  /** (r r^T)^-1 */
  metric: Tensor;
  private readonly lambda: Float64Array;
  private readonly shape: number[];
  private readonly whole: Float64Array;
  private readonly half: Float64Array;

  constructor(
    /** First rows of the blocks. */
    readonly starts: readonly number[],
    readonly order: number,
  ) {
    this.degree = starts.length * order;
    this.shape = [starts.length, order, order];
    this.whole = new Float64Array(order * order);
    this.half = new Float64Array(order * order);
    this.lambda = new Float64Array(this.degree).fill(1);
    const eye = new Float64Array(this.degree * order);
    for (let k = 0; k < this.degree; k++) eye[k * order + (k % order)] = 1;
    this.r = tensor(eye, { shape: this.shape });
    this.rInverse = this.r;
    this.metric = this.r;
  }

  addIdentity(factor: number, to: Float64Array): void {
    const { order } = this;
    for (const start of this.starts) for (let j = 0, k = start; j < order; k += order - j, j++) to[k] += factor;
  }

  distanceToCone(v: Float64Array): number {
    return -this.leastEigenvalue(this.matrices(v));
  }

  update(s: Float64Array, y: Float64Array, lambda: Float64Array): boolean {
    const L = choleskyOf(tensor(this.matrices(s), { shape: this.shape }));
    const M = choleskyOf(tensor(this.matrices(y), { shape: this.shape }));
    if (L === undefined || M === undefined) return false;
    const product = matmul(transposed(M), L);
    // Near the central path the singular values are about equal, so that their squares lose nothing.
    const { values, vectors } = linalg.eigh(matmul(transposed(product), product));
    const squares = values.data();
    for (let k = 0; k < squares.length; k++) {
      if (!(squares[k] > 0)) return false;
      this.lambda[k] = Math.sqrt(squares[k]);
    }
    // r^-1 = lambda^(-1/2) U^T M^T with U = M^T L V lambda^-1.
    this.r = this.columnsTimes(matmul(L, vectors), -0.5);
    const inverseTransposed = this.columnsTimes(matmul(matmul(M, product), vectors), -1.5);
    this.rInverse = tensor(transposed(inverseTransposed).data() as Float64Array, { shape: this.shape });
    this.metric = matmul(inverseTransposed, this.rInverse);
    const { order } = this;
    for (const [b, start] of this.starts.entries()) {
      for (let j = 0, k = start; j < order; k += order - j, j++) {
        lambda.fill(0, k, k + order - j);
        lambda[k] = this.lambda[b * order + j];
      }
    }
    return true;
  }

  scale(from: Float64Array, to: Float64Array): void {
    this.congruence(this.r, true, from, to);
  }

  scaleTransposed(from: Float64Array, to: Float64Array): void {
    this.congruence(this.r, false, from, to);
  }

  unscale(from: Float64Array, to: Float64Array): void {
    this.congruence(this.rInverse, true, from, to);
  }

  unscaleTransposed(from: Float64Array, to: Float64Array): void {
    this.congruence(this.rInverse, false, from, to);
  }

  product(u: Float64Array, v: Float64Array, to: Float64Array): void {
    const U = tensor(this.matrices(u), { shape: this.shape });
    const V = tensor(this.matrices(v), { shape: this.shape });
    this.writeSymmetric(matmul(U, V).data() as Float64Array, to);
  }

  divide(v: Float64Array, to: Float64Array): void {
    const { order, lambda } = this;
    for (const [b, start] of this.starts.entries()) {
      for (let j = 0, k = start; j < order; j++) {
        for (let i = j; i < order; i++, k++) to[k] = (2 * v[k]) / (lambda[b * order + i] + lambda[b * order + j]);
      }
    }
  }

  longestStep(v: Float64Array): number {
    const { order, lambda } = this;
    const matrices = this.matrices(v);
    for (let b = 0, p = 0; b < this.starts.length; b++) {
      for (let i = 0; i < order; i++) {
        for (let j = 0; j < order; j++, p++) matrices[p] /= Math.sqrt(lambda[b * order + i] * lambda[b * order + j]);
      }
    }
    const least = this.leastEigenvalue(matrices);
    return least < 0 ? -1 / least : Infinity;
  }

  private leastEigenvalue(matrices: Float64Array): number {
    const values = linalg.eigvalsh(tensor(matrices, { shape: this.shape })).data();
    let least = Infinity;
    for (let k = 0; k < values.length; k += this.order) least = Math.min(least, values[k]);
    return least;
  }

  /** The blocks of a vector as full matrices `[blocks, order, order]`. */
  private matrices(v: Float64Array): Float64Array {
    const { order } = this;
    const out = new Float64Array(this.degree * order);
    for (const [b, start] of this.starts.entries()) readSmat(v, start, order, out, b * order * order);
    return out;
  }

  /** svec of the symmetric part of matrices. */
  private writeSymmetric(matrices: Float64Array, to: Float64Array): void {
    const { order } = this;
    for (const [b, start] of this.starts.entries()) {
      const offset = b * order * order;
      for (let j = 0, k = start; j < order; j++) {
        to[k++] = matrices[offset + j * order + j];
        for (let i = j + 1; i < order; i++) {
          to[k++] = Math.SQRT1_2 * (matrices[offset + i * order + j] + matrices[offset + j * order + i]);
        }
      }
    }
  }

  /** `left V left^T`, or `left^T V left` where `turned`. */
  private congruence(left: Tensor, turned: boolean, from: Float64Array, to: Float64Array): void {
    const { order: n, whole, half } = this;
    const factors = left.data() as Float64Array;
    for (const [b, start] of this.starts.entries()) {
      readSmat(from, start, n, whole, 0);
      congruence(factors, b * n * n, turned, whole, n, half);
      for (let j = 0, k = start; j < n; j++) {
        to[k++] = half[j * n + j];
        for (let i = j + 1; i < n; i++) to[k++] = Math.SQRT1_2 * (half[i * n + j] + half[j * n + i]);
      }
    }
  }

  /** a diag(lambda)^power */
  private columnsTimes(a: Tensor, power: number): Tensor {
    const { order, lambda } = this;
    const values = a.data() as Float64Array;
    const out = new Float64Array(values.length);
    const factors = lambda.map((value) => value ** power);
    for (let b = 0, p = 0; b < this.starts.length; b++) {
      for (let i = 0; i < order; i++) {
        for (let j = 0; j < order; j++, p++) out[p] = values[p] * factors[b * order + j];
      }
    }
    return tensor(out, { shape: this.shape });
  }
}

function transposed(a: Tensor): Tensor {
  return a.transpose([0, 2, 1]);
}

/** The Cholesky factors, or nothing where a matrix is not positive definite. */
function choleskyOf(a: Tensor): Tensor | undefined {
  try {
    return linalg.cholesky(a);
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}
