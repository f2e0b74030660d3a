import { exactBound, globalBound, localLipschitz, monotonicity, sampleBound } from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in its place. */
export interface Method {
  readonly exactBound: typeof exactBound;
  readonly globalBound: typeof globalBound;
  readonly localLipschitz: typeof localLipschitz;
  readonly monotonicity: typeof monotonicity;
  readonly sampleBound: typeof sampleBound;
}

/** The method as it is. */
export const published: Method = { exactBound, globalBound, localLipschitz, monotonicity, sampleBound };
