import { dcdm, directionLoss } from "../src/index.js";

/** What claims are about; tests put baselines and broken variants in its place. */
export interface Method {
  readonly dcdm: typeof dcdm;
  readonly directionLoss: typeof directionLoss;
}

/** The method as it is published. */
export const published: Method = { dcdm, directionLoss };
