import { special, tensor, ValueError } from "@offprint/tensor-core";

/** How the level that sequences are to exceed rises. */
export interface RisingLevelOptions {
  /** Which quantile of a round becomes the level, in (0, 1). Default 0.9. */
  readonly quantile?: number;
  /** Deviation of the proxy's error, in standard deviations of the table. Default 0.3. */
  readonly noise?: number;
}

/** The names of {@link RisingLevelOptions}. */
export const levelNames = ["quantile", "noise"] as const;

/**
 * The level after a round, which never falls, and the probability of each prediction of the round to be above it.
 * @throws ValueError, at once, for options out of range.
 */
export function risingLevel(owner: string, { quantile = 0.9, noise = 0.3 }: RisingLevelOptions) {
  if (!(quantile > 0 && quantile < 1)) throw new ValueError(`${owner}: quantile is ${quantile}; it must be in (0, 1)`);
  if (!(noise > 0 && noise < Number.POSITIVE_INFINITY)) {
    throw new ValueError(`${owner}: noise is ${noise}; it must be a finite number > 0`);
  }
  return (before: number | null, predictions: ArrayLike<number>): { level: number; exceeding: Float64Array } => {
    const values = Float64Array.from(predictions);
    const reached = values.slice().sort()[Math.floor(quantile * (values.length - 1))];
    const level = before === null ? reached : Math.max(before, reached);
    const z = tensor(values.map((value) => (value - level) / noise));
    return { level, exceeding: Float64Array.from(special.normalCdf(z).data()) };
  };
}
