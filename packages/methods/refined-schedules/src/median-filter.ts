import { ValueError } from "@offprint/tensor-core";

/** How a sequence goes on beyond its end: its last value again, or mirrored without repeating the last value. */
export type Edge = "nearest" | "reflect";

/** What lies beyond the two ends. */
export interface Edges {
  /** Left of the first value. */
  left: Edge;
  /** Right of the last value. */
  right: Edge;
}

/** Index inside `0..n-1` that stands for any index `i`; mirroring longer than the sequence goes on, period `2(n-1)`. */
function inside(i: number, n: number, { left, right }: Edges): number {
  if (i >= 0 && i < n) return i;
  if ((i < 0 ? left : right) === "nearest") return i < 0 ? 0 : n - 1;
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const within = ((i % period) + period) % period;
  return within < n ? within : period - within;
}

/**
 * How many values of each rank are in the window, as a binary indexed tree (Fenwick 1994): adding, removing and finding
 * the k-th smallest take `O(log T)`.
 */
class RankCounts {
  private readonly tree: Int32Array;
  private readonly top: number;

  constructor(ranks: number) {
    this.tree = new Int32Array(ranks + 1);
    this.top = 2 ** Math.floor(Math.log2(Math.max(1, ranks)));
  }

  add(rank: number, count: number): void {
    for (let i = rank + 1; i < this.tree.length; i += i & -i) this.tree[i] += count;
  }

  /** Rank of the k-th smallest value, k from 0. */
  find(k: number): number {
    let at = 0;
    for (let step = this.top; step > 0; step >>= 1) {
      const next = at + step;
      if (next < this.tree.length && this.tree[next] <= k) {
        k -= this.tree[next];
        at = next;
      }
    }
    return at;
  }
}

/** Place of every value among the sorted ones; equal values share a place. */
function ranksOf(x: Float64Array, sorted: Float64Array): Int32Array {
  return Int32Array.from(x, (value) => {
    let [low, high] = [0, sorted.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

/**
 * Running median, `[T]` to `[T]`, in `O(T log T)` whatever the width.
 *
 * @param x - Finite numbers, `[T]`.
 * @param width - Of the centred window, odd; 1 changes nothing; it may exceed T.
 * @param edges - Default as refinement has it: the first value repeated on the left, mirrored on the right.
 * @throws ValueError for a width that is not odd and >= 1, or NaN in the sequence.
 */
export function medianFilter(
  x: ArrayLike<number>,
  width: number,
  edges: Edges = { left: "nearest", right: "reflect" },
): Float64Array {
  if (!Number.isSafeInteger(width) || width < 1 || width % 2 === 0) {
    throw new ValueError(`medianFilter: the width is ${width}; it must be an odd integer >= 1`);
  }
  const values = Float64Array.from(x);
  const missing = values.findIndex(Number.isNaN);
  if (missing >= 0) throw new ValueError(`medianFilter: the value at index ${missing} is NaN; drop it first`);
  if (width === 1 || values.length === 0) return values;
  const n = values.length;
  const sorted = values.slice().sort();
  const ranks = ranksOf(values, sorted);
  const half = (width - 1) / 2;
  const counts = new RankCounts(n);
  for (let i = -half; i <= half; i++) counts.add(ranks[inside(i, n, edges)], 1);
  const medians = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    medians[t] = sorted[counts.find(half)];
    counts.add(ranks[inside(t - half, n, edges)], -1);
    counts.add(ranks[inside(t + half + 1, n, edges)], 1);
  }
  return medians;
}
