import { ShapeError, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";

/** Rows of values, all of them to be maximised. */
type Rows = readonly (readonly number[])[];

function rowsOf(owner: string, values: TensorLike): number[][] {
  const t = tensor(values, { dtype: "float64" });
  if (t.rank !== 2) throw new ShapeError(`${owner}: values have shape [${t.shape}]; they must be [n, m]`);
  if (!t.data().every(Number.isFinite)) throw new ValueError(`${owner}: a value is not finite`);
  return t.toArray() as number[][];
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((v, j) => v >= b[j]) && a.some((v, j) => v > b[j]);
}

function nondominated(rows: Rows): (readonly number[])[] {
  return rows.filter(
    (row, i) => !rows.some((other, k) => dominates(other, row) || (k < i && other.every((v, j) => v === row[j]))),
  );
}

/** Rows of values `[n, m]`, to be maximised, that no other row dominates; equal ones once, in their order. */
export function paretoFront(values: TensorLike): number[][] {
  return nondominated(rowsOf("paretoFront", values)).map((row) => [...row]);
}

/**
 * The volume that values `[n, m]`, to be maximised, dominate above a reference point: by slices along the last value,
 * exactly. Rows that do not exceed the reference count for nothing.
 */
export function hypervolume(values: TensorLike, reference: readonly number[]): number {
  const rows = rowsOf("hypervolume", values);
  if (rows.some((row) => row.length !== reference.length)) {
    throw new ShapeError(`hypervolume: the reference has ${reference.length} values; the rows have ${rows[0].length}`);
  }
  return volume(rows, reference);
}

function volume(rows: Rows, reference: readonly number[]): number {
  const above = rows.filter((row) => row.every((v, j) => v > reference[j]));
  if (above.length === 0) return 0;
  const last = reference.length - 1;
  if (last === 0) return Math.max(...above.map(([v]) => v)) - reference[0];
  const rest = reference.slice(0, last);
  let total = 0;
  let floor = reference[last];
  for (const level of levelsOf(above, last)) {
    const reaching = above.filter((row) => row[last] >= level).map((row) => row.slice(0, last));
    total += (level - floor) * volume(nondominated(reaching), rest);
    floor = level;
  }
  return total;
}

function levelsOf(rows: Rows, j: number): number[] {
  return [...new Set(rows.map((row) => row[j]))].sort((a, b) => a - b);
}

/** A box of values; sides without end are `Infinity`. */
export interface ValueBox {
  /** Lower sides. */
  readonly lower: readonly number[];
  /** Upper sides. */
  readonly upper: readonly number[];
}

/** @internal Disjoint boxes that make up what lies above the reference and is not dominated. */
export function nondominatedBoxes(values: Rows, reference: readonly number[]): ValueBox[] {
  const front = nondominated(values.filter((row) => row.every((v, j) => v > reference[j])));
  return boxesAbove(front, reference);
}

function boxesAbove(front: Rows, reference: readonly number[]): ValueBox[] {
  const last = reference.length - 1;
  if (last === 0) {
    return [{ lower: [Math.max(reference[0], ...front.map(([v]) => v))], upper: [Infinity] }];
  }
  const rest = reference.slice(0, last);
  const boxes: ValueBox[] = [];
  let floor = reference[last];
  for (const ceiling of [...levelsOf(front, last), Infinity]) {
    const reaching = front.filter((row) => row[last] >= ceiling).map((row) => row.slice(0, last));
    for (const { lower, upper } of boxesAbove(nondominated(reaching), rest)) {
      boxes.push({ lower: [...lower, floor], upper: [...upper, ceiling] });
    }
    floor = ceiling;
  }
  return boxes;
}
