import { ShapeError, type TensorLike } from "@offprint/tensor-core";
import type { GibbsKernel } from "./gibbs-kernel.js";
import { type ReducedProblem, readArray } from "./transport-problem.js";

/** Puts the kernel at potentials x0 and y0, given for the problem before empty places were left out. */
export function startFrom(
  owner: string,
  kernel: GibbsKernel,
  { n, m, rows, columns }: ReducedProblem,
  x0: TensorLike | undefined,
  y0: TensorLike | undefined,
): void {
  if (x0 === undefined && y0 === undefined) return;
  const { eta } = kernel;
  if (x0 !== undefined) kernel.u.set(scaled(owner, "x0", x0, eta, rows?.count ?? n, rows?.kept));
  if (y0 !== undefined) kernel.v.set(scaled(owner, "y0", y0, eta, columns?.count ?? m, columns?.kept));
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
