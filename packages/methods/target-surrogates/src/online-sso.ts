import { type SsoOptions, type SsoResult, type SsoState, sso } from "./sso.js";
import type { TargetModel } from "./target-model.js";
import type { TargetOracle } from "./target-oracle.js";

/** Options of `OnlineSso`; `rounds` is the T of the schedules. */
export interface OnlineSsoOptions
  extends Omit<SsoOptions, "batch" | "onProgress" | "prox" | "resume" | "steps" | "tol"> {
  /** Rounds to come, for the schedules. Default 1; a constant schedule does not need it. */
  rounds?: number;
}

/**
 * One round of data at a time, as in imitation: visit states, ask the expert about them, take many cheap steps on the
 * round's surrogate.
 */
export class OnlineSso<P = any> {
  private readonly model: TargetModel<P>;
  private readonly options: OnlineSsoOptions;
  private saved: SsoState | undefined;
  private round = 0;

  constructor(model: TargetModel<P>, options: OnlineSsoOptions) {
    this.model = model;
    this.options = options;
  }

  /** The present parameters. */
  get params(): P {
    return this.saved?.params ?? this.model.params;
  }

  /** Rounds so far. */
  get rounds(): number {
    return this.round;
  }

  /**
   * Learns from a round.
   *
   * @param x inputs of its examples, `[b, ...]`.
   * @param oracle the round's losses; the examples are numbered 0, ..., b - 1.
   * @returns the mean loss of the round before the update.
   */
  async observe(x: any, oracle: TargetOracle): Promise<number> {
    const { rounds = 1, ...options } = this.options;
    const steps = Math.max(rounds, this.round + 1);
    const resume: SsoState = {
      metric: { lastEta: 0, sumOfSquares: 0, first: new Float64Array(0), second: new Float64Array(0), step: 0 },
      calls: { grad: 0, loss: 0 },
      forwardCalls: 0,
      ...this.saved,
      params: this.params,
      step: this.round,
    };
    const result: SsoResult<P> = await sso(this.model, { x }, oracle, {
      ...options,
      steps,
      resume,
      onProgress: () => "stop",
    });
    this.saved = result.state;
    this.round++;
    return result.history[0].loss;
  }
}
