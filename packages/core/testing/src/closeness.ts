import { AssertionError } from "node:assert";

/** How far values may be from what is expected; the largest of the parts that are given counts. */
export interface Tolerance {
  /** Allowed difference of every value. */
  readonly absolute?: number;
  /** Allowed difference as a part of the magnitude of the expected value. */
  readonly relative?: number;
  /** Allowed difference as a part of the largest magnitude among the expected values of the same array. */
  readonly ofLargest?: number;
  /** Whether NaN is close to NaN. Default false. */
  readonly equalNaN?: boolean;
}

interface Values {
  readonly data: ArrayLike<number>;
  readonly shape?: readonly number[];
}

/**
 * Expects values to be close: numbers, arrays (typed, nested) and tensors of them, and objects and arrays of these,
 * which must have the same parts. Shapes must agree where both sides have one; a flat list of numbers stands for an
 * array of any shape. A NaN is close to nothing unless `equalNaN` says so.
 *
 * @param tolerance a number t allows `t * max(1, |expected|)` for each value; default 1e-10
 * @param what begins the message
 * @throws AssertionError that names the place, the two values, their difference and what was allowed
 */
export function expectClose(
  actual: unknown,
  expected: unknown,
  tolerance: number | Tolerance = 1e-10,
  what = "",
): void {
  const allowed = typeof tolerance === "number" ? { absolute: tolerance, relative: tolerance } : tolerance;
  const problem = firstProblem(actual, expected, allowed, "");
  if (problem === undefined) return;
  const message = what === "" ? problem : `${what}: ${problem}`;
  throw new AssertionError({ message, operator: "expectClose", stackStartFn: expectClose });
}

function firstProblem(actual: unknown, expected: unknown, allowed: Tolerance, path: string): string | undefined {
  const [found, wanted] = [valuesOf(actual), valuesOf(expected)];
  if (found && wanted) return difference(found, wanted, allowed, path);
  const [left, right] = [partsOf(actual), partsOf(expected)];
  if (left === undefined || right === undefined) {
    return `${place(path)} is ${kindOf(actual)}, expected ${kindOf(expected)}`;
  }
  const [has, needs] = [left, right].map((parts) => [...parts.keys()].sort().join(", "));
  if (has !== needs) return `${place(path)} has the parts ${has || "(none)"}, expected ${needs || "(none)"}`;
  for (const [key, part] of left) {
    const problem = firstProblem(part, right.get(key), allowed, `${path}${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function difference(found: Values, wanted: Values, allowed: Tolerance, path: string): string | undefined {
  const shape = wanted.shape ?? [wanted.data.length];
  if (found.shape && wanted.shape ? found.shape.join() !== shape.join() : found.data.length !== wanted.data.length) {
    return `${place(path)} has the shape [${found.shape ?? found.data.length}], expected [${shape}]`;
  }
  const { absolute = 0, relative = 0, ofLargest = 0, equalNaN = false } = allowed;
  let largest = 0;
  if (ofLargest > 0) {
    for (let i = 0; i < wanted.data.length; i++) {
      if (Number.isFinite(wanted.data[i])) largest = Math.max(largest, Math.abs(wanted.data[i]));
    }
  }
  const everywhere = Math.max(absolute, ofLargest * largest);
  for (let i = 0; i < wanted.data.length; i++) {
    const [a, e] = [found.data[i], wanted.data[i]];
    if (a === e || (equalNaN && Number.isNaN(a) && Number.isNaN(e))) continue;
    const limit = Math.max(everywhere, relative * Math.abs(e));
    if (Number.isFinite(e) && Math.abs(a - e) <= limit) continue;
    const index = found.shape ?? wanted.shape;
    return `${place(path)}${index?.length ? `[${position(i, index)}]` : wanted.data.length > 1 ? `[${i}]` : ""} is ${a}, expected ${e}: they differ by ${figure(Math.abs(a - e))}, allowed is ${figure(limit)}`;
  }
  return undefined;
}

/** Numbers of a number, an array of numbers, or anything with `shape` and `data`. */
function valuesOf(x: unknown): Values | undefined {
  if (typeof x === "number" || typeof x === "boolean") return { data: [Number(x)], shape: [] };
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) return { data: x as unknown as ArrayLike<number> };
  if (Array.isArray(x)) return nested(x);
  if (typeof x !== "object" || x === null || !("shape" in x) || !("data" in x)) return undefined;
  const data = typeof x.data === "function" ? x.data() : x.data;
  return { data: data as ArrayLike<number>, shape: x.shape as readonly number[] };
}

function nested(list: readonly unknown[]): Values | undefined {
  if (list.every((each) => typeof each === "number")) return { data: list as number[] };
  if (!list.every((each) => Array.isArray(each) || ArrayBuffer.isView(each))) return undefined;
  const rows = list.map(valuesOf);
  const first = rows[0];
  if (first === undefined || rows.some((row) => row?.data.length !== first.data.length)) return undefined;
  const data = rows.flatMap((row) => Array.from((row as Values).data));
  return { data, shape: [rows.length, ...(first.shape ?? [first.data.length])] };
}

function partsOf(x: unknown): Map<string, unknown> | undefined {
  if (Array.isArray(x)) return new Map(x.map((part, i) => [`[${i}]`, part]));
  if (typeof x !== "object" || x === null) return undefined;
  return new Map(Object.entries(x).map(([key, part]) => [`.${key}`, part]));
}

function position(at: number, shape: readonly number[]): string {
  const index: number[] = [];
  let rest = at;
  for (const size of shape.slice().reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index.join(", ");
}

function place(path: string): string {
  return path === "" ? "the value" : path.replace(/^\./, "");
}

function kindOf(x: unknown): string {
  return typeof x === "object" && x !== null ? "an object or array" : String(x);
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
