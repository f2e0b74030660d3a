/** From so many numbers on a radix sort is faster than comparisons. */
const RADIX_FROM = 1024;
const DIGIT = 11;
const BUCKETS = 1 << DIGIT;

/** 0, 1, 2, ...: by a loop, as an iterator takes ten times as long. */
export function placesFrom0(count: number): Int32Array {
  const places = new Int32Array(count);
  for (let i = 0; i < count; i++) places[i] = i;
  return places;
}

/** Places of the numbers (all >= 0) from the largest to the smallest; of equal ones the smaller place first. */
export function descendingOrder(values: Float64Array): Int32Array {
  if (values.length >= RADIX_FROM) return radixOrder(values);
  return placesFrom0(values.length).sort((i, j) => values[j] - values[i] || i - j);
}

/** Places of the numbers (all >= 0) from the smallest to the largest; of equal ones the smaller place first. */
export function ascendingOrder(values: ArrayLike<number>): Int32Array {
  return placesFrom0(values.length).sort((i, j) => values[i] - values[j] || i - j);
}

/** The bits of numbers >= 0 are ordered as the numbers are: sorts them by digits, from the last to the first; stable. */
function radixOrder(values: Float64Array): Int32Array {
  const n = values.length;
  const words = new Uint32Array(values.slice().buffer);
  const little = new Uint8Array(Uint32Array.of(1).buffer)[0];
  const counts = new Int32Array(BUCKETS);
  let order: Int32Array = placesFrom0(n);
  let next: Int32Array = new Int32Array(n);
  // Digits of 11 bits, complemented so that large ones come first: three of the lower word, three of the upper one.
  const mask = BUCKETS - 1;
  for (let pass = 0; pass < 6; pass++) {
    const offset = pass < 3 ? 1 - little : little;
    const shift = (pass % 3) * DIGIT;
    counts.fill(0);
    for (let p = offset; p < 2 * n; p += 2) counts[~(words[p] >>> shift) & mask]++;
    let total = 0;
    for (let b = 0; b < BUCKETS; b++) {
      const count = counts[b];
      counts[b] = total;
      total += count;
    }
    for (let k = 0; k < n; k++) {
      const i = order[k];
      next[counts[~(words[2 * i + offset] >>> shift) & mask]++] = i;
    }
    [order, next] = [next, order];
  }
  return order;
}

/**
 * The places of the `count` largest numbers, ascending; of equal ones the smaller place is taken. A
 * heap of the best so far: one pass over the numbers, of which few get into it.
 */
export function largest(values: Float64Array, count: number): Int32Array {
  const heap = new Int32Array(count);
  let size = 0;
  // The root is the worst of those kept.
  const worse = (i: number, j: number): boolean => {
    if (values[i] !== values[j]) return values[i] < values[j];
    return i > j;
  };
  const sink = (from: number): void => {
    for (let k = from; ; ) {
      let child = 2 * k + 1;
      if (child >= size) return;
      if (child + 1 < size && worse(heap[child + 1], heap[child])) child++;
      if (!worse(heap[child], heap[k])) return;
      [heap[k], heap[child]] = [heap[child], heap[k]];
      k = child;
    }
  };
  for (let i = 0; i < values.length; i++) {
    if (size < count) {
      heap[size++] = i;
      if (size === count) for (let k = (count >> 1) - 1; k >= 0; k--) sink(k);
    } else if (values[i] >= values[heap[0]] && worse(heap[0], i)) {
      heap[0] = i;
      sink(0);
    }
  }
  return heap.sort();
}
