/** Less than the rounding of a sum of masses. */
const LOOSE = 1e-17;

/**
 * Solves (D - A) w = b for a symmetric matrix A >= 0 without diagonal and D = diag(A 1 + excess), excess >= 0, by
 * elimination without subtractions: the diagonal is never stored, but summed from the off-diagonal entries and the
 * excess whenever it is needed. The relative error stays near rounding however ill-conditioned the matrix is (Alfa, Xue
 * and Ye, "Accurate computation of the smallest eigenvalue of a diagonally dominant M-matrix", 2002; the elimination is
 * that of Grassmann, Taksar and Heyman, 1985). A component without excess is singular: one of its entries is set to 0.
 * So is that of a component that is tied to the others by less than rounding: b does not say how far it should move.
 *
 * @param A `[size * size]`; the upper triangle is read, and overwritten
 * @param excess `[size]`, overwritten
 * @param b `[size]`, overwritten by w
 * @param diagonal `[size]`, what counts as rounding is measured by it
 */
export function solveLaplacian(A: Float64Array, excess: Float64Array, b: Float64Array, diagonal: Float64Array): void {
  const size = b.length;
  const pivots = new Float64Array(size);
  for (let p = 0; p < size; p++) {
    const row = p * size;
    let pivot = excess[p];
    for (let k = p + 1; k < size; k++) pivot += A[row + k];
    if (!(pivot > LOOSE * diagonal[p])) continue;
    pivots[p] = pivot;
    for (let i = p + 1; i < size; i++) {
      const a = A[row + i];
      if (a === 0) continue;
      const factor = a / pivot;
      excess[i] += factor * excess[p];
      b[i] += factor * b[p];
      const target = i * size;
      for (let k = i + 1; k < size; k++) A[target + k] += factor * A[row + k];
    }
  }
  for (let p = size - 1; p >= 0; p--) {
    const row = p * size;
    let sum = b[p];
    for (let k = p + 1; k < size; k++) sum += A[row + k] * b[k];
    b[p] = pivots[p] === 0 ? 0 : sum / pivots[p];
  }
}
