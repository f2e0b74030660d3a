import { fedZo, fourierSurrogate, fzoos, trajectorySurrogate } from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in the place of a part. */
export interface Method {
  /** The method. */
  readonly fzoos: typeof fzoos;
  /** The competitors. */
  readonly fedZo: typeof fedZo;
  /** The local surrogate. */
  readonly trajectorySurrogate: typeof trajectorySurrogate;
  /** The global surrogate. */
  readonly fourierSurrogate: typeof fourierSurrogate;
}

/** The package's own. */
export const published: Method = { fzoos, fedZo, trajectorySurrogate, fourierSurrogate };

/** Cosine of the angle between two vectors. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let k = 0; k < a.length; k++) {
    ab += a[k] * b[k];
    aa += a[k] ** 2;
    bb += b[k] ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
