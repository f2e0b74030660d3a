import { hostTensor, matmul } from "@offprint/tensor-core";

/** Rows of a Gram matrix that are computed at once: only what lies before and on its diagonal is. */
const STRIP = 48;
/** Variables of the largest block whose matrix is kept for the next one. */
const KEPT = 1024;

/**
 * A_b^T A_b of one block after another, by matrix products. A greedy block shares most variables with the one before, and
 * an entry of two of them is taken from there: products of two rows or more round every entry alike, whatever is computed
 * beside it, so that a run that is resumed without the block before goes on bit for bit.
 */
export class BlockGram {
  #block: Int32Array = new Int32Array(0);
  #matrix = new Float64Array(0);

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
    // Columns of A in the order known, fresh: a strip of fresh ones is multiplied with all up to its own end.
    const order = Int32Array.of(...known, ...fresh);
    const panel = this.#columns(block, order);
    for (let from = known.length; from < t; ) {
      // No strip of a single row: see above.
      const to = t - from <= STRIP + 1 ? t : from + STRIP;
      const strip = this.#product(panel, from, to);
      for (let a = from, p = 0; a < to; a++) {
        const row = order[a] * t;
        for (let b = 0; b < to; b++, p++) {
          out[row + order[b]] = strip[p];
          out[order[b] * t + order[a]] = strip[p];
        }
      }
      from = to;
    }
    if (t <= KEPT) [this.#block, this.#matrix] = [block.slice(), out.slice()];
    return out;
  }

  /** Places of the block whose variables were in the one before, and of the others, of which there is not a single one. */
  #split(block: Int32Array): { known: number[]; fresh: number[] } {
    const before = new Set(this.#block);
    const places = Array.from(block.keys());
    const known = places.filter((k) => before.has(block[k]));
    const fresh = places.filter((k) => !before.has(block[k]));
    if (fresh.length === 1) fresh.unshift(...known.splice(-1));
    return { known, fresh };
  }

  #copyKnown(block: Int32Array, known: readonly number[], out: Float64Array): void {
    const [t, s] = [block.length, this.#block.length];
    const at = new Map(Array.from(this.#block, (i, k) => [i, k]));
    const from = known.map((k) => at.get(block[k]) as number);
    for (let a = 0; a < known.length; a++) {
      const [row, source] = [known[a] * t, from[a] * s];
      for (let b = 0; b < known.length; b++) out[row + known[b]] = this.#matrix[source + from[b]];
    }
  }

  #columns(block: Int32Array, order: Int32Array): Float64Array {
    const { rows, values } = this;
    const panel = new Float64Array(order.length * rows);
    for (let p = 0; p < order.length; p++) {
      const from = block[order[p]] * rows;
      panel.set(values.subarray(from, from + rows), p * rows);
    }
    return panel;
  }

  /** Columns `from` to `to` of the panel times all of them up to `to`. */
  #product(panel: Float64Array, from: number, to: number): Float64Array {
    const { rows } = this;
    const part = (start: number) => hostTensor(panel.subarray(start * rows, to * rows), [to - start, rows], "float64");
    return matmul(part(from), part(0).transpose()).data() as Float64Array;
  }
}
