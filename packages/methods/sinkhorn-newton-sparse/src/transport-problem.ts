import {
  type DType,
  DTypeError,
  requireChoice,
  ShapeError,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** Two histograms, and what it costs to move mass from one to the other. */
export interface TransportProblem {
  /** `[n, m]` cost of moving mass from place i to place j, finite; of size about 1, or scale `eta` with it. */
  readonly cost: TensorLike;
  /** `[n]` mass at each source, positive, summing to 1. Default 1/n each. */
  readonly r?: TensorLike;
  /** `[m]` mass at each target, positive, summing to 1. Default 1/m each. */
  readonly c?: TensorLike;
}

/** The arrays of a checked problem. */
export interface Arrays {
  readonly n: number;
  readonly m: number;
  /** `[n * m]`, row-major; may be the caller's own memory. */
  readonly cost: Float64Array;
  /** Positive, summing to 1 up to rounding. */
  readonly r: Float64Array;
  readonly c: Float64Array;
}

/** A problem without its empty places, and where the others stood. */
export interface ReducedProblem extends Arrays {
  /** Number of rows before, and which are kept; undefined where all are. */
  readonly rows?: { readonly count: number; readonly kept: Int32Array };
  readonly columns?: { readonly count: number; readonly kept: Int32Array };
}

/** How far the masses' sum may be from 1. */
const MASS_TOLERANCE = 1e-9;

/** `x` as float64 values of the given rank, all finite unless told otherwise. */
export function readArray(
  owner: string,
  name: string,
  x: TensorLike,
  rank: number,
  infinite = false,
): { data: Float64Array; shape: readonly number[]; dtype: DType } {
  const t = tensor(x, nestedDtype(x));
  if (t.dtype === "bool") throw new DTypeError(`${owner}: ${name} is of dtype bool; give numbers (float64 is best)`);
  if (t.rank !== rank) {
    throw new ShapeError(
      `${owner}: ${name} has shape [${t.shape}]; it must have ${rank === 1 ? "one axis" : `${rank} axes`}`,
    );
  }
  const values = t.data();
  const data = values instanceof Float64Array ? values : Float64Array.from(values);
  const bad = infinite ? -1 : data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new ValueError(`${owner}: ${name} holds ${data[bad]} at position ${bad}; it must be finite`);
  return { data, shape: t.shape, dtype: t.dtype };
}

/** Plain numbers become float64, whatever their nesting. */
function nestedDtype(x: TensorLike): { dtype?: DType } {
  let leaf: unknown = x;
  while (Array.isArray(leaf)) leaf = leaf[0];
  return typeof leaf === "number" ? { dtype: "float64" } : {};
}

/** The masses have names of their own in every library: those of another must not pass for none. */
export function checkNames(owner: string, problem: TransportProblem): void {
  if (typeof problem !== "object" || problem === null || !("cost" in problem)) {
    throw new ValueError(
      `${owner}: the problem must be { cost, r, c }, with the masses of the sources r and of the targets c`,
    );
  }
  const unknown = Object.keys(problem).find((name) => !["cost", "r", "c"].includes(name));
  if (unknown === undefined) return;
  throw new ValueError(
    `${owner}: a problem has no "${unknown}"; it is { cost, r, c }, with the masses of the sources r and of the targets c`,
  );
}

/** Checks a problem; with `dropZeros` rows and columns without mass are left out. */
export function readProblem(owner: string, problem: TransportProblem, dropZeros = false): ReducedProblem {
  requireChoice(owner, "dropZeros", dropZeros, [true, false]);
  checkNames(owner, problem);
  const { data, shape } = readArray(owner, "cost", problem.cost, 2);
  const [n, m] = shape;
  if (n === 0 || m === 0) throw new ShapeError(`${owner}: cost has shape [${shape}]; it needs a row and a column`);
  const r = readMasses(owner, "r", problem.r, n, dropZeros);
  const c = readMasses(owner, "c", problem.c, m, dropZeros);
  const rows = keptPlaces(r);
  const columns = keptPlaces(c);
  if (rows === undefined && columns === undefined) return { n, m, cost: data, r, c };
  const cost = selectEntries(data, m, rows?.kept ?? indices(n), columns?.kept ?? indices(m));
  const part = (mass: Float64Array, kept?: Int32Array) =>
    kept === undefined ? mass : Float64Array.from(kept, (i) => mass[i]);
  const left = { r: part(r, rows?.kept), c: part(c, columns?.kept) };
  return { n: left.r.length, m: left.c.length, cost, ...left, rows, columns };
}

/** `[size]` masses that sum to 1 up to rounding. */
export function readMasses(
  owner: string,
  name: string,
  x: TensorLike | undefined,
  size: number,
  zeros: boolean,
): Float64Array {
  if (x === undefined) return new Float64Array(size).fill(1 / size);
  const { data, dtype } = readArray(owner, name, x, 1);
  if (data.length !== size) {
    throw new ShapeError(
      `${owner}: ${name} has ${data.length} masses where ${size} are needed, one for each ${name === "r" ? "row" : "column"} of cost`,
    );
  }
  const bad = data.findIndex((mass) => !(zeros ? mass >= 0 : mass > 0));
  if (bad >= 0) {
    throw new ValueError(
      `${owner}: ${name}[${bad}] is ${data[bad]}; masses must be ${zeros ? ">= 0" : "positive (dropZeros: true leaves empty places out)"}`,
    );
  }
  const sum = data.reduce((a, b) => a + b, 0);
  if (!(Math.abs(sum - 1) <= MASS_TOLERANCE)) {
    // Dividing by the sum in float32 leaves as large a rest.
    const how = dtype === "float64" ? "divide it by its sum" : "cast it to float64, then divide it by its sum";
    throw new ValueError(`${owner}: ${name} sums to ${sum}; it must sum to 1 within 1e-9: ${how}`);
  }
  return data.map((mass) => mass / sum);
}

function keptPlaces(mass: Float64Array): { count: number; kept: Int32Array } | undefined {
  if (mass.every((value) => value > 0)) return undefined;
  return { count: mass.length, kept: indices(mass.length).filter((i) => mass[i] > 0) };
}

function indices(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i);
}

function selectEntries(data: Float64Array, m: number, rows: Int32Array, columns: Int32Array): Float64Array {
  const out = new Float64Array(rows.length * columns.length);
  let at = 0;
  for (const i of rows) for (const j of columns) out[at++] = data[i * m + j];
  return out;
}

/** The least and the greatest of the costs. */
export function spread(cost: Float64Array): { least: number; most: number } {
  let least = Infinity;
  let most = -Infinity;
  for (const value of cost) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}
