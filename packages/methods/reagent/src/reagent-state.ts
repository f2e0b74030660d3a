import type { RunOptions, RunState } from "@offprint/solvers";
import { FormatError, Rng, type random, ValueError } from "@offprint/tensor-core";

/** Where one of the B independent runs stands. */
export interface ProbeState {
  /** s: log-scores `[L]`. */
  readonly scores: Float64Array;
  /** Generator of its masks and replacements. */
  readonly rng: random.RngState;
  /** Step in which it stopped, or null. */
  readonly stoppedAt: number | null;
  /** The prompt of the stop test with which it stopped, or null. */
  readonly stopPrompt: Int32Array | null;
}

/** What a search goes on from. */
export interface ReagentState {
  /** y: the prompt. */
  readonly ids: Int32Array;
  /** t: the token that is explained. */
  readonly target: number;
  /** Probability of the target after the prompt. */
  readonly p0: number;
  /** Prompts given to the model so far. */
  readonly forwardPasses: number;
  /** The runs. */
  readonly probes: readonly ProbeState[];
  /** What the last step did; null before the first. */
  readonly last: ReagentRecord | null;
}

/** What a step is reported as. */
export interface ReagentRecord {
  /** Number of the step, from 1. */
  readonly iteration: number;
  /** Delta: by how much the target's probability fell, in the mean of the runs that took part. */
  readonly change: number;
  /** Runs still going after the step. */
  readonly active: number;
}

/** Progress, interruption and resumption of `reagent`. */
export type ReagentRunOptions = RunOptions<ReagentRecord, RunState<ReagentState, ReagentRecord>>;

/** @throws ValueError for a state of another prompt, target or number of runs; FormatError for damaged data. */
export function checkReagentState(state: ReagentState, ids: Int32Array, probes: number, target?: number): void {
  if (!(state.ids instanceof Int32Array) || !Array.isArray(state.probes)) {
    throw new ValueError("reagent: resume is no state of reagent; give the `state` of a result or of a checkpoint");
  }
  if (state.ids.length !== ids.length || ids.some((id, i) => state.ids[i] !== id)) {
    throw new ValueError("reagent: resume holds the state of another prompt; give the prompt that it was saved for");
  }
  if (target !== undefined && state.target !== target) {
    throw new ValueError(
      `reagent: resume explains token ${state.target}, not target ${target}; leave target out, or begin anew`,
    );
  }
  if (state.probes.length !== probes) {
    throw new ValueError(`reagent: resume holds ${state.probes.length} runs; set probes to that, not to ${probes}`);
  }
  for (const { scores, rng } of state.probes) {
    Rng.fromJSON(rng);
    if (scores instanceof Float64Array && scores.length === ids.length && scores.every(Number.isFinite)) continue;
    throw new FormatError("reagent: the scores in resume are damaged; give what an earlier result returned, unchanged");
  }
}
