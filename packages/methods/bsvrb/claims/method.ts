import { bsvrb, rsvrb } from "../src/index.js";

/** The functions that claims are about; tests put baselines and broken variants in their place. */
export const published = { bsvrb, rsvrb };

/** The same, whatever stands in their place. */
export type Method = typeof published;

/** Both versions. */
export const versions = ["v1", "v2"] as const;

export type Version = (typeof versions)[number];

/** Of all runs on test bed Q: alpha and beta, with lambda and V. */
export const constants = { alpha: 0.1, beta: 0.05, strongConvexity: 0.1, linearBound: 20 } as const;

/** Those of a version: lambda belongs to the first, V to the second. */
export function constantsOf(version: Version) {
  const { strongConvexity, linearBound, ...common } = constants;
  return { version, ...common, ...(version === "v1" ? { strongConvexity } : { linearBound }) };
}

/**
 * Steps of the rows: the v_i of version 2 twice as fast as the y_i, so that they follow them. With equal steps they lag, and
 * the gradient is noisier.
 */
export const rowSteps = (version: Version, lowerStepSize: number) => ({
  lowerStepSize,
  ...(version === "v2" && { linearStepSize: 2 * lowerStepSize }),
});
