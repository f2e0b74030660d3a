/**
 * Eigenvectors, singular vectors and QR factors are determined up to signs only. These functions choose them, so that
 * results do not depend on the kernel and change continuously with the matrix.
 */

/**
 * Makes the entry of largest magnitude positive in every column of row-major `columns` [m, k]. Row i of `partner`
 * [k, n] changes sign together with column i.
 */
export function positivePeaks(columns: Float64Array, m: number, k: number, partner?: Float64Array, n = 0): void {
  for (let j = 0; j < k; j++) {
    let peak = 0;
    for (let i = 0; i < m; i++) {
      const x = columns[i * k + j];
      // Entries of equal magnitude up to rounding: the first one counts.
      if (Math.abs(x) > Math.abs(peak) * (1 + 1e-10)) peak = x;
    }
    if (peak >= 0) continue;
    for (let i = 0; i < m; i++) columns[i * k + j] = -columns[i * k + j];
    if (partner !== undefined) for (let c = 0; c < n; c++) partner[j * n + c] = -partner[j * n + c];
  }
}

/** Makes the diagonal of r non-negative in `q r`, q [m, k] and r [k, n], k = min(m, n). */
export function positiveDiagonal(q: Float64Array, r: Float64Array, m: number, n: number): void {
  const k = Math.min(m, n);
  for (let j = 0; j < k; j++) {
    if (r[j * n + j] >= 0) continue;
    for (let c = j; c < n; c++) r[j * n + c] = -r[j * n + c];
    for (let i = 0; i < m; i++) q[i * k + j] = -q[i * k + j];
  }
}
