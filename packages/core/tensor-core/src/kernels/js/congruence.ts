/** See `congruence`. */
export function jsCongruence(
  left: Float64Array,
  start: number,
  transposed: boolean,
  v: Float64Array,
  n: number,
  out: Float64Array,
): void {
  const [row, column] = transposed ? [1, n] : [n, 1];
  const half = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < n; l++) sum += v[i * n + l]! * left[start + j * row + l * column]!;
      half[i * n + j] = sum;
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < n; l++) sum += left[start + i * row + l * column]! * half[l * n + j]!;
      out[i * n + j] = sum;
    }
  }
}
