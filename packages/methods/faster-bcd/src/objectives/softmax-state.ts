import type { ColumnProduct, DesignMatrix } from "../design-matrix.js";
import { keptNumber, keptVector, keptVectorOrNone } from "../memory.js";
import type { SmoothMemory, SmoothState } from "../smooth-state.js";

/** After so many updates the gradient is computed afresh, so that rounding errors cannot build up. */
const REFRESH = 1000;

/** Softmax regression with the scores A X and the probabilities kept up to date, each class an array of its own. */
export class SoftmaxState implements SmoothState {
  value = 0;
  readonly #z: Float64Array[];
  readonly #p: Float64Array[];
  /** By how much the last commit changed the probabilities. */
  readonly #pChange: Float64Array;
  /** A_b d by class, zero outside the touched rows; a touched row is touched in every class. */
  readonly #w: Float64Array[];
  readonly #touched: ColumnProduct;
  readonly #marks: Uint8Array;
  readonly #product: ColumnProduct;
  #block: Int32Array = new Int32Array(0);
  #d: Float64Array = new Float64Array(0);
  /** The change of the value at the last trial, and its step. */
  #tried: { readonly alpha: number; readonly change: number } | undefined;
  readonly #gradient: Float64Array;
  readonly #column: Float64Array;
  #fresh = false;
  #wanted = false;
  #updates = 0;

  constructor(
    private readonly design: DesignMatrix,
    private readonly labels: Int32Array,
    private readonly classes: number,
    readonly x: Float64Array,
    memory?: SmoothMemory,
  ) {
    const perClass = () => Array.from({ length: classes }, () => new Float64Array(design.rows));
    this.#z = perClass();
    this.#p = perClass();
    this.#w = perClass();
    this.#pChange = new Float64Array(design.rows);
    this.#touched = { values: new Float64Array(0), rows: new Int32Array(design.rows), count: 0 };
    this.#marks = new Uint8Array(design.rows);
    this.#product = design.emptyProduct();
    const gradient = memory && keptVectorOrNone(memory, "gradient", x.length);
    this.#gradient = gradient ?? new Float64Array(x.length);
    this.#column = new Float64Array(design.columns);
    if (memory === undefined) {
      this.refresh();
      return;
    }
    const { rows } = design;
    const z = keptVector(memory, "z", classes * rows);
    for (let c = 0; c < classes; c++) this.#z[c].set(z.subarray(c * rows, (c + 1) * rows));
    for (let i = 0; i < rows; i++) this.#normalise(i);
    this.value = keptNumber(memory, "value");
    this.#fresh = gradient !== undefined;
    this.#wanted = keptNumber(memory, "wanted") !== 0;
    this.#updates = keptNumber(memory, "updates");
  }

  save(): SmoothMemory {
    const { rows } = this.design;
    const z = new Float64Array(this.classes * rows);
    for (let c = 0; c < this.classes; c++) z.set(this.#z[c], c * rows);
    const gradient = this.#fresh ? this.#gradient.slice() : null;
    return { value: this.value, z, gradient, wanted: this.#wanted ? 1 : 0, updates: this.#updates };
  }

  refresh(): void {
    const { design, classes, x, labels } = this;
    const all = Int32Array.from({ length: design.columns }, (_, f) => f);
    for (let c = 0; c < classes; c++) {
      design.product(
        all,
        Float64Array.from(all, (f) => x[f * classes + c]),
        this.#product,
      );
      this.#z[c].set(this.#product.values);
    }
    this.value = 0;
    for (let i = 0; i < design.rows; i++) {
      this.value += this.#normalise(i) - this.#z[labels[i]][i];
    }
    this.#fresh = false;
  }

  /** Computes the probabilities of a row; returns its logsumexp. */
  #normalise(i: number): number {
    let most = -Infinity;
    for (const z of this.#z) if (z[i] > most) most = z[i];
    let total = 0;
    for (let c = 0; c < this.classes; c++) total += this.#p[c][i] = Math.exp(this.#z[c][i] - most);
    for (const p of this.#p) p[i] /= total;
    return most + Math.log(total);
  }

  gradient(): Float64Array {
    this.#wanted = true;
    if (this.#fresh) return this.#gradient;
    for (let c = 0; c < this.classes; c++) {
      this.#residuals(c);
      this.design.transposed(this.#pChange, this.#column);
      for (let f = 0; f < this.#column.length; f++) this.#gradient[f * this.classes + c] = this.#column[f];
    }
    this.#fresh = true;
    this.#updates = 0;
    return this.#gradient;
  }

  /** p_c - [y = c] into the work array. */
  #residuals(c: number): void {
    const p = this.#p[c];
    for (let i = 0; i < p.length; i++) this.#pChange[i] = p[i] - (this.labels[i] === c ? 1 : 0);
  }

  blockGradient(block: Int32Array, out: Float64Array): void {
    if (this.#fresh) {
      for (let k = 0; k < block.length; k++) out[k] = this.#gradient[block[k]];
      return;
    }
    for (const [c, places] of this.#byClass(block)) {
      this.#residuals(c);
      const part = new Float64Array(places.length);
      this.design.transposedBlock(this.#pChange, this.#features(block, places), part);
      for (let k = 0; k < places.length; k++) out[places[k]] = part[k];
    }
  }

  /** The places in the block of each class in it. */
  #byClass(block: Int32Array): Map<number, number[]> {
    const groups = new Map<number, number[]>();
    for (let k = 0; k < block.length; k++) {
      const c = block[k] % this.classes;
      const group = groups.get(c);
      if (group) group.push(k);
      else groups.set(c, [k]);
    }
    return groups;
  }

  #features(block: Int32Array, places: readonly number[]): Int32Array {
    return Int32Array.from(places, (k) => Math.floor(block[k] / this.classes));
  }

  aim(block: Int32Array, d: Float64Array): void {
    this.#block = block;
    this.#d = d;
    this.#tried = undefined;
    const { rows } = this.#touched;
    for (let k = 0; k < this.#touched.count; k++) {
      this.#marks[rows[k]] = 0;
      for (const w of this.#w) w[rows[k]] = 0;
    }
    let count = 0;
    for (const [c, places] of this.#byClass(block)) {
      const product = this.#product;
      this.design.product(
        this.#features(block, places),
        Float64Array.from(places, (k) => d[k]),
        product,
      );
      for (let k = 0; k < product.count; k++) {
        const i = product.rows[k];
        if (this.#marks[i] === 0) {
          this.#marks[i] = 1;
          rows[count++] = i;
        }
        this.#w[c][i] = product.values[i];
      }
    }
    this.#touched.count = count;
  }

  change(alpha: number): number {
    if (this.#tried?.alpha !== alpha) this.#tried = { alpha, change: this.#changeOf(alpha) };
    return this.#tried.change;
  }

  #changeOf(alpha: number): number {
    let total = 0;
    for (let k = 0; k < this.#touched.count; k++) {
      const i = this.#touched.rows[k];
      total += this.#scoreChange(i, alpha) - alpha * this.#w[this.labels[i]][i];
    }
    return total;
  }

  /** logsumexp(z + alpha w) - logsumexp(z) of a row. */
  #scoreChange(i: number, alpha: number): number {
    let largest = 0;
    for (const w of this.#w) largest = Math.max(largest, Math.abs(w[i]));
    if (alpha * largest < 1) {
      let growth = 0;
      for (let c = 0; c < this.classes; c++) growth += this.#p[c][i] * Math.expm1(alpha * this.#w[c][i]);
      return Math.log1p(growth);
    }
    return this.#logSumExp(i, alpha) - this.#logSumExp(i, 0);
  }

  #logSumExp(i: number, alpha: number): number {
    let most = -Infinity;
    for (let c = 0; c < this.classes; c++) most = Math.max(most, this.#z[c][i] + alpha * this.#w[c][i]);
    let total = 0;
    for (let c = 0; c < this.classes; c++) total += Math.exp(this.#z[c][i] + alpha * this.#w[c][i] - most);
    return most + Math.log(total);
  }

  commit(alpha: number): void {
    const { classes, x } = this;
    this.value += this.change(alpha);
    this.#tried = undefined;
    for (let k = 0; k < this.#block.length; k++) x[this.#block[k]] += alpha * this.#d[k];
    const { rows, count } = this.#touched;
    const keep = this.#fresh && this.#wanted && ++this.#updates < REFRESH;
    const before = keep ? this.#p.map((p) => Float64Array.from({ length: count }, (_, k) => p[rows[k]])) : [];
    for (let k = 0; k < count; k++) {
      const i = rows[k];
      for (let c = 0; c < classes; c++) this.#z[c][i] += alpha * this.#w[c][i];
      this.#normalise(i);
    }
    this.#fresh = keep;
    this.#wanted = false;
    if (!keep) return;
    for (let c = 0; c < classes; c++) {
      for (let k = 0; k < count; k++) this.#pChange[rows[k]] = this.#p[c][rows[k]] - before[c][k];
      this.#column.fill(0);
      this.design.addTransposed(this.#pChange, this.#touched, this.#column);
      for (let f = 0; f < this.#column.length; f++) this.#gradient[f * classes + c] += this.#column[f];
    }
  }

  blockHessian(block: Int32Array): Float64Array {
    const t = block.length;
    const out = new Float64Array(t * t);
    const groups = [...this.#byClass(block)];
    for (const [g, [c1, first]] of groups.entries()) {
      for (const [c2, second] of groups.slice(0, g + 1)) {
        const weights = this.#p[c1].map((p, i) => p * ((c1 === c2 ? 1 : 0) - this.#p[c2][i]));
        const both = c1 === c2 ? first : [...first, ...second];
        const gram = this.design.gram(this.#features(block, both), weights);
        const offset = c1 === c2 ? 0 : first.length;
        for (let a = 0; a < first.length; a++) {
          for (let b = 0; b < second.length; b++) {
            const entry = gram[a * both.length + offset + b];
            out[first[a] * t + second[b]] = entry;
            out[second[b] * t + first[a]] = entry;
          }
        }
      }
    }
    return out;
  }
}
