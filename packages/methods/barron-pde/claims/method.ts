import { barronRecursion, certify, descend, sampleNetwork } from "../src/index.js";

/** What claims are about; tests put baselines and broken variants in its place. */
export interface Method {
  readonly descend: typeof descend;
  readonly certify: typeof certify;
  readonly sampleNetwork: typeof sampleNetwork;
  readonly barronRecursion: typeof barronRecursion;
}

/** The method as it is published. */
export const published: Method = { descend, certify, sampleNetwork, barronRecursion };
