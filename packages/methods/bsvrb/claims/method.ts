import { bsvrb, rsvrb } from "../src/index.js";

/** The functions that claims are about; tests put baselines and broken variants in their place. */
export const published = { bsvrb, rsvrb };

/** The same, whatever stands in their place. */
export type Method = typeof published;

/** Both versions. */
export const versions = ["v1", "v2"] as const;

/** Of all runs on test bed Q: lambda, V, alpha and beta. */
export const constants = { strongConvexity: 0.1, linearBound: 20, alpha: 0.1, beta: 0.05 } as const;

/**
 * Steps of the rows: the v_i of version 2 twice as fast as the y_i, so that they follow them. With equal steps they lag, and
 * the gradient is noisier.
 */
export const rowSteps = (lowerStepSize: number) => ({ lowerStepSize, linearStepSize: 2 * lowerStepSize });
