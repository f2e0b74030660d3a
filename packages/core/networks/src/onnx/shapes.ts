import { UnsupportedError } from "@offprint/tensor-core";

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/** Number of elements. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** An axis, or an index, counted from the front. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/**
 * An axis counted from the front.
 *
 * @throws UnsupportedError where there is none
 */
export function checkedAxis(axis: number, rank: number, where: string): number {
  const own = axisOf(axis, rank);
  if (Number.isInteger(own) && own >= 0 && own < rank) return own;
  throw new UnsupportedError(`${where}: there is no axis ${axis} among ${rank}; the file is damaged`);
}

/** Most elements of an array that is computed: a few bytes of shapes can ask for any number. */
const MOST_ELEMENTS = 2 ** 20;

/**
 * The number of elements of an array that is to be computed.
 *
 * @throws UnsupportedError for more than 2^20 of them
 */
export function checkedCount(shape: readonly number[]): number {
  const count = countOf(shape);
  if (count <= MOST_ELEMENTS) return count;
  throw new UnsupportedError(
    `fromOnnx: an array of shape [${shape}] has more than ${MOST_ELEMENTS} elements; only smaller networks are read`,
  );
}

/**
 * Calls back with every index of a shape, in order.
 *
 * @throws UnsupportedError for more than 2^20 of them
 */
export function eachIndex(shape: readonly number[], visit: (index: readonly number[], place: number) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const count = checkedCount(shape);
  for (let place = 0; place < count; place++) {
    visit(index, place);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]++;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** The shape that two arrays share after broadcasting. */
export function broadcastShapes(a: readonly number[], b: readonly number[], where: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, k) => {
    const [m, n] = [a[k - rank + a.length] ?? 1, b[k - rank + b.length] ?? 1];
    if (m !== n && m !== 1 && n !== 1) throw new UnsupportedError(`${where}: shapes [${a}] and [${b}] do not fit`);
    return m === 1 ? n : m;
  });
}

/** The place of a broadcast index in an array of its own shape. */
export function broadcastPlace(index: readonly number[], shape: readonly number[]): number {
  const strides = stridesOf(shape);
  let place = 0;
  for (let k = 0; k < shape.length; k++) {
    if (shape[k] !== 1) place += strides[k] * index[index.length - shape.length + k];
  }
  return place;
}

/** The target of a Reshape: 0 keeps an extent (unless `allowZero`), -1 takes the rest. */
export function reshapeTarget(
  from: readonly number[],
  wanted: readonly number[],
  where: string,
  allowZero = false,
): number[] {
  const target = wanted.map((n, k) => (n === 0 && !allowZero ? from[k] : n));
  const known = target.reduce((product, n) => (n < 0 ? product : product * n), 1);
  const shape = target.map((n) => (n < 0 ? countOf(from) / known : n));
  if (countOf(shape) !== countOf(from) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new UnsupportedError(
      `${where}: one sample of shape [${from}] cannot take shape [${wanted}]; export with batch size 1`,
    );
  }
  return shape;
}
