import { attentionLast, attentionMean, attentionRollout } from "./attention.js";
import { leaveOneOut } from "./leave-one-out.js";
import { lime } from "./lime.js";
import { gradientNorm, gradientShap, inputXGradient, integratedGradients } from "./path-gradients.js";
import { randomScores } from "./random-scores.js";

/** What ReAGent is compared with. What a method asks of the model stands in its type. */
export const baselines = {
  /** Needs derivatives. */
  inputXGradient,
  /** Needs derivatives. */
  gradientNorm,
  /** Needs derivatives. */
  integratedGradients,
  /** Needs derivatives. */
  gradientShap,
  /** Needs attention weights. */
  attentionMean,
  /** Needs attention weights. */
  attentionLast,
  /** Needs attention weights. */
  attentionRollout,
  /** Needs embedding access. */
  lime,
  /** Needs nothing but the model's scores, and a replacer. */
  leaveOneOut,
  /** Needs nothing. */
  random: randomScores,
} as const;
