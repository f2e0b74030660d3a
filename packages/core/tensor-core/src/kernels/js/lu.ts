/**
 * P A = L U with partial pivoting in place of the row-major A[rows, columns]; `order` receives the row of A that ends up
 * in each row. Returns the number of row exchanges.
 */
export function jsLu(a: Float64Array, rows: number, columns: number, order: Int32Array): number {
  for (let i = 0; i < rows; i++) order[i] = i;
  let exchanges = 0;
  for (let k = 0; k < Math.min(rows, columns); k++) {
    let pivot = k;
    for (let i = k + 1; i < rows; i++) {
      if (Math.abs(a[i * columns + k]!) > Math.abs(a[pivot * columns + k]!)) pivot = i;
    }
    if (pivot !== k) {
      const row = a.slice(k * columns, (k + 1) * columns);
      a.copyWithin(k * columns, pivot * columns, (pivot + 1) * columns);
      a.set(row, pivot * columns);
      [order[k], order[pivot]] = [order[pivot]!, order[k]!];
      exchanges++;
    }
    const diagonal = a[k * columns + k]!;
    if (diagonal === 0) continue;
    for (let i = k + 1; i < rows; i++) {
      const factor = a[i * columns + k]! / diagonal;
      a[i * columns + k] = factor;
      if (factor === 0) continue;
      for (let j = k + 1; j < columns; j++) a[i * columns + j]! -= factor * a[k * columns + j]!;
    }
  }
  return exchanges;
}
