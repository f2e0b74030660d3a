import { hostTensor, matmul } from "@offprint/tensor-core";
import { placesFrom0 } from "./blocks/order.js";
import { Scratch } from "./scratch.js";

/** Rows of a Gram matrix that are computed at once: only what lies before and on its diagonal is. */
const STRIP = 48;
/** Variables of the largest block whose matrix is kept for the next one. */
const KEPT = 1024;

/** Columns of A, and the same times weights. */
const [panels, scaledPanels] = [new Scratch(), new Scratch()];

/**
 * A_b^T A_b of one block after another, by matrix products. A greedy block shares most variables with the one before, and
 * an entry of two of them is taken from there: products of two rows or more round every entry alike, whatever is computed
 * beside it, so that a run that is resumed without the block before goes on bit for bit.
 */
export class BlockGram {
  /** Where the variables of the block before are in its matrix. */
  #places = new Map<number, number>();
  #matrix = new Float64Array(0);
  /** Its size: a block may name a variable more than once, as one of softmax does that has several classes of a feature. */
  #size = 0;

  constructor(
    private readonly rows: number,
    /** Entry (i, j) of A at j * rows + i. */
    private readonly values: Float64Array,
  ) {}

  /** The matrix `[t * t]` of a block of two variables or more. */
  of(block: Int32Array): Float64Array {
    const t = block.length;
    const out = new Float64Array(t * t);
    const { known, fresh } = this.#split(block);
    this.#copyKnown(block, known, out);
    // Columns of A in the order known, fresh.
    const order = Int32Array.of(...known, ...fresh);
    const panel = this.#columns(block, order);
    this.#multiply(panel, panel, order, known.length, out);
    if (t <= KEPT) this.#keep(block, out);
    return out;
  }

  /** A_b^T diag(weights) A_b `[t * t]`. */
  weighted(block: Int32Array, weights: Float64Array): Float64Array {
    const { rows } = this;
    const t = block.length;
    const out = new Float64Array(t * t);
    const order = placesFrom0(t);
    const panel = this.#columns(block, order);
    const scaled = scaledPanels.take(t * rows);
    for (let k = 0, p = 0; k < t; k++) for (let i = 0; i < rows; i++, p++) scaled[p] = weights[i] * panel[p];
    this.#multiply(scaled, panel, order, 0, out);
    return out;
  }

  /** Puts the products of the columns from `first` on with all into their places: a strip of them with all up to its own end. */
  #multiply(left: Float64Array, right: Float64Array, order: Int32Array, first: number, out: Float64Array): void {
    const t = order.length;
    for (let from = first; from < t; ) {
      // No strip of a single row: see above.
      const to = t - from <= STRIP + 1 ? t : from + STRIP;
      const strip = this.#product(left, right, from, to);
      for (let a = from, p = 0; a < to; a++) {
        const row = order[a];
        for (let b = 0; b < to; b++, p++) {
          out[row * t + order[b]] = strip[p];
          out[order[b] * t + row] = strip[p];
        }
      }
      from = to;
    }
  }

  #keep(block: Int32Array, matrix: Float64Array): void {
    this.#places.clear();
    for (let k = 0; k < block.length; k++) this.#places.set(block[k], k);
    if (this.#matrix.length < matrix.length) this.#matrix = new Float64Array(matrix.length);
    this.#matrix.set(matrix);
    this.#size = block.length;
  }

  /** Places of the block whose variables were in the one before, and of the others, of which there is not a single one. */
  #split(block: Int32Array): { known: number[]; fresh: number[] } {
    const known: number[] = [];
    const fresh: number[] = [];
    for (let k = 0; k < block.length; k++) (this.#places.has(block[k]) ? known : fresh).push(k);
    if (fresh.length === 1) fresh.unshift(...known.splice(-1));
    return { known, fresh };
  }

  #copyKnown(block: Int32Array, known: readonly number[], out: Float64Array): void {
    const [t, s] = [block.length, this.#size];
    const from = known.map((k) => this.#places.get(block[k]) as number);
    for (let a = 0; a < known.length; a++) {
      const [row, source] = [known[a] * t, from[a] * s];
      for (let b = 0; b < known.length; b++) out[row + known[b]] = this.#matrix[source + from[b]];
    }
  }

  #columns(block: Int32Array, order: Int32Array): Float64Array {
    const { rows, values } = this;
    const panel = panels.take(order.length * rows);
    for (let p = 0; p < order.length; p++) {
      const from = block[order[p]] * rows;
      panel.set(values.subarray(from, from + rows), p * rows);
    }
    return panel;
  }

  /** Columns `from` to `to` of the left panel times all of the right one up to `to`. */
  #product(left: Float64Array, right: Float64Array, from: number, to: number): Float64Array {
    const { rows } = this;
    const part = (panel: Float64Array, start: number) =>
      hostTensor(panel.subarray(start * rows, to * rows), [to - start, rows], "float64");
    return matmul(part(left, from), part(right, 0).transpose()).data() as Float64Array;
  }
}
