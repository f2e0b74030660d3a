/** Values scaled to [0, 1]. */
export interface ScaledValues {
  readonly scaled: Float64Array;
  readonly least: number;
  /** Largest less least; where it is 0 all scaled values are. */
  readonly range: number;
}

/** (y - min y) / (max y - min y). */
export function scaledValues(y: ArrayLike<number>): ScaledValues {
  let [least, most] = [Infinity, -Infinity];
  for (let j = 0; j < y.length; j++) {
    least = Math.min(least, y[j]);
    most = Math.max(most, y[j]);
  }
  const range = y.length === 0 ? 0 : most - least;
  return { scaled: Float64Array.from(y, (value) => (range === 0 ? 0 : (value - least) / range)), least, range };
}
