import { requireNonNegative, ValueError } from "@offprint/tensor-core";
import { DrawingPolicy, type PolicyState, requireOptions } from "./policy.js";
import { object } from "./saved-state.js";
import { TsallisArms } from "./tsallis-arms.js";

/** Options of {@link TsallisInf}. */
export interface TsallisInfOptions<Setting = number> {
  /** What can be chosen, such as `omegaGrid()`; at least one. */
  settings: readonly Setting[];
  /** Of the draws. */
  seed: number | string;
  /** Unit of the losses: their running mean above `minLoss` (default), or a cap > 0 that is known, as in the theory. */
  lossScale?: "running" | number;
  /** The least loss that is possible; default 1, the least iteration count. */
  minLoss?: number;
}

/** @throws ValueError for a least loss or a scale out of range. */
export function checkLossOptions(policy: string, minLoss: number, lossScale: "running" | number): void {
  requireNonNegative(policy, "minLoss", minLoss);
  if (lossScale !== "running" && !(typeof lossScale === "number" && lossScale > 0 && lossScale < Infinity)) {
    throw new ValueError(`${policy}: lossScale is ${JSON.stringify(lossScale)}; it must be "running" or a number > 0`);
  }
}

/**
 * Tsallis-INF (Zimmert and Seldin 2021), as the paper uses it: a bandit whose total approaches that of the best fixed
 * setting in hindsight, whether losses are drawn or chosen by an adversary. O(d) a round.
 *
 * @example
 * ```ts
 * const policy = new TsallisInf({ settings: omegaGrid(), seed: 0 });
 * const omega = policy.choose();
 * policy.update(43); // the iterations that it took
 * ```
 * @throws ValueError for no settings or options out of range.
 */
export class TsallisInf<Setting = number> extends DrawingPolicy<Setting> {
  protected override readonly name = "tsallis-inf";
  private readonly arms: TsallisArms;
  private readonly options: { lossScale: "running" | number; minLoss: number };

  constructor(options: TsallisInfOptions<Setting>) {
    requireOptions("TsallisInf", options, ["settings", "seed", "lossScale", "minLoss"]);
    super(options.settings, options.seed, "TsallisInf");
    const { lossScale = "running", minLoss = 1 } = options;
    checkLossOptions("TsallisInf", minLoss, lossScale);
    this.options = { lossScale, minLoss };
    this.arms = new TsallisArms(this.settings.length, minLoss, lossScale === "running" ? undefined : lossScale);
  }

  /** `[settings.length]` importance-weighted sums of losses above `minLoss`. */
  get cumulative(): Float64Array {
    return this.arms.cumulative.slice();
  }

  protected override distribution(): Float64Array {
    return this.arms.distribution();
  }

  protected override learn(loss: number, arm: number): void {
    this.arms.learn(loss, arm, this.probabilities[arm]!);
  }

  protected override memory(): Record<string, unknown> {
    return { ...this.options, arms: this.arms.toJSON() };
  }

  /** @internal Use `policyFromJSON`. */
  static fromState(state: PolicyState): TsallisInf<unknown> {
    const { lossScale, minLoss, arms } = object(state.memory, "tsallis-inf: memory");
    const policy = new TsallisInf({
      settings: state.settings,
      seed: 0,
      lossScale: lossScale as "running",
      minLoss: minLoss as number,
    });
    policy.arms.restore(arms);
    policy.restore(state);
    return policy;
  }
}
