/** The sheet's weights: net(dims)[k][i][j] = sin(1.7 (i+1) + 2.3 (j+1) + 0.5 (k+1)(i+1)(j+1)) / sqrt(dims[k]). */
export function net(dims: readonly number[], first = 1.7, second = 2.3): number[][][] {
  return dims
    .slice(1)
    .map((rows, k) =>
      Array.from({ length: rows }, (_, i) =>
        Array.from(
          { length: dims[k] },
          (_, j) =>
            Math.sin(first * (i + 1) + second * (j + 1) + 0.5 * (k + 1) * (i + 1) * (j + 1)) / Math.sqrt(dims[k]),
        ),
      ),
    );
}

/** The layers of such a network. */
export function layers(dims: readonly number[]): { weight: number[][] }[] {
  return net(dims).map((weight) => ({ weight }));
}
