import { AbortedError, ValueError } from "@offprint/tensor-core";
import { problemsFor, type SharedProblems, SsoRun, type SsoState } from "./sso.js";
import type { SsoOptions } from "./sso-options.js";
import { remembersExamples } from "./target-metric.js";
import type { TargetModel } from "./target-model.js";
import type { TargetOracle } from "./target-oracle.js";

/** Options of `OnlineSso`: those of `sso` that concern one round, and the number of rounds. */
export interface OnlineSsoOptions
  extends Omit<SsoOptions, "batch" | "dropLast" | "onProgress" | "prox" | "seed" | "steps" | "tol"> {
  /** T of the schedules: rounds to come, an integer >= 1. The schedule `exponential` needs it. */
  rounds?: number;
}

/**
 * One round of data at a time, as in imitation: visit states, ask the expert about them, take many cheap steps on the
 * round's surrogate.
 */
export class OnlineSso<P = any> {
  private readonly model: TargetModel<P>;
  private readonly options: OnlineSsoOptions;
  private readonly shared: SharedProblems;
  private saved: SsoState | undefined;

  /** @throws ValueError for options out of range; for metrics that remember examples, as every round has others. */
  constructor(model: TargetModel<P>, options: OnlineSsoOptions) {
    const { metric = "euclidean", rounds, schedule } = options;
    if (remembersExamples(metric)) {
      throw new ValueError(
        `OnlineSso: the metric ${metric} remembers examples, but every round has others; take adagrad or armijo`,
      );
    }
    if (rounds !== undefined && !(Number.isSafeInteger(rounds) && rounds >= 1))
      throw new ValueError(`OnlineSso: rounds is ${rounds}; it must be an integer >= 1`);
    if (rounds === undefined && schedule === "exponential")
      throw new ValueError('OnlineSso: the schedule "exponential" needs rounds, how many there will be');
    this.model = model;
    this.options = options;
    this.shared = problemsFor(model, options);
    this.saved = options.resume;
  }

  /** The present parameters, in memory. */
  get params(): P {
    return this.saved?.params ?? this.model.params;
  }

  /** Rounds so far. */
  get rounds(): number {
    return this.saved?.step ?? 0;
  }

  /** To go on from, as the option `resume`; undefined before the first round. */
  get state(): SsoState | undefined {
    return this.saved;
  }

  /**
   * Learns from a round.
   *
   * @param x inputs of its examples, `[b, ...]`.
   * @param oracle the round's losses; the examples are numbered 0, ..., b - 1.
   * @returns the mean loss of the round before the update.
   * @throws AbortedError when the signal has fired; the parameters stay as they are.
   */
  async observe(x: any, oracle: TargetOracle): Promise<number> {
    const { rounds = 1, resume: _, ...options } = this.options;
    const steps = Math.max(rounds, this.rounds + 1);
    const round = new SsoRun(
      this.model,
      { x },
      oracle,
      { ...options, steps, onProgress: () => "stop", ...(this.saved && { resume: this.saved }) },
      this.shared,
    );
    const { history, state } = await round.all();
    if (history.length === 0) throw new AbortedError("OnlineSso: the signal has fired; the round was not learnt from");
    this.saved = state;
    return history[0].loss;
  }

  /** Frees what was compiled. */
  release(): Promise<void> {
    return this.shared.problems.release();
  }
}
