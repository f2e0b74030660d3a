import { FormatError, Rng, type random, ValueError } from "@offprint/tensor-core";

/** How far the runs have come, as plain data that JSON keeps exactly. */
export interface ReagentState {
  /** The prompt. */
  readonly ids: readonly number[];
  /** The token that is explained. */
  readonly target: number;
  /** Probability of the target after the prompt. */
  readonly p0: number;
  /** Steps done. */
  readonly step: number;
  /** Prompts given to the model so far. */
  readonly forwardPasses: number;
  /** `[B][L]` log-scores. */
  readonly scores: readonly (readonly number[])[];
  /** Step in which a run stopped, or null. */
  readonly stoppedAt: readonly (number | null)[];
  /** The prompt of the stop test with which a run stopped, or null. */
  readonly stopPrompts: readonly (readonly number[] | null)[];
  /** Generators of the runs. */
  readonly rngs: readonly random.RngState[];
  /** Mean change of the target's probability in each step. */
  readonly changes: readonly number[];
  /** Runs still going after each step. */
  readonly active: readonly number[];
}

/** One of B independent searches over the same prompt. */
export interface Probe {
  /** s: log-scores `[L]`. */
  readonly scores: Float64Array;
  /** Source of its masks and replacements. */
  readonly rng: Rng;
  /** Step in which it stopped. */
  stoppedAt: number | null;
  /** The prompt of the stop test with which it stopped. */
  stopPrompt: Int32Array | null;
}

/** The runs of a saved state. @throws ValueError for another prompt or number of runs; FormatError for damaged data. */
export function resumedProbes(state: ReagentState, ids: Int32Array, probes: number): Probe[] {
  if (state.ids.length !== ids.length || ids.some((id, i) => state.ids[i] !== id)) {
    throw new ValueError("reagent: resume holds the state of another prompt; give the prompt that it was saved for");
  }
  if (state.scores.length !== probes) {
    throw new ValueError(`reagent: resume holds ${state.scores.length} runs; set probes to that, not to ${probes}`);
  }
  if (state.scores.some((row) => row.length !== ids.length || row.some((s) => !Number.isFinite(s)))) {
    throw new FormatError("reagent: the scores in resume are damaged; give what an earlier result returned, unchanged");
  }
  return state.scores.map((row, b) => ({
    scores: Float64Array.from(row),
    rng: Rng.fromJSON(state.rngs[b]),
    stoppedAt: state.stoppedAt[b],
    stopPrompt: state.stopPrompts[b] === null ? null : Int32Array.from(state.stopPrompts[b] as number[]),
  }));
}
