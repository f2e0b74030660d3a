import { ConvergenceError, ValueError } from "../errors.js";
import { type FloatArray, hasNonFinite, roundLike } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsEigh } from "./js/eigh.js";
import { fromUnit, unitScale } from "./scaling.js";
import { wasmEigh } from "./wasm/decompositions.js";

const WASM_FROM = 4;

/** A V = V diag(values). */
export interface EighResult<A extends FloatArray> {
  /** [n], ascending. */
  readonly values: A;
  /** [n, n]; column i is the unit eigenvector of values[i]. */
  readonly vectors: A;
}

/**
 * Eigenvalues and eigenvectors of the symmetric row-major A[n, n], of which the lower triangle is read; computed in
 * float64.
 *
 * @throws ValueError where A holds NaN or infinity, ConvergenceError where the iteration fails.
 */
export function eigh<A extends FloatArray>(a: A, n: number): EighResult<A> {
  const vectors = new Float64Array(n * n);
  const values = solve(a, n, vectors);
  const order = ascending(values);
  const columns = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = order[i]! * n;
    for (let j = 0; j < n; j++) columns[j * n + i] = vectors[row + j]!;
  }
  return { values: roundLike(a, values.slice().sort()), vectors: roundLike(a, columns) };
}

/** The eigenvalues alone; see `eigh`. */
export function eigvalsh<A extends FloatArray>(a: A, n: number): A {
  return roundLike(a, solve(a, n, undefined).sort());
}

function solve(a: FloatArray, n: number, vectors: Float64Array | undefined): Float64Array {
  const work = new Float64Array(a);
  if (hasNonFinite(work)) throw new ValueError("eigh: the matrix holds NaN or infinity; replace those entries first");
  const values = new Float64Array(n);
  if (n === 0) return values;
  const scale = unitScale(work);
  const runtime = wasmRuntime();
  const wasm = runtime && (n >= WASM_FROM || !choosesBySize());
  const converged = wasm ? wasmEigh(runtime, work, n, values, vectors) : jsEigh(work, n, values, vectors);
  if (!converged) throw new ConvergenceError("eigh: the QL iteration did not converge; check how A is scaled");
  fromUnit(values, scale);
  return values;
}

function ascending(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((i, j) => values[i]! - values[j]!);
}
