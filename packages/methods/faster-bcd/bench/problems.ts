/* Problems that the Python peers make alike: numbers from a formula, not from a generator. */

/** In [-1, 1), like noise. */
export function noise(i: number, j: number): number {
  const v = Math.sin(12.9898 * (i + 1) + 78.233 * (j + 1) + 0.37 * i * j) * 43758.5453;
  return 2 * (v - Math.floor(v)) - 1;
}

/** `[m * n]` with columns of different scales, and a right side that a twentieth of them explains. */
export function design(m: number, n: number): { A: Float64Array; y: Float64Array } {
  const A = new Float64Array(m * n);
  const y = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      A[i * n + j] = noise(i, j) * (0.5 + (j % 7) / 4);
      if (j % 20 === 0) y[i] += A[i * n + j] * (1 + (j % 3));
    }
    y[i] += 0.3 * noise(i, n + 5);
  }
  return { A, y };
}
