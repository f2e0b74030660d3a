import { ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { GibbsKernel } from "./gibbs-kernel.js";
import { type ReducedProblem, readArray } from "./transport-problem.js";

/** Dual potentials to begin from, in units of cost; a result is one. */
export interface Potentials {
  /** `[n]` potentials of the rows. Default 0. */
  readonly x?: TensorLike;
  /** `[m]` potentials of the columns. Default 0. */
  readonly y?: TensorLike;
}

/** Puts the kernel at potentials that are given for the problem before empty places were left out. */
export function startFrom(
  owner: string,
  kernel: GibbsKernel,
  { n, m, rows, columns }: ReducedProblem,
  initial: Potentials | undefined,
): void {
  if (initial === undefined) return;
  if (typeof initial !== "object" || initial === null) {
    throw new ValueError(`${owner}: initial must be { x, y }, potentials of rows and columns, got ${String(initial)}`);
  }
  const { x, y } = initial;
  if (x === undefined && y === undefined) {
    throw new ValueError(`${owner}: initial has neither x nor y; give potentials of rows or columns, or leave it out`);
  }
  const { eta } = kernel;
  if (x !== undefined) kernel.u.set(scaled(owner, "initial.x", x, eta, rows?.count ?? n, rows?.kept));
  if (y !== undefined) kernel.v.set(scaled(owner, "initial.y", y, eta, columns?.count ?? m, columns?.kept));
  kernel.absorb();
}

function scaled(
  owner: string,
  name: string,
  x: TensorLike,
  eta: number,
  size: number,
  kept?: Int32Array,
): Float64Array {
  const given = readPotentials(owner, name, x, size, kept);
  return given.map((value) => eta * value);
}

function readPotentials(owner: string, name: string, x: TensorLike, size: number, kept?: Int32Array): Float64Array {
  // What was left out has the potential -Infinity in a result; such results may be given back.
  if (kept === undefined) {
    const { data } = readArray(owner, name, x, 1);
    checkSize(owner, name, data.length, size);
    return data;
  }
  const { data } = readArray(owner, name, x, 1, true);
  checkSize(owner, name, data.length, size);
  return readArray(
    owner,
    name,
    Float64Array.from(kept, (i) => data[i]),
    1,
  ).data;
}

function checkSize(owner: string, name: string, length: number, size: number): void {
  if (length !== size) {
    throw new ShapeError(`${owner}: ${name} has ${length} entries; it needs ${size}, one potential for each mass`);
  }
}
