import {
  cbo,
  cboTrain,
  consensusHopping,
  consensusPoint,
  gradientDescent,
  hopGradient,
  proximalStep,
} from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in the place of a part. */
export interface Method {
  /** Consensus-based optimisation. */
  readonly cbo: typeof cbo;
  /** Consensus hopping. */
  readonly consensusHopping: typeof consensusHopping;
  /** A weighted mean. */
  readonly consensusPoint: typeof consensusPoint;
  /** A hop as a gradient step. */
  readonly hopGradient: typeof hopGradient;
  /** The competitors. */
  readonly gradientDescent: typeof gradientDescent;
  /** The limit for large alpha. */
  readonly proximalStep: typeof proximalStep;
  /** Training without gradients. */
  readonly cboTrain: typeof cboTrain;
}

/** The package's own. */
export const published: Method = {
  cbo,
  consensusHopping,
  consensusPoint,
  hopGradient,
  gradientDescent,
  proximalStep,
  cboTrain,
};

/** Euclidean distance. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += (a[j] - b[j]) ** 2;
  return Math.sqrt(sum);
}

/** The part of runs for which a condition held. */
export function rate(runs: readonly boolean[]): number {
  return runs.filter(Boolean).length / runs.length;
}
