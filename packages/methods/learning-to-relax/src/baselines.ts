import { FormatError, ValueError } from "@offprint/tensor-core";
import { DrawingPolicy, type PolicyState, requireOptions } from "./policy.js";
import { nonNegative, nonNegatives, object } from "./saved-state.js";

/** What most people do: the same setting for every problem. It learns nothing; `update` only counts. */
export class FixedSetting<Setting = number> extends DrawingPolicy<Setting> {
  protected override readonly name = "fixed";

  constructor(setting: Setting) {
    super([setting], 0, "FixedSetting");
  }

  protected override distribution(): Float64Array {
    return Float64Array.of(1);
  }

  protected override learn(): void {}

  protected override memory(): Record<string, unknown> {
    return {};
  }

  /** @internal Use `policyFromJSON`. */
  static fromState(state: PolicyState): FixedSetting<unknown> {
    if (!Array.isArray(state.settings) || state.settings.length !== 1) {
      throw new FormatError("fixed: settings must be an array of one setting");
    }
    const policy = new FixedSetting(state.settings[0] as unknown);
    policy.restore(state);
    return policy;
  }
}

/** Mean losses of arms: what epsilon-greedy and UCB1 know. */
abstract class MeanPolicy<Setting> extends DrawingPolicy<Setting> {
  protected readonly sums = new Float64Array(this.settings.length);
  protected readonly counts = new Float64Array(this.settings.length);
  protected largest = 0;

  protected override learn(loss: number, arm: number): void {
    this.sums[arm]! += loss;
    this.counts[arm]! += 1;
    this.largest = Math.max(this.largest, loss);
  }

  /** The arm that minimises `index`, arms that were never tried first. */
  protected leastBy(index: (arm: number) => number): number {
    const untried = this.counts.indexOf(0);
    if (untried >= 0) return untried;
    let best = 0;
    for (let i = 1; i < this.sums.length; i++) if (index(i) < index(best)) best = i;
    return best;
  }

  protected override memory(): Record<string, unknown> {
    return { sums: [...this.sums], counts: [...this.counts], largest: this.largest };
  }

  /** Takes over what `toJSON` gave. */
  protected override restore(state: PolicyState): void {
    const { sums, counts, largest } = object(state.memory, `${state.policy}: memory`);
    this.sums.set(nonNegatives(sums, this.sums.length, `${state.policy}: sums`));
    this.counts.set(nonNegatives(counts, this.counts.length, `${state.policy}: counts`));
    this.largest = nonNegative(largest, `${state.policy}: largest`);
    super.restore(state);
  }
}

/** Options of {@link EpsilonGreedy}. */
export interface EpsilonGreedyOptions<Setting = number> {
  /** What can be chosen, such as `omegaGrid()`; at least one. */
  settings: readonly Setting[];
  /** Of the draws. */
  seed: number | string;
  /** Part of the rounds that try any arm, in [0, 1]; default 0.1. */
  epsilon?: number;
}

/** Epsilon-greedy: the arm of the least mean loss, or with a fixed probability any. For comparison; not in the paper. */
export class EpsilonGreedy<Setting = number> extends MeanPolicy<Setting> {
  protected override readonly name = "epsilon-greedy";
  private readonly epsilon: number;

  constructor(options: EpsilonGreedyOptions<Setting>) {
    requireOptions("EpsilonGreedy", options, ["settings", "seed", "epsilon"]);
    super(options.settings, options.seed, "EpsilonGreedy");
    this.epsilon = options.epsilon ?? 0.1;
    if (typeof this.epsilon !== "number" || !(this.epsilon >= 0 && this.epsilon <= 1)) {
      throw new ValueError(`EpsilonGreedy: epsilon is ${this.epsilon}; it must be in [0, 1]`);
    }
  }

  protected override distribution(): Float64Array {
    const d = this.settings.length;
    const p = new Float64Array(d).fill(this.epsilon / d);
    p[this.leastBy((i) => this.sums[i]! / this.counts[i]!)]! += 1 - this.epsilon;
    return p;
  }

  protected override memory(): Record<string, unknown> {
    return { ...super.memory(), epsilon: this.epsilon };
  }

  /** @internal Use `policyFromJSON`. */
  static fromState(state: PolicyState): EpsilonGreedy<unknown> {
    const { epsilon } = object(state.memory, "epsilon-greedy: memory");
    const policy = new EpsilonGreedy({ settings: state.settings, seed: 0, epsilon: epsilon as number });
    policy.restore(state);
    return policy;
  }
}

/**
 * UCB1 (Auer, Cesa-Bianchi and Fischer 2002) for losses in units of the greatest one so far: the arm of the least mean less
 * sqrt(2 log t / n). For comparison; not in the paper.
 */
export class Ucb1<Setting = number> extends MeanPolicy<Setting> {
  protected override readonly name = "ucb1";

  constructor(options: { settings: readonly Setting[] }) {
    requireOptions("Ucb1", options, ["settings"]);
    super(options.settings, 0, "Ucb1");
  }

  protected override distribution(): Float64Array {
    const p = new Float64Array(this.settings.length);
    const unit = this.largest || 1;
    const bonus = 2 * Math.log(Math.max(1, this.rounds));
    p[this.leastBy((i) => this.sums[i]! / this.counts[i]! / unit - Math.sqrt(bonus / this.counts[i]!))] = 1;
    return p;
  }

  /** @internal Use `policyFromJSON`. */
  static fromState(state: PolicyState): Ucb1<unknown> {
    const policy = new Ucb1({ settings: state.settings });
    policy.restore(state);
    return policy;
  }
}
