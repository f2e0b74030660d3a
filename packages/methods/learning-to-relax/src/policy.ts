import { checkOptions, FormatError, IndexError, Rng, random, ValueError } from "@offprint/tensor-core";
import { count, finiteNumber, nonNegatives, object } from "./saved-state.js";

/** Chooses a setting for every problem of a sequence, and learns from what the choice cost. */
export interface OnlinePolicy<Setting = number> {
  /** What can be chosen: the arms. */
  readonly settings: readonly Setting[];
  /** Index of the setting last chosen; undefined when the next call is to be `choose`. */
  readonly arm: number | undefined;
  /** `[settings.length]` probabilities from which the last choice was drawn; equal ones before the first. */
  readonly probabilities: Float64Array;
  /** Losses learned from so far. */
  readonly rounds: number;
  /**
   * The setting for the next problem. A choice that was not followed by `update`, as its solve failed, is forgotten.
   *
   * @param context - a number that is known of the problem beforehand, such as a shift or a time step; needed by
   * policies with a range of contexts, ignored by others.
   * @throws ValueError for a context that is missing or not finite.
   */
  choose(context?: number): Setting;
  /**
   * What the choice cost, such as an iteration count.
   *
   * @param loss - finite and >= 0; what is below the policy's least loss counts as that.
   * @param arm - index of the setting really used, when it is not the chosen one: to replay a log.
   * @throws ValueError before `choose` and for a loss out of range; IndexError for an arm that does not exist.
   */
  update(loss: number, arm?: number): void;
  /** Everything that it knows, as plain data: `policyFromJSON` goes on from it bit for bit. */
  toJSON(): PolicyState;
}

/** A policy as plain data, for files. */
export interface PolicyState {
  /** Which policy. */
  readonly policy: string;
  /** Of this description. */
  readonly version: 1;
  /** The arms. Where JSON loses some of what they are, give them to `policyFromJSON` again. */
  readonly settings: readonly unknown[];
  /** Losses learned from. */
  readonly rounds: number;
  /** The generator of the draws. */
  readonly random: random.RngState;
  /** The choice that waits for its loss. */
  readonly pending: PendingChoice | null;
  /** The policy's own options and sums. */
  readonly memory: Readonly<Record<string, unknown>>;
}

/** A choice that waits for its loss. */
export interface PendingChoice {
  /** Index of the setting. */
  readonly arm: number;
  /** `[arms]` probabilities that it was drawn from. */
  readonly probabilities: readonly number[];
  /** Context of the problem, where one was given. */
  readonly context?: number;
}

/** Squares and weighted sums of larger losses have no room. */
const MOST_LOSS = 1e150;

/** What all policies do alike: drawing, checking and saving. Subclasses say how likely arms are, and learn. */
export abstract class DrawingPolicy<Setting> implements OnlinePolicy<Setting> {
  /** The name under which it is saved. */
  protected abstract readonly name: string;
  readonly settings: readonly Setting[];
  rounds = 0;
  probabilities: Float64Array;
  private pending: { arm: number; context: number | undefined } | undefined;
  private random: Rng;

  constructor(settings: readonly Setting[], seed: number | string, policy: string) {
    if (!Array.isArray(settings) || settings.length === 0) {
      throw new ValueError(`${policy}: settings must be an array with at least one setting, such as omegaGrid()`);
    }
    const missing = settings.findIndex((setting) => setting === undefined || setting === null);
    if (missing >= 0) throw new ValueError(`${policy}: settings[${missing}] is ${settings[missing]}; give a setting`);
    if (settings.some((setting) => typeof setting === "number" && !Number.isFinite(setting))) {
      throw new ValueError(`${policy}: settings must be finite, got [${settings}]`);
    }
    this.settings = [...settings];
    this.random = random.rng(seed);
    this.probabilities = new Float64Array(settings.length).fill(1 / settings.length);
  }

  /** How likely each arm is for the next problem. */
  protected abstract distribution(context: number | undefined): Float64Array;

  /** Learns that `arm` cost `loss`; `probabilities` are those of this round. */
  protected abstract learn(loss: number, arm: number, context: number | undefined): void;

  /** Options and sums as plain data. */
  protected abstract memory(): Record<string, unknown>;

  get arm(): number | undefined {
    return this.pending?.arm;
  }

  choose(context?: number): Setting {
    if (context !== undefined && !Number.isFinite(context)) {
      throw new ValueError(`${this.name}: context is ${context}; it must be a finite number`);
    }
    this.probabilities = this.distribution(context);
    const arm = draw(this.probabilities, this.random.uniform([], { dtype: "float64" }).item());
    this.pending = { arm, context };
    return this.settings[arm]!;
  }

  update(loss: number, arm?: number): void {
    if (this.pending === undefined) {
      throw new ValueError(`${this.name}: update without a choice to learn from; call choose first`);
    }
    if (typeof loss !== "number" || !(loss >= 0 && loss < Infinity)) {
      throw new ValueError(
        `${this.name}: loss is ${String(loss)}; it must be a finite number >= 0, such as an iteration count`,
      );
    }
    if (loss > MOST_LOSS) {
      throw new ValueError(`${this.name}: loss is ${loss}; it must be at most ${MOST_LOSS}: count in a larger unit`);
    }
    const played = arm ?? this.pending.arm;
    if (!Number.isInteger(played) || played < 0 || played >= this.settings.length) {
      throw new IndexError(`${this.name}: arm is ${played}; it must be an index below ${this.settings.length}`);
    }
    this.learn(loss, played, this.pending.context);
    this.rounds += 1;
    this.pending = undefined;
  }

  toJSON(): PolicyState {
    const { pending } = this;
    return {
      policy: this.name,
      version: 1,
      settings: this.settings,
      rounds: this.rounds,
      random: this.random.toJSON(),
      pending: pending
        ? {
            arm: pending.arm,
            probabilities: [...this.probabilities],
            ...(pending.context === undefined ? {} : { context: pending.context }),
          }
        : null,
      memory: this.memory(),
    };
  }

  /** Takes over what `toJSON` gave, apart from settings and memory. */
  protected restore(state: PolicyState): void {
    const { rounds, pending } = state;
    this.rounds = count(rounds, `${this.name}: rounds`);
    this.random = Rng.fromJSON(state.random);
    if (pending === null || pending === undefined) return;
    const { arm, probabilities, context } = object(pending, `${this.name}: pending`);
    this.probabilities = nonNegatives(probabilities, this.settings.length, `${this.name}: pending.probabilities`);
    const sum = this.probabilities.reduce((s, p) => s + p, 0);
    if (Math.abs(sum - 1) > 1e-9) {
      throw new FormatError(`${this.name}: pending.probabilities sum to ${sum}; they must sum to 1`);
    }
    if (!Number.isInteger(arm) || !((arm as number) >= 0 && (arm as number) < this.settings.length)) {
      throw new FormatError(`${this.name}: pending.arm is ${arm}; it must be an index below ${this.settings.length}`);
    }
    const known = context === undefined ? undefined : finiteNumber(context, `${this.name}: pending.context`);
    this.pending = { arm: arm as number, context: known };
  }
}

/** Throws where the options of a policy are missing, or one of them is not known. */
export function requireOptions(policy: string, options: object | undefined, known: readonly string[]): void {
  if (options === undefined) throw new ValueError(`${policy}: the options are missing; give { ${known.join(", ")} }`);
  checkOptions(policy, options, known);
}

/** The arm in whose part of [0, 1) the number `u` falls. */
function draw(probabilities: Float64Array, u: number): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    sum += probabilities[i]!;
    if (u < sum) return i;
  }
  // Rounding left a gap at the end: the last arm that can be drawn.
  let last = probabilities.length - 1;
  while (probabilities[last] === 0) last -= 1;
  return last;
}
