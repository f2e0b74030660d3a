import { onHost } from "@offprint/optim";
import { checkOptions, requireInteger, ValueError } from "@offprint/tensor-core";
import { checkPlace } from "./resumed-place.js";
import { checkSurrogateOptions, type SurrogateOptions, surrogateOptionNames } from "./sso-options.js";
import { type SsoPlace, type SsoRecord, SsoStep } from "./sso-step.js";
import { TargetBatches } from "./target-data.js";
import { remembersExamples } from "./target-metric.js";
import { checkModel, type TargetModel } from "./target-model.js";
import { checkOracle, type TargetOracle } from "./target-oracle.js";

/** Options of `OnlineSso`: those of one surrogate, and the number of rounds. */
export interface OnlineSsoOptions<P = unknown> extends SurrogateOptions {
  /** T of the schedules: rounds to come, an integer >= 1. The schedule `exponential` needs it. */
  rounds?: number;
  /** Ends a round that is being learnt from; nothing is thrown. */
  signal?: AbortSignal;
  /** The `state` of an earlier learner. */
  resume?: SsoPlace<P>;
}

/**
 * One round of data at a time, as in imitation: visit states, ask the expert about them, take many cheap steps on the
 * round's surrogate.
 */
export class OnlineSso<P = unknown, X = unknown> {
  private readonly options: OnlineSsoOptions<P>;
  private readonly step: SsoStep<P>;
  private place: SsoPlace<P>;

  /** @throws ValueError for options out of range; for metrics that remember examples, as every round has others. */
  constructor(model: TargetModel<P, X>, options: OnlineSsoOptions<P>) {
    const owner = "OnlineSso";
    checkOptions(owner, options, [...surrogateOptionNames, "rounds", "signal", "resume"]);
    checkModel(owner, model as TargetModel);
    const eta0 = checkSurrogateOptions(owner, options);
    const { metric = "euclidean", rounds, schedule, resume } = options;
    if (remembersExamples(metric)) {
      throw new ValueError(
        `OnlineSso: the metric ${metric} remembers examples, but every round has others; take adagrad or armijo`,
      );
    }
    if (rounds !== undefined) requireInteger(owner, "rounds", rounds, 1);
    if (rounds === undefined && schedule === "exponential")
      throw new ValueError('OnlineSso: the schedule "exponential" needs rounds, how many there will be');
    if (resume !== undefined) checkPlace(owner, resume, model.params, metric);
    this.options = options;
    this.step = new SsoStep(owner, model as TargetModel<P>, options, eta0);
    this.place = resume ?? this.step.start();
  }

  /** The present parameters, in memory. */
  get params(): P {
    return this.place.params;
  }

  /** Rounds so far. */
  get rounds(): number {
    return this.place.step;
  }

  /** To go on from, as the option `resume`: a tree that `tree.toJson` keeps. */
  get state(): SsoPlace<P> {
    return this.place;
  }

  /**
   * Learns from a round.
   *
   * @param x inputs of its examples, `[b, ...]`.
   * @param oracle the round's losses; the examples are numbered 0, ..., b - 1.
   * @returns the record of the round, with its mean loss before the update; undefined where the signal has fired, and
   * the parameters stayed as they were.
   */
  async observe(x: X, oracle: TargetOracle): Promise<SsoRecord | undefined> {
    const { rounds = 1, signal } = this.options;
    checkOracle("OnlineSso", oracle);
    const batch = new TargetBatches("OnlineSso", { x }, "full").all();
    if (signal?.aborted) return undefined;
    const steps = Math.max(rounds, this.rounds + 1);
    const next = await this.step.from(this.place, oracle, { batch, examples: batch.rows.length, steps, signal });
    if (next.record === null) return undefined;
    this.place = { ...next, params: await onHost(next.params) };
    return next.record;
  }

  /** Frees what was compiled. */
  release(): Promise<void> {
    return this.step.release();
  }
}
