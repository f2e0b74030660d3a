import { type CausalLM, requirePrompt, requireTarget } from "@offprint/language";
import { runOptionNames } from "@offprint/solvers";
import { checkOptions, requireChoice, requireInteger, type TensorLike, ValueError } from "@offprint/tensor-core";
import { requireFunction, requireModel, requireOpenUnit, requireProtect } from "./argument-checks.js";
import type { UpdateRule } from "./evidence.js";
import type { ReagentRunOptions } from "./reagent-state.js";
import type { Replacer } from "./replacer.js";

/** What one step did, row by row for the runs that were still going. */
export interface StepTrace {
  /** Number of the step, from 1. */
  readonly iteration: number;
  /** The runs that took part, in the order of the rows below. */
  readonly runs: readonly number[];
  /** R: which tokens were replaced. */
  readonly masks: readonly (readonly boolean[])[];
  /** The prompts with these tokens replaced. */
  readonly replaced: readonly Int32Array[];
  /** Delta: by how much the target's probability fell. */
  readonly changes: readonly number[];
  /** Log-scores `[L]` after the update. */
  readonly scores: readonly Float64Array[];
  /** The tokens that the stop test kept, most important first. */
  readonly kept: readonly (readonly number[])[];
  /** The prompts of the stop test. */
  readonly filled: readonly Int32Array[];
  /** Whether a run stopped in this step. */
  readonly stopped: readonly boolean[];
}

/** Options of `reagent`. */
export interface ReagentOptions extends ReagentRunOptions {
  /** Where replacements come from: one of `replacers`, or a function of your own. */
  replacer: Replacer;
  /** Token whose probability is explained, an id of the model. Default the model's own prediction. */
  target?: number;
  /** r: share of the tokens that a step replaces, in (0, 1). Default 0.3. */
  ratio?: number;
  /** A run stops when the target is among this many most probable tokens, 1 to V. Default 3. */
  topK?: number;
  /** Tokens that the stop test keeps, >= 1. Default 5. */
  keepTopN?: number;
  /** In place of `keepTopN`: keep this share of the prompt, in (0, 1), rounded up. */
  keepRatio?: number;
  /** B: independent runs, advanced as one batch, >= 1. Default 5. */
  probes?: number;
  /** Most steps of a run, >= 1. Default 3000. */
  maxIterations?: number;
  /** Steps before the first stop test may end a run, >= 1. Default 1. */
  minIterations?: number;
  /** `[L]`: tokens that are never replaced, such as a beginning-of-sentence token. Default none. */
  protect?: readonly boolean[];
  /** How a change becomes evidence. Default `"logit"`, the paper's; `"linear"` adds the change itself. */
  update?: UpdateRule;
  /** Runs that must have a token among their `keepTopN` for it to belong to the rationale, >= 1. Default 2. */
  overlapThreshold?: number;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** `[B, L]` log-scores to start from. Default uniform on [0, 1). */
  initialScores?: TensorLike;
  /** Replacement masks in place of random ones: which tokens run `run` replaces in step `step` (from 1). */
  masks?: (step: number, run: number) => readonly boolean[];
  /** Sees everything that a step did, for inspection; nothing is awaited. */
  onStep?: (trace: StepTrace) => void;
}

const optionNames = [
  "replacer",
  "target",
  "ratio",
  "topK",
  "keepTopN",
  "keepRatio",
  "probes",
  "maxIterations",
  "minIterations",
  "protect",
  "update",
  "overlapThreshold",
  "seed",
  "initialScores",
  "masks",
  "onStep",
  ...runOptionNames,
] as const satisfies readonly (keyof ReagentOptions)[];

/** Options with their defaults filled in, checked. */
export interface Settings {
  /** r. */
  readonly ratio: number;
  /** Rank that the target must reach. */
  readonly topK: number;
  /** Tokens that the stop test keeps. */
  readonly keepTopN: number;
  /** B. */
  readonly probes: number;
  /** Most steps. */
  readonly maxIterations: number;
  /** Least steps. */
  readonly minIterations: number;
  /** Which tokens stay. */
  readonly protect: readonly boolean[];
  /** How a change becomes evidence. */
  readonly update: UpdateRule;
  /** Runs that must agree on a token of the rationale. */
  readonly overlapThreshold: number;
  /** Source of randomness. */
  readonly seed: number | string;
}

/** Fills in defaults. @throws ValueError, IndexError or ShapeError for what is unknown or out of range. */
export function settle(lm: CausalLM, ids: Int32Array, options: ReagentOptions): Settings {
  const where = "reagent";
  requireModel(where, lm);
  requirePrompt(where, ids, lm.vocabSize);
  checkOptions(where, options, optionNames);
  const { replacer, target, keepRatio, masks, onStep } = (options ?? {}) as Partial<ReagentOptions>;
  requireFunction(where, "replacer", replacer, "give one of replacers, such as replacers.mlm(maskedModel)");
  if (masks !== undefined) requireFunction(where, "masks", masks, "give a function of step and run");
  if (onStep !== undefined) requireFunction(where, "onStep", onStep, "give a function of what a step did");
  const { ratio = 0.3, topK = 3, probes = 5, maxIterations = 3000, minIterations = 1, update = "logit" } = options;
  const { overlapThreshold = 2, seed = 0 } = options;
  requireOpenUnit(where, "ratio", ratio);
  requireInteger(where, "topK", topK, 1, lm.vocabSize);
  if (keepRatio !== undefined) {
    if (options.keepTopN !== undefined) throw new ValueError(`${where}: give keepTopN or keepRatio, not both`);
    requireOpenUnit(where, "keepRatio", keepRatio);
  }
  const keepTopN = keepRatio === undefined ? (options.keepTopN ?? 5) : Math.ceil(keepRatio * ids.length);
  requireInteger(where, "keepTopN", keepTopN, 1);
  requireInteger(where, "probes", probes, 1);
  requireInteger(where, "maxIterations", maxIterations, 1);
  requireInteger(where, "minIterations", minIterations, 1);
  requireInteger(where, "overlapThreshold", overlapThreshold, 1);
  requireChoice(where, "update", update, ["logit", "linear"]);
  if (target !== undefined) requireTarget(where, target, lm.vocabSize);
  const protect = requireProtect(where, options.protect, ids.length);
  return { ratio, topK, keepTopN, probes, maxIterations, minIterations, protect, update, overlapThreshold, seed };
}
