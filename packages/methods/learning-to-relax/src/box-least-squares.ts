import { ShapeError, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import { leastSquares } from "./least-squares.js";

/** A minimiser in the box. */
export interface BoxLeastSquaresResult {
  /** `[columns]`, each within its bound. */
  readonly x: Float64Array;
  /** |a x - y|^2. */
  readonly squaredResidual: number;
}

/**
 * Minimises |a x - y|^2 subject to |x_j| <= bound_j, by an active-set method from the clipped solution of least norm. With
 * fewer independent rows than columns there are many minimisers, of which this is one.
 *
 * @param a - `[rows, columns]`, a tensor or rows of numbers; finite, with few columns.
 * @param y - `[rows]`.
 * @param bound - `[columns]`, >= 0; 0 keeps an x_j at 0.
 * @throws ShapeError for lengths that do not fit; ValueError for values that are not finite and negative bounds.
 */
export function boxLeastSquares(a: TensorLike, y: TensorLike, bound: ArrayLike<number>): BoxLeastSquaresResult {
  const matrix = tensor(a, { dtype: "float64" });
  const right = tensor(y, { dtype: "float64" });
  const [rows, columns] = matrix.shape as [number, number];
  if (matrix.rank !== 2 || columns === 0) {
    throw new ShapeError(
      `boxLeastSquares: a has shape [${matrix.shape}]; it must be [rows, columns] with columns >= 1`,
    );
  }
  if (right.rank !== 1 || right.size !== rows) {
    throw new ShapeError(
      `boxLeastSquares: y has shape [${right.shape}]; it must be [${rows}], one number per row of a`,
    );
  }
  if (bound.length !== columns) {
    throw new ShapeError(
      `boxLeastSquares: bound has length ${bound.length}; it must be ${columns}, one per column of a`,
    );
  }
  const [elements, target] = [Float64Array.from(matrix.data()), Float64Array.from(right.data())];
  if (![...elements, ...target].every(Number.isFinite)) throw new ValueError("boxLeastSquares: a and y must be finite");
  if (!Array.from(bound).every((b) => typeof b === "number" && b >= 0))
    throw new ValueError("boxLeastSquares: bounds must be >= 0");
  return minimizeInBox(elements, rows, target, bound, leastSquares(elements, rows, columns, target));
}

/** The same for row-major `a` [rows, bound.length], from `start` clipped. */
export function minimizeInBox(
  a: Float64Array,
  rows: number,
  y: Float64Array,
  bound: ArrayLike<number>,
  start: Float64Array,
): BoxLeastSquaresResult {
  const columns = bound.length;
  const x = Float64Array.from(start, (v, j) => Math.min(bound[j]!, Math.max(-bound[j]!, v)));
  const free = Array.from(x, (v, j) => Math.abs(v) < bound[j]!);
  const lengths = Float64Array.from({ length: columns }, (_, j) => {
    let squares = 0;
    for (let i = 0; i < rows; i++) squares += a[i * columns + j]! ** 2;
    return Math.sqrt(squares);
  });
  const size = Math.sqrt(y.reduce((sum, v) => sum + v * v, 0));
  // Finitely many faces, each left for a lower value; the limit only stops a cycle by rounding.
  for (let step = 0; step < 50 * columns; step++) {
    const blocked = moveWithin(a, rows, y, bound, x, free);
    if (blocked) continue;
    const released = mostUseful(a, rows, y, x, free, bound, lengths, 1e-12 * size);
    if (released < 0) break;
    free[released] = true;
  }
  return { x, squaredResidual: residualOf(a, rows, y, x).reduce((sum, r) => sum + r * r, 0) };
}

function residualOf(a: Float64Array, rows: number, y: Float64Array, x: Float64Array): Float64Array {
  const residual = y.slice();
  for (let i = 0; i < rows; i++) for (let j = 0; j < x.length; j++) residual[i]! -= a[i * x.length + j]! * x[j]!;
  return residual;
}

/** Goes towards the minimum over the free coordinates; true if a bound, which then holds its coordinate, came first. */
function moveWithin(
  a: Float64Array,
  rows: number,
  y: Float64Array,
  bound: ArrayLike<number>,
  x: Float64Array,
  free: boolean[],
): boolean {
  const columns = x.length;
  const chosen = Array.from(x.keys()).filter((j) => free[j]);
  const part = new Float64Array(rows * chosen.length);
  for (let i = 0; i < rows; i++) chosen.forEach((j, c) => (part[i * chosen.length + c] = a[i * columns + j]!));
  const change = leastSquares(part, rows, chosen.length, residualOf(a, rows, y, x));
  let length = 1;
  let blocking = -1;
  chosen.forEach((j, c) => {
    const room = (change[c]! > 0 ? bound[j]! - x[j]! : bound[j]! + x[j]!) / Math.abs(change[c]!);
    if (room < length) [length, blocking] = [room, j];
  });
  chosen.forEach((j, c) => (x[j]! += length * change[c]!));
  for (const j of chosen) x[j] = Math.min(bound[j]!, Math.max(-bound[j]!, x[j]!));
  if (blocking < 0) return false;
  x[blocking] = Math.sign(change[chosen.indexOf(blocking)]!) * bound[blocking]!;
  free[blocking] = false;
  return true;
}

/** The coordinate at a bound whose release lowers the residual fastest, or -1 where none does. */
function mostUseful(
  a: Float64Array,
  rows: number,
  y: Float64Array,
  x: Float64Array,
  free: boolean[],
  bound: ArrayLike<number>,
  lengths: Float64Array,
  tolerance: number,
): number {
  const residual = residualOf(a, rows, y, x);
  let best = tolerance;
  let found = -1;
  for (let j = 0; j < x.length; j++) {
    if (free[j] || bound[j] === 0 || lengths[j] === 0) continue;
    let inward = 0;
    for (let i = 0; i < rows; i++) inward -= a[i * x.length + j]! * residual[i]!;
    inward *= Math.sign(x[j]!) / lengths[j]!;
    if (inward > best) [best, found] = [inward, j];
  }
  return found;
}
