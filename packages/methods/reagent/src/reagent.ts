import type { CausalLM } from "@offprint/language";
import { type RunState, runLoop, type Status } from "@offprint/solvers";
import { random, type Tensor, tensor } from "@offprint/tensor-core";
import { requireValues } from "./argument-checks.js";
import { largest, NextToken, softmaxOf } from "./next-token.js";
import { type ReagentOptions, type Settings, settle } from "./reagent-options.js";
import { checkReagentState, type ProbeState, type ReagentRecord, type ReagentState } from "./reagent-state.js";
import { activeRuns, type Search, searchStep } from "./search-step.js";

/** What `reagent` finds. */
export interface Attribution {
  /** `[L]`: share of the prediction that each token of the prompt is responsible for; sums to 1. */
  readonly importance: Float64Array;
  /** The same of every run, float64 `[B, L]`. */
  readonly perProbe: Tensor;
  /** s: log-scores of every run, float64 `[B, L]`. */
  readonly logScores: Tensor;
  /** Tokens that are among the `keepTopN` of at least `overlapThreshold` runs, in the order of the prompt. */
  readonly rationale: readonly number[];
  /** The token that was explained. */
  readonly target: number;
  /** Its probability after the prompt. */
  readonly p0: number;
  /** How it ended: `converged` where every run stopped by itself. */
  readonly status: Status;
  /** Steps done. */
  readonly iterations: number;
  /** Prompts given to the model. */
  readonly forwardPasses: number;
  /** Which runs stopped by themselves. */
  readonly stopped: readonly boolean[];
  /** Whether one did, so that a few tokens were found to suffice; `importance` is otherwise the mean of all runs. */
  readonly sufficient: boolean;
  /** Step in which each run stopped, or null. */
  readonly stoppedAt: readonly (number | null)[];
  /** The prompt, kept tokens and replacements, after which a run found the target among the `topK`; or null. */
  readonly stopPrompts: readonly (Int32Array | null)[];
  /** Whether `keepTopN` covers the prompt, so that the stop test says nothing. */
  readonly trivial: boolean;
  /** The steps. */
  readonly history: readonly ReagentRecord[];
  /** To go on from with `resume`. */
  readonly state: RunState<ReagentState, ReagentRecord>;
}

/**
 * ReAGent (Zhao and Shan, 2024): replaces random tokens of a prompt by plausible ones again and again, and credits the
 * tokens whose absence makes the target less probable, until the few best of them, among replacements of all others,
 * still make the model say it. Forward passes only.
 *
 * @param ids `[L]` the prompt.
 * @throws ValueError, IndexError or ShapeError for arguments out of range and for a replacer that changes lengths;
 * NonFiniteError, with the last good state and the number of the step, for scores that are not finite.
 * @see https://arxiv.org/abs/2402.00794
 * @example const { importance } = await reagent(lm, ids, { replacer: replacers.mlm(maskedModel) });
 */
export async function reagent(lm: CausalLM, ids: Int32Array, options: ReagentOptions): Promise<Attribution> {
  const settings = settle(lm, ids, options);
  const search: Search = { lm, settings, options };
  const run = await runLoop<ReagentState, ReagentRecord>(
    {
      owner: "reagent",
      limit: settings.maxIterations,
      initial: () => begin(search, ids),
      step: (state, iteration) => searchStep(search, state, iteration),
      record: ({ last }) => last ?? undefined,
      finished: (state) => (activeRuns(state).length === 0 ? "converged" : undefined),
      check: (state) => checkReagentState(state, ids, settings.probes, options.target),
    },
    options,
  );
  const { status, iterations, history, state, last } = run;
  return { ...found(last, settings), status, iterations, history, state };
}

/** p0 = f(y)[t], and B runs whose scores are uniform on [0, 1). */
async function begin({ lm, settings, options }: Search, ids: Int32Array): Promise<ReagentState> {
  const { probes: count, seed } = settings;
  const { initialScores } = options;
  const given =
    initialScores === undefined
      ? undefined
      : requireValues("reagent", "initialScores", initialScores, [count, ids.length]);
  const first = await NextToken.after(lm, [ids], "reagent: step 0");
  const target = options.target ?? first.best(0);
  const probes = Array.from({ length: count }, (_, run): ProbeState => {
    const rng = random.rng(`${seed}/run/${run}`);
    const drawn = rng.uniform([ids.length], { dtype: "float64" }).data();
    const scores = Float64Array.from(given?.subarray(run * ids.length, (run + 1) * ids.length) ?? drawn);
    return { scores, rng: rng.toJSON(), stoppedAt: null, stopPrompt: null };
  });
  return { ids: ids.slice(), target, p0: first.probability(0, target), forwardPasses: 1, probes, last: null };
}

/** imp[b] = softmax(s[b]), their mean over the runs that stopped, and the tokens that several runs agree on. */
function found({ ids, target, p0, forwardPasses, probes }: ReagentState, settings: Settings) {
  const { protect, keepTopN, overlapThreshold } = settings;
  const stopped = probes.map(({ stoppedAt }) => stoppedAt !== null);
  const sufficient = stopped.some(Boolean);
  const shares = probes.map(({ scores }) => softmaxOf(scores));
  const counted = shares.filter((_, run) => !sufficient || stopped[run]);
  // Summed before it is divided, a share cannot exceed 1 by rounding.
  const importance = Float64Array.from(ids, (_, i) => counted.reduce((sum, s) => sum + s[i], 0) / counted.length);
  const votes = new Int32Array(ids.length);
  for (const { scores } of probes) for (const i of largest(scores, keepTopN, protect)) votes[i] += 1;
  return {
    importance,
    perProbe: tensor(shares),
    logScores: tensor(probes.map(({ scores }) => scores)),
    rationale: Array.from(ids.keys()).filter((i) => votes[i] >= overlapThreshold),
    target,
    p0,
    forwardPasses,
    stopped,
    sufficient,
    stoppedAt: probes.map(({ stoppedAt }) => stoppedAt),
    stopPrompts: probes.map(({ stopPrompt }) => stopPrompt),
    trivial: keepTopN >= protect.filter((stays) => !stays).length,
  };
}
