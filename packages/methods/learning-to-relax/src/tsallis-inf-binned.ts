import { requireInteger } from "@offprint/tensor-core";
import { ContextRange, type OutsideRange } from "./context-range.js";
import { DrawingPolicy, type PolicyState, requireOptions } from "./policy.js";
import { count, object } from "./saved-state.js";
import { TsallisArms } from "./tsallis-arms.js";
import { checkLossOptions, type TsallisInfOptions } from "./tsallis-inf.js";

/** Options of {@link TsallisInfBinned}. */
export interface TsallisInfBinnedOptions<Setting = number> extends TsallisInfOptions<Setting> {
  /** Into how many equal parts the range is cut, an integer >= 1. The paper takes 5 for shifts and 6 for diffusion. */
  bins: number;
  /** Least and greatest context. */
  range: readonly [number, number];
  /** What a context outside the range does: `"clamp"` (default) moves it to the nearer end. */
  outside?: OutsideRange;
}

/** Each has sums of its own. */
const MOST_BINS = 100_000;

/**
 * Tsallis-INF with a context (Tsallis-INF-CB in the paper's code): one bandit for every bin of a range of contexts. Its
 * total approaches that of the best setting for each bin. O(d) a round.
 *
 * @throws ValueError for no settings or options out of range.
 */
export class TsallisInfBinned<Setting = number> extends DrawingPolicy<Setting> {
  protected override readonly name = "tsallis-inf-binned";
  private readonly bins: TsallisArms[];
  private readonly range: ContextRange;
  private readonly options: { lossScale: "running" | number; minLoss: number };

  constructor(options: TsallisInfBinnedOptions<Setting>) {
    requireOptions("TsallisInfBinned", options, [
      ...["settings", "seed", "lossScale", "minLoss"],
      ...["bins", "range", "outside"],
    ]);
    super(options.settings, options.seed, "TsallisInfBinned");
    const { bins, range, outside = "clamp", lossScale = "running", minLoss = 1 } = options;
    requireInteger("TsallisInfBinned", "bins", bins, 1, MOST_BINS);
    checkLossOptions("TsallisInfBinned", minLoss, lossScale);
    this.options = { lossScale, minLoss };
    this.range = new ContextRange("TsallisInfBinned", range, outside);
    const fixed = lossScale === "running" ? undefined : lossScale;
    this.bins = Array.from({ length: bins }, () => new TsallisArms(this.settings.length, minLoss, fixed));
  }

  /** Contexts outside the range that were moved to its nearer end so far. */
  get clamped(): number {
    return this.range.clamped;
  }

  /** The bin whose centre is nearest to a context; the lower one of two. */
  binOf(context: number): number {
    const { length } = this.bins;
    return Math.max(0, Math.ceil(((this.range.position(context) + 1) / 2) * length) - 1);
  }

  protected override distribution(context: number | undefined): Float64Array {
    this.range.position(context, true);
    return this.bins[this.binOf(context as number)]!.distribution();
  }

  protected override learn(loss: number, arm: number, context: number | undefined): void {
    this.bins[this.binOf(context as number)]!.learn(loss, arm, this.probabilities[arm]!);
  }

  protected override memory(): Record<string, unknown> {
    const { low, high, outside, clamped } = this.range;
    return { ...this.options, range: [low, high], outside, clamped, bins: this.bins.map((arms) => arms.toJSON()) };
  }

  /** @internal Use `policyFromJSON`. */
  static fromState(state: PolicyState): TsallisInfBinned<unknown> {
    const { lossScale, minLoss, range, outside, clamped, bins } = object(state.memory, "tsallis-inf-binned: memory");
    const policy = new TsallisInfBinned({
      settings: state.settings,
      seed: 0,
      lossScale: lossScale as "running",
      minLoss: minLoss as number,
      bins: Array.isArray(bins) ? bins.length : 0,
      range: range as [number, number],
      outside: outside as OutsideRange,
    });
    policy.bins.forEach((arms, j) => {
      arms.restore((bins as unknown[])[j]);
    });
    policy.range.clamped = count(clamped, "tsallis-inf-binned: clamped");
    policy.restore(state);
    return policy;
  }
}
