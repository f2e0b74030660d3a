import {
  ChebCB,
  type OnlinePolicy,
  omegaStar,
  sorSpectralRadius,
  surrogate,
  TsallisInf,
  TsallisInfBinned,
} from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in the place of a part. */
export interface Method {
  /** A bandit without context. */
  readonly tsallis: (settings: number[], seed: number | string) => OnlinePolicy;
  /** A bandit for each bin of contexts. */
  readonly binned: (
    settings: number[],
    seed: number | string,
    bins: number,
    range: readonly [number, number],
  ) => OnlinePolicy;
  /** A bandit that predicts losses from the context. */
  readonly cheb: (settings: number[], seed: number | string, range: readonly [number, number]) => OnlinePolicy;
  /** Young's optimum. */
  readonly omegaStar: typeof omegaStar;
  /** Young's spectral radius. */
  readonly sorSpectralRadius: typeof sorSpectralRadius;
  /** The near-asymptotic bound of the iteration count. */
  readonly surrogate: typeof surrogate;
}

/** The package's own. */
export const published: Method = {
  tsallis: (settings, seed) => new TsallisInf({ settings, seed }),
  binned: (settings, seed, bins, range) => new TsallisInfBinned({ settings, seed, bins, range }),
  cheb: (settings, seed, range) => new ChebCB({ settings, seed, range }),
  omegaStar,
  sorSpectralRadius,
  surrogate,
};
