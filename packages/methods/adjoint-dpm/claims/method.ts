import {
  adjointGradient,
  adjointSample,
  adjointValueAndGradient,
  finetune,
  optimizeCondition,
  optimizeNoise,
} from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** A loss and its gradients. */
  readonly valueAndGradient: typeof adjointValueAndGradient;
  /** Samples with a tape. */
  readonly sample: typeof adjointSample;
  /** Gradients from a tape. */
  readonly gradient: typeof adjointGradient;
  /** Optimises noise. */
  readonly optimizeNoise: typeof optimizeNoise;
  /** Optimises conditions. */
  readonly optimizeCondition: typeof optimizeCondition;
  /** Trains weights. */
  readonly finetune: typeof finetune;
}

/** The method of the paper. */
export const adjointDpm: Method = {
  valueAndGradient: adjointValueAndGradient,
  sample: adjointSample,
  gradient: adjointGradient,
  optimizeNoise,
  optimizeCondition,
  finetune,
};
