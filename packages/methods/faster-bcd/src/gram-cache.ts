/** Memory for columns of A^T A, in float64 values. */
const LIMIT = 32e6;

/**
 * Columns of A^T A that come up again and again in one run: an iteration on known ones costs O(n t) in place of O(m n). A
 * column is computed once as much was spent without it as it costs, while there is room: never more than twice the cost
 * of the better choice.
 */
export class GramCache {
  readonly #columns: (Float64Array | undefined)[] = [];
  /** What was spent on products with A^T on account of each column, in units of one such product; Infinity for those kept. */
  readonly #spent: Float64Array;
  #left: number;

  /** @param spent what `save` of an earlier cache gave */
  constructor(
    private readonly compute: (j: number) => Float64Array,
    private readonly length: number,
    spent?: Float64Array,
  ) {
    this.#spent = spent ?? new Float64Array(length);
    this.#left = LIMIT - length * this.#spent.reduce((count, v) => count + (v === Infinity ? 1 : 0), 0);
  }

  /** Column j, where it is worth its cost. */
  column(j: number): Float64Array | undefined {
    if (this.#spent[j] !== Infinity) {
      if (this.#spent[j] < 1 || this.#left < this.length) return undefined;
      this.#left -= this.length;
      this.#spent[j] = Infinity;
    }
    this.#columns[j] ??= this.compute(j);
    return this.#columns[j];
  }

  /** Notes that a part of a product with A^T was on account of column j. */
  charge(j: number, part: number): void {
    this.#spent[j] += part;
  }

  /** Which columns are kept, and what was spent on the others: they decide how later products are rounded. */
  save(): Float64Array {
    return this.#spent.slice();
  }
}
