import { checkOptions, requireObject, ValueError } from "@offprint/tensor-core";

/**
 * The cone K as a product, in the order of the rows of `A` and `b`: zero cone, nonnegative orthant, second-order cones,
 * semidefinite cones.
 */
export interface Cones {
  /** Number of equality rows (zero cone); default 0. */
  readonly z?: number;
  /** Number of nonnegative rows; default 0. */
  readonly l?: number;
  /** Dimensions of the second-order cones `{(t, v): ||v||_2 <= t}`, `t` first; default none. */
  readonly q?: readonly number[];
  /** Orders of the semidefinite cones, each of `n (n + 1) / 2` rows in `svec` form; default none. */
  readonly s?: readonly number[];
}

/** One factor of the cone. */
export interface ConeBlock {
  /** Which cone. */
  readonly kind: "zero" | "nonnegative" | "secondOrder" | "semidefinite";
  /** First row. */
  readonly start: number;
  /** Number of rows. */
  readonly length: number;
  /** Order of the matrix for a semidefinite block, else `length`. */
  readonly order: number;
}

/** `n (n + 1) / 2`, the length of `svec` of an n x n matrix. */
export function svecLength(n: number): number {
  return (n * (n + 1)) / 2;
}

/**
 * The blocks of a cone in order of their rows; empty ones are left out.
 *
 * @throws ValueError for a size that is not a nonnegative integer, a second-order or semidefinite cone of size 0, or a cone
 * of another name
 */
export function coneBlocks(cones: Cones): ConeBlock[] {
  requireObject("coneBlocks", "cones", cones, "Cones");
  checkOptions("cones", cones, ["z", "l", "q", "s"]);
  const blocks: ConeBlock[] = [];
  let start = 0;
  const push = (kind: ConeBlock["kind"], length: number, order: number): void => {
    if (length > 0) blocks.push({ kind, start, length, order });
    start += length;
  };
  push("zero", count(cones.z ?? 0, 0, "z"), cones.z ?? 0);
  push("nonnegative", count(cones.l ?? 0, 0, "l"), cones.l ?? 0);
  for (const [k, size] of sizes(cones.q, "q")) push("secondOrder", count(size, 1, `q[${k}]`), size);
  for (const [k, n] of sizes(cones.s, "s")) push("semidefinite", svecLength(count(n, 1, `s[${k}]`)), n);
  return blocks;
}

function sizes(given: readonly number[] = [], name: string): Iterable<[number, number]> {
  if (!Array.isArray(given)) throw new ValueError(`cones.${name} is ${given}; give a list with the size of each cone`);
  return given.entries();
}

function count(value: number, least: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new ValueError(`cones.${name} must be an integer >= ${least}, got ${value}`);
  }
  return value;
}

/** Number of rows of a list of blocks. */
export function rowCount(blocks: readonly ConeBlock[]): number {
  const last = blocks.at(-1);
  return last === undefined ? 0 : last.start + last.length;
}
