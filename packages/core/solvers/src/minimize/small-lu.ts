/**
 * LU factorisation with row pivoting of a small dense matrix, in place and without allocation: the matrix of order
 * `size` lies row-major in `values` with row length `stride`.
 */
export class SmallLu {
  readonly values: Float64Array;
  private readonly stride: number;
  private readonly swaps: Int32Array;
  private size = 0;

  constructor(capacity: number) {
    this.stride = capacity;
    this.values = new Float64Array(capacity * capacity);
    this.swaps = new Int32Array(capacity);
  }

  set(i: number, j: number, value: number): void {
    this.values[i * this.stride + j] = value;
  }

  /** Factors the leading `size` rows and columns; false if they are singular. */
  factor(size: number): boolean {
    const { values: a, stride } = this;
    this.size = size;
    for (let k = 0; k < size; k++) {
      let pivot = k;
      for (let i = k + 1; i < size; i++) if (Math.abs(a[i * stride + k]) > Math.abs(a[pivot * stride + k])) pivot = i;
      this.swaps[k] = pivot;
      if (!(Math.abs(a[pivot * stride + k]) > 0)) return false;
      if (pivot !== k) {
        for (let j = 0; j < size; j++) {
          const held = a[k * stride + j];
          a[k * stride + j] = a[pivot * stride + j];
          a[pivot * stride + j] = held;
        }
      }
      for (let i = k + 1; i < size; i++) {
        const factor = a[i * stride + k] / a[k * stride + k];
        a[i * stride + k] = factor;
        for (let j = k + 1; j < size; j++) a[i * stride + j] -= factor * a[k * stride + j];
      }
    }
    return true;
  }

  /** Solves in place for the leading `size` entries of `x`. */
  solve(x: Float64Array): void {
    const { values: a, stride, size } = this;
    for (let k = 0; k < size; k++) {
      const held = x[k];
      x[k] = x[this.swaps[k]];
      x[this.swaps[k]] = held;
    }
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) x[i] -= a[i * stride + j] * x[j];
    for (let i = size - 1; i >= 0; i--) {
      for (let j = i + 1; j < size; j++) x[i] -= a[i * stride + j] * x[j];
      x[i] /= a[i * stride + i];
    }
  }
}
