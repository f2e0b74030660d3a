import {
  attentionSvm,
  generalisedSvm,
  locallyOptimal,
  regularisationPath,
  trainAttention,
  trainAttentions,
} from "../src/index.js";

/** The functions that the claims are about; tests put baselines and broken variants in their place. */
export const svmTransformers = {
  attentionSvm,
  generalisedSvm,
  locallyOptimal,
  regularisationPath,
  trainAttention,
  trainAttentions,
};

/** Their types. */
export type Method = typeof svmTransformers;
