import { placesFrom0 } from "../blocks/order.js";
import type { ColumnProduct, DesignMatrix } from "../design-matrix.js";
import type { GramCache } from "../gram-cache.js";
import { keptNumber, keptVector, keptVectorOrNone } from "../memory.js";
import type { SmoothMemory, SmoothState } from "../smooth-state.js";
import type { RowLoss } from "./row-loss.js";

/** After so many updates of the gradient it is computed afresh, so that rounding errors cannot build up. */
const REFRESH = 1000;

/** sum_i loss_i(a_i^T x) with z = A x and the losses' slopes kept up to date. */
export class LinearModelState implements SmoothState {
  value = 0;
  readonly #z: Float64Array;
  readonly #slopes: Float64Array;
  /** By how much the last commit changed the slopes. */
  readonly #slopeChange: Float64Array;
  readonly #aimed: ColumnProduct;
  #block: Int32Array = new Int32Array(0);
  #d: Float64Array = new Float64Array(0);
  /** The change of the value at the last trial, and its step. */
  #tried: { readonly alpha: number; readonly change: number } | undefined;
  readonly #gradient: Float64Array;
  /** Whether `#gradient` is that of the point. */
  #fresh = false;
  /** The step of the last commit, while what it changes in the gradient is not added: nobody may ask for it any more. */
  #owed: number | undefined;
  /** Whether somebody asked for the whole gradient since the last commit, so that the next one keeps it up to date. */
  #wanted = false;
  #updates = 0;
  /** Second derivatives of the losses, from the first Hessian on. */
  #curvatures: Float64Array | undefined;
  readonly #cache: GramCache | undefined;

  constructor(
    private readonly design: DesignMatrix,
    private readonly loss: RowLoss,
    readonly x: Float64Array,
    memory?: SmoothMemory,
  ) {
    this.#z = memory ? keptVector(memory, "z", design.rows) : new Float64Array(design.rows);
    this.#slopes = new Float64Array(design.rows);
    this.#slopeChange = new Float64Array(loss.quadratic ? 0 : design.rows);
    this.#aimed = design.emptyProduct();
    const spent = memory && keptVectorOrNone(memory, "spent", design.columns);
    this.#cache = design.gramCache?.(spent);
    const gradient = memory && keptVectorOrNone(memory, "gradient", design.columns);
    this.#gradient = gradient ?? new Float64Array(design.columns);
    if (memory === undefined) {
      this.refresh();
      return;
    }
    for (let i = 0; i < design.rows; i++) this.#slopes[i] = loss.slope(i, this.#z[i]);
    this.value = keptNumber(memory, "value");
    this.#fresh = gradient !== undefined;
    this.#wanted = keptNumber(memory, "wanted") !== 0;
    this.#updates = keptNumber(memory, "updates");
  }

  save(): SmoothMemory {
    this.#pay();
    return {
      value: this.value,
      z: this.#z.slice(),
      gradient: this.#fresh ? this.#gradient.slice() : null,
      wanted: this.#wanted ? 1 : 0,
      updates: this.#updates,
      spent: this.#cache?.save() ?? null,
    };
  }

  refresh(): void {
    const { design, loss, x } = this;
    const all = design.emptyProduct();
    design.product(placesFrom0(x.length), x, all);
    this.#z.set(all.values);
    this.value = 0;
    for (let i = 0; i < design.rows; i++) {
      this.#slopes[i] = loss.slope(i, this.#z[i]);
      this.value += loss.value(i, this.#z[i]);
    }
    this.#fresh = false;
    this.#owed = undefined;
    this.#curvatures = undefined;
  }

  gradient(): Float64Array {
    this.#pay();
    if (!this.#fresh) {
      this.design.transposed(this.#slopes, this.#gradient);
      this.#fresh = true;
      this.#updates = 0;
    }
    this.#wanted = true;
    return this.#gradient;
  }

  blockGradient(block: Int32Array, out: Float64Array): void {
    this.#pay();
    if (!this.#fresh) this.design.transposedBlock(this.#slopes, block, out);
    else for (let k = 0; k < block.length; k++) out[k] = this.#gradient[block[k]];
  }

  aim(block: Int32Array, d: Float64Array): void {
    this.#pay();
    this.#block = block;
    this.#d = d;
    this.#tried = undefined;
    this.design.product(block, d, this.#aimed);
  }

  change(alpha: number): number {
    if (this.#tried?.alpha !== alpha) this.#tried = { alpha, change: this.#changeOf(alpha) };
    return this.#tried.change;
  }

  #changeOf(alpha: number): number {
    const { loss } = this;
    const { values, rows, count } = this.#aimed;
    const z = this.#z;
    let total = 0;
    for (let k = 0; k < count; k++) {
      const i = rows[k];
      const dz = alpha * values[i];
      total += loss.difference ? loss.difference(i, z[i], dz) : loss.value(i, z[i] + dz) - loss.value(i, z[i]);
    }
    return total;
  }

  commit(alpha: number): void {
    const { loss, x } = this;
    this.value += this.change(alpha);
    this.#tried = undefined;
    for (let k = 0; k < this.#block.length; k++) x[this.#block[k]] += alpha * this.#d[k];
    const { values, rows, count } = this.#aimed;
    const keep = this.#fresh && this.#wanted && ++this.#updates < REFRESH;
    for (let k = 0; k < count; k++) {
      const i = rows[k];
      this.#z[i] += alpha * values[i];
      const slope = loss.slope(i, this.#z[i]);
      if (!loss.quadratic) this.#slopeChange[i] = slope - this.#slopes[i];
      this.#slopes[i] = slope;
      if (this.#curvatures) this.#curvatures[i] = loss.curvature(i, this.#z[i]);
    }
    this.#fresh = keep;
    this.#wanted = false;
    if (keep) this.#owed = alpha;
  }

  /** Adds to the gradient what the last step changed in it. */
  #pay(): void {
    const { design, loss } = this;
    if (this.#owed === undefined) return;
    const factor = this.#owed * loss.curvatureBound;
    this.#owed = undefined;
    if (!loss.quadratic) design.addTransposed(this.#slopeChange, this.#aimed, this.#gradient);
    else design.addGramProduct(this.#block, this.#d, this.#aimed, factor, this.#gradient, this.#cache);
  }

  boundTimes(block: Int32Array, d: Float64Array, out: Float64Array): void {
    const product = this.design.emptyProduct();
    this.design.product(block, d, product);
    out.fill(0);
    this.design.addGramProduct(block, d, product, this.loss.curvatureBound, out, this.#cache);
  }

  blockHessian(block: Int32Array): Float64Array {
    const { design, loss } = this;
    if (loss.quadratic) return design.gram(block).map((v) => loss.curvatureBound * v);
    this.#curvatures ??= this.#z.map((z, i) => loss.curvature(i, z));
    return design.gram(block, this.#curvatures);
  }
}
