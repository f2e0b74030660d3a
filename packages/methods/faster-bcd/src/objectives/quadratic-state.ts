import type { ColumnProduct, DesignMatrix } from "../design-matrix.js";
import { keptNumber, keptVector } from "../memory.js";
import type { SmoothMemory, SmoothState } from "../smooth-state.js";

/** After so many updates the gradient is computed afresh, so that rounding errors cannot build up. */
const REFRESH = 1000;

/** 1/2 x^T A x - c^T x with its gradient A x - c kept up to date: a step costs the entries of the block's columns. */
export class QuadraticState implements SmoothState {
  value = 0;
  readonly #gradient: Float64Array;
  readonly #aimed: ColumnProduct;
  #block: Int32Array = new Int32Array(0);
  #d: Float64Array = new Float64Array(0);
  /** g^T d and d^T A d of what was aimed at. */
  #linear = 0;
  #curvature = 0;
  #updates = 0;

  constructor(
    private readonly matrix: DesignMatrix,
    private readonly c: Float64Array,
    readonly x: Float64Array,
    memory?: SmoothMemory,
  ) {
    this.#gradient = memory ? keptVector(memory, "gradient", c.length) : new Float64Array(c.length);
    this.#aimed = matrix.emptyProduct();
    if (memory === undefined) {
      this.refresh();
      return;
    }
    this.value = keptNumber(memory, "value");
    this.#updates = keptNumber(memory, "updates");
  }

  save(): SmoothMemory {
    return { value: this.value, gradient: this.#gradient.slice(), updates: this.#updates };
  }

  refresh(): void {
    const { x, c } = this;
    const g = this.#gradient;
    this.matrix.transposed(x, g);
    this.value = 0;
    for (let i = 0; i < c.length; i++) {
      this.value += x[i] * (0.5 * g[i] - c[i]);
      g[i] -= c[i];
    }
    this.#updates = 0;
  }

  gradient(): Float64Array {
    return this.#gradient;
  }

  blockGradient(block: Int32Array, out: Float64Array): void {
    for (let k = 0; k < block.length; k++) out[k] = this.#gradient[block[k]];
  }

  aim(block: Int32Array, d: Float64Array): void {
    this.#block = block;
    this.#d = d;
    this.matrix.product(block, d, this.#aimed);
    this.#linear = 0;
    this.#curvature = 0;
    for (let k = 0; k < block.length; k++) {
      this.#linear += this.#gradient[block[k]] * d[k];
      this.#curvature += d[k] * this.#aimed.values[block[k]];
    }
  }

  change(alpha: number): number {
    return alpha * (this.#linear + 0.5 * alpha * this.#curvature);
  }

  commit(alpha: number): void {
    this.value += this.change(alpha);
    for (let k = 0; k < this.#block.length; k++) this.x[this.#block[k]] += alpha * this.#d[k];
    if (++this.#updates >= REFRESH) {
      this.refresh();
      return;
    }
    const { values, rows, count } = this.#aimed;
    for (let k = 0; k < count; k++) this.#gradient[rows[k]] += alpha * values[rows[k]];
  }

  blockHessian(block: Int32Array): Float64Array {
    return this.matrix.submatrix(block);
  }
}
