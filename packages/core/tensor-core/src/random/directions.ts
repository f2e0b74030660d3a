import { standardNormal } from "./normal.js";
import type { Source } from "./source.js";

/** Fills rows of `width` with points uniform on the unit sphere: normalised normal vectors. */
export function sphere(source: Source, out: Float64Array, width: number): void {
  for (let row = 0; row < out.length; row += width) {
    let square = 0;
    while (!(square > 0)) {
      square = 0;
      for (let k = row; k < row + width; k++) {
        out[k] = standardNormal(source);
        square += out[k] * out[k];
      }
    }
    const scale = 1 / Math.sqrt(square);
    for (let k = row; k < row + width; k++) out[k] *= scale;
  }
}

/**
 * Haar-distributed matrix with orthonormal columns, `rows >= columns`, returned column by column: the Q of a Gaussian
 * matrix's QR with the diagonal of R made positive, without which Q would not be uniform (Mezzadri, "How to generate
 * random matrices from the classical compact groups", Not. AMS 54, 2007).
 */
export function orthonormalColumns(source: Source, rows: number, columns: number): Float64Array {
  const q = new Float64Array(rows * columns);
  const reflectors = new Float64Array(rows * columns);
  const signs = new Float64Array(columns);
  for (let i = 0; i < reflectors.length; i++) reflectors[i] = standardNormal(source);
  for (let j = 0; j < columns; j++) {
    const v = reflectors.subarray(j * rows, (j + 1) * rows);
    for (let k = 0; k < j; k++) reflect(reflectors.subarray(k * rows, (k + 1) * rows), v, k);
    signs[j] = makeReflector(v, j);
  }
  for (let j = 0; j < columns; j++) {
    const column = q.subarray(j * rows, (j + 1) * rows);
    column[j] = signs[j];
    for (let k = j; k >= 0; k--) reflect(reflectors.subarray(k * rows, (k + 1) * rows), column, k);
  }
  return q;
}

/** Turns `x[start..]` into the unit vector of the reflection that maps it to a multiple of e_start, whose sign it returns. */
function makeReflector(x: Float64Array, start: number): number {
  let square = 0;
  for (let i = start; i < x.length; i++) square += x[i] * x[i];
  const norm = Math.sqrt(square);
  const sign = x[start] < 0 ? 1 : -1;
  x[start] -= sign * norm;
  const scale = 1 / Math.sqrt(2 * norm * Math.abs(x[start]));
  for (let i = 0; i < start; i++) x[i] = 0;
  for (let i = start; i < x.length; i++) x[i] *= scale;
  return sign;
}

/** x := (I - 2 v v^T) x, where v is 0 before `start`. */
function reflect(v: Float64Array, x: Float64Array, start: number): void {
  let dot = 0;
  for (let i = start; i < x.length; i++) dot += v[i] * x[i];
  dot *= 2;
  for (let i = start; i < x.length; i++) x[i] -= dot * v[i];
}
