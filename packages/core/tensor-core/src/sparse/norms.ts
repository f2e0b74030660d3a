import type { Compressed } from "./compressed.js";
import { requireSparse } from "./operands.js";
import { majorLists, type SparseMatrix, toCsc, toCsr } from "./sparse-matrix.js";

/** Power of a norm: 1, 2 (Euclidean) or Infinity (largest size). */
export type NormOrder = 1 | 2 | typeof Number.POSITIVE_INFINITY;

/** Norm of every row, `[rows]`; order 2 by default. */
export function rowNorms(a: SparseMatrix, order: NormOrder = 2): Float64Array {
  requireSparse("rowNorms", a);
  return listNorms(majorLists(toCsr(a)), order);
}

/** Norm of every column, `[columns]`; order 2 by default. */
export function columnNorms(a: SparseMatrix, order: NormOrder = 2): Float64Array {
  requireSparse("columnNorms", a);
  return listNorms(majorLists(toCsc(a)), order);
}

/** Square root of the sum of squares of all entries. */
export function frobeniusNorm(a: SparseMatrix): number {
  requireSparse("frobeniusNorm", a);
  const norms = rowNorms(a);
  let largest = 0;
  for (const v of norms) if (v > largest || Number.isNaN(v)) largest = v;
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (const v of norms) sum += (v / largest) ** 2;
  return largest * Math.sqrt(sum);
}

function listNorms({ major, indptr, values }: Compressed, order: NormOrder): Float64Array {
  const norms = new Float64Array(major);
  for (let i = 0; i < major; i++) {
    let largest = 0;
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const size = Math.abs(values[p]);
      if (size > largest || Number.isNaN(size)) largest = size;
    }
    let sum = 0;
    if (order === 1) for (let p = indptr[i]; p < indptr[i + 1]; p++) sum += Math.abs(values[p]);
    if (order === 2 && largest > 0) for (let p = indptr[i]; p < indptr[i + 1]; p++) sum += (values[p] / largest) ** 2;
    norms[i] = order === 1 ? sum : order === 2 && Number.isFinite(largest) ? largest * Math.sqrt(sum) : largest;
  }
  return norms;
}
