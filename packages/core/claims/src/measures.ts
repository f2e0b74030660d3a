import { isTensor, requireObject, ShapeError, type Tensor, tree, ValueError } from "@offprint/tensor-core";

function checkSome(owner: string, values: ArrayLike<number>): void {
  if (values.length === 0) throw new ValueError(`${owner}: there are no values; give at least one.`);
}

/**
 * The arithmetic mean of some numbers.
 *
 * @throws ValueError when there are none
 */
export function meanOf(values: ArrayLike<number>): number {
  requireObject("meanOf", "values", values, "an array of numbers");
  checkSome("meanOf", values);
  return Array.from(values).reduce((total, value) => total + value, 0) / values.length;
}

/**
 * The median of some numbers; of an even count the mean of the two in the middle.
 *
 * @throws ValueError when there are none
 */
export function medianOf(values: ArrayLike<number>): number {
  requireObject("medianOf", "values", values, "an array of numbers");
  checkSome("medianOf", values);
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The largest absolute difference between the values of two tensors or arrays, or of two trees of them; NaN where one
 * of the values is NaN.
 *
 * @throws ShapeError when shapes differ (of plain arrays: their numbers of values)
 */
export function largestDifference(a: unknown, b: unknown): number {
  const [left, right] = [leavesOf(a), leavesOf(b)];
  if (left.length !== right.length) {
    throw new ShapeError(`largestDifference: the trees have ${left.length} and ${right.length} leaves`);
  }
  let largest = 0;
  for (const [k, x] of left.entries()) {
    const y = right[k];
    checkShapes(k, x, y);
    const [p, q] = [valuesOf(x), valuesOf(y)];
    for (let i = 0; i < p.length; i++) {
      const difference = p[i] === q[i] ? 0 : Math.abs(p[i] - q[i]);
      if (!(difference <= largest)) largest = difference;
      if (Number.isNaN(largest)) return largest;
    }
  }
  return largest;
}

type Leaf = Tensor | ArrayLike<number>;

function leavesOf(x: unknown): Leaf[] {
  if (ArrayBuffer.isView(x)) return [x as unknown as ArrayLike<number>];
  const flat = Array.isArray(x) ? x.flat(Number.POSITIVE_INFINITY) : [];
  if (flat.length > 0 && flat.every((value) => typeof value === "number")) return [flat];
  return tree.leaves<Leaf | number>(x).map((leaf) => (typeof leaf === "number" ? [leaf] : leaf));
}

function valuesOf(x: Leaf): ArrayLike<number> {
  return isTensor(x) ? x.data() : x;
}

function checkShapes(k: number, x: Leaf, y: Leaf): void {
  const [p, q] = isTensor(x) && isTensor(y) ? [x.shape, y.shape] : [[valuesOf(x).length], [valuesOf(y).length]];
  if (p.join() !== q.join()) throw new ShapeError(`largestDifference: leaf ${k} has the shapes [${p}] and [${q}]`);
}
