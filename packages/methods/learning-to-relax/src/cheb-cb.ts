import {
  FormatError,
  requireInteger,
  requireNonNegative,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { ArmData } from "./arm-fit.js";
import { ContextRange, type OutsideRange } from "./context-range.js";
import { DrawingPolicy, type PolicyState, requireOptions } from "./policy.js";
import { count, finiteNumbers, nonNegative, object } from "./saved-state.js";

/** Options of {@link ChebCB}. */
export interface ChebCBOptions<Setting = number> {
  /** What can be chosen, such as `omegaGrid()`; at least one. */
  settings: readonly Setting[];
  /** Of the draws. */
  seed: number | string;
  /** Least and greatest context. */
  range: readonly [number, number];
  /** Chebyshev polynomials per arm, an integer >= 1; default 6. */
  features?: number;
  /** The least loss that is possible; default 1, the least iteration count. */
  minLoss?: number;
  /** What a context outside the range does: `"clamp"` (default) moves it to the nearer end. */
  outside?: OutsideRange;
}

/** What ChebCB knows, in the paper's symbols. */
export interface ChebCBModel {
  /** `[arms, features]` coefficients of loss / scale. */
  readonly theta: Tensor;
  /** Learning rate: 0 explores all arms alike, infinity is greedy. */
  readonly eta: number;
  /** K N, the unit of the losses. */
  readonly scale: number;
  /** Greatest loss so far. */
  readonly K: number;
  /** 2 + 4 W (1 + log m) / K, with W the span of the losses. */
  readonly N: number;
  /** Bound of the error of approximation. */
  readonly alpha: number;
  /** `[features]` bounds of |theta|. */
  readonly bounds: Float64Array;
}

/** Each arm keeps a matrix of as many rows and columns. */
const MOST_FEATURES = 1000;

/** T_0(x), ..., T_{m-1}(x). */
export function chebyshevFeatures(x: number, m: number): Float64Array {
  const features = new Float64Array(m);
  for (let j = 0; j < m; j++) features[j] = j === 0 ? 1 : j === 1 ? x : 2 * x * features[j - 1]! - features[j - 2]!;
  return features;
}

/**
 * ChebCB, the paper's contextual bandit: it predicts the loss of every arm as a Chebyshev polynomial of the context
 * and draws arms by inverse gap weighting (Abe and Long 1999). Its total approaches that of the best setting for each problem. A round costs
 * O(d m + m^3), and O(d m^3) when the span of the losses has grown.
 *
 * As in the authors' code, predictions of (loss - 1) / scale are compared with loss / scale for the learning rate, and the
 * residual of the last constrained fit is taken off.
 *
 * @throws ValueError for no settings or options out of range.
 */
export class ChebCB<Setting = number> extends DrawingPolicy<Setting> {
  protected override readonly name = "cheb-cb";
  private readonly m: number;
  private readonly minLoss: number;
  private readonly range: ContextRange;
  private readonly arms: ArmData[];
  private readonly theta: Float64Array;
  private readonly bounds: Float64Array;
  private eta = 0;
  private scale = 0;
  private N = 0;
  private alpha = 0;
  private largest = 0;
  private smallest = 0;
  /** Sums over rounds of prediction^2, prediction * loss and loss^2. */
  private readonly sums = new Float64Array(3);

  constructor(options: ChebCBOptions<Setting>) {
    requireOptions("ChebCB", options, ["settings", "seed", "range", "features", "minLoss", "outside"]);
    super(options.settings, options.seed, "ChebCB");
    const { range, features = 6, minLoss = 1, outside = "clamp" } = options;
    requireInteger("ChebCB", "features", features, 1, MOST_FEATURES);
    requireNonNegative("ChebCB", "minLoss", minLoss);
    this.m = features;
    this.minLoss = minLoss;
    this.range = new ContextRange("ChebCB", range, outside);
    this.arms = this.settings.map(() => new ArmData(features));
    this.theta = new Float64Array(this.settings.length * features);
    this.bounds = new Float64Array(features);
  }

  /** What it knows now. */
  get model(): ChebCBModel {
    const { eta, scale, largest, N, alpha } = this;
    const theta = tensor(this.theta, { shape: [this.settings.length, this.m] });
    return { theta, eta, scale, K: largest, N, alpha, bounds: this.bounds.slice() };
  }

  /** Contexts outside the range that were moved to its nearer end so far. */
  get clamped(): number {
    return this.range.clamped;
  }

  /** `[settings.length]` expected losses at a context; `minLoss` for an arm never tried. */
  predict(context: number): Float64Array {
    return this.scaledPredictions(context).map((y) => this.minLoss + this.scale * y);
  }

  /** `[settings.length]` probabilities at a context, with the learning rate that it has now or another one >= 0. */
  probabilitiesFor(context: number, eta = this.eta): Float64Array {
    if (typeof eta !== "number" || !(eta >= 0)) throw new ValueError(`ChebCB: eta is ${eta}; it must be >= 0`);
    return inverseGapWeights(this.scaledPredictions(context), eta);
  }

  private scaledPredictions(context: number | undefined): Float64Array {
    const features = chebyshevFeatures(this.range.position(context), this.m);
    return Float64Array.from(this.arms, (_, i) => this.predictArm(i, features));
  }

  private predictArm(arm: number, features: Float64Array): number {
    let sum = 0;
    for (let j = 0; j < this.m; j++) sum += this.theta[arm * this.m + j]! * features[j]!;
    return sum;
  }

  protected override distribution(context: number | undefined): Float64Array {
    this.range.position(context, true);
    return this.probabilitiesFor(context as number);
  }

  protected override learn(loss: number, arm: number, context: number | undefined): void {
    const { m, sums, bounds, theta } = this;
    const counted = Math.max(loss, this.minLoss);
    const features = chebyshevFeatures(this.range.position(context), m);
    const prediction = this.predictArm(arm, features);
    this.arms[arm]!.add(features, counted - this.minLoss);
    sums[0]! += prediction * prediction;
    sums[1]! += prediction * counted;
    sums[2]! += counted * counted;

    const first = this.rounds === 0;
    const spread = first || counted > this.largest || counted < this.smallest;
    this.largest = first ? counted : Math.max(this.largest, counted);
    this.smallest = first ? counted : Math.min(this.smallest, counted);
    // All losses 0, which only minLoss = 0 allows: nothing to learn yet.
    if (this.largest === 0) return;
    if (spread) this.rescale();
    let residual = 0;
    this.arms.forEach((data, i) => {
      if (i !== arm && !(spread && data.count > 0)) return;
      const fit = data.fit(this.scale, bounds);
      theta.set(fit.x, i * m);
      if (fit.constrained) residual = fit.squaredResidual;
    });
    const t = this.rounds + 1;
    const regressionError = sums[0]! - (2 * sums[1]!) / this.scale + sums[2]! / this.scale ** 2;
    const denominator = regressionError - residual + 2 * this.alpha ** 2 * t;
    this.eta = denominator > 0 ? 2 * t * Math.sqrt((this.settings.length * t) / denominator) : 0;
  }

  /** The unit of the losses and what is bounded in it, from the greatest loss K > 0 and the span W. */
  private rescale(): void {
    const { m, bounds, largest: K } = this;
    const W = K - this.smallest;
    this.N = 2 + (4 * W * (1 + Math.log(m))) / K;
    this.scale = K * this.N;
    this.alpha = ((Math.PI + (2 / Math.PI) * Math.log(2 * m + 1)) * W) / (2 * this.scale * (m + 1));
    for (let j = 0; j < m; j++) bounds[j] = j === 0 ? 1 / this.N : (2 * W) / (this.scale * j);
  }

  protected override memory(): Record<string, unknown> {
    const { low, high, outside, clamped } = this.range;
    const { minLoss, eta, largest, smallest, m } = this;
    return {
      ...{ minLoss, features: m, range: [low, high], outside, clamped, eta, largest, smallest },
      sums: [...this.sums],
      theta: [...this.theta],
      arms: this.arms.map((arm) => arm.toJSON()),
    };
  }

  /** @internal Use `policyFromJSON`. */
  static fromState(state: PolicyState): ChebCB<unknown> {
    const memory = object(state.memory, "cheb-cb: memory");
    const policy = new ChebCB({
      settings: state.settings,
      seed: 0,
      range: memory["range"] as [number, number],
      features: memory["features"] as number,
      minLoss: memory["minLoss"] as number,
      outside: memory["outside"] as OutsideRange,
    });
    for (const key of ["eta", "largest", "smallest"] as const)
      policy[key] = nonNegative(memory[key], `cheb-cb: ${key}`);
    if (policy.smallest > policy.largest) {
      throw new FormatError(`cheb-cb: smallest is ${policy.smallest}, above largest, ${policy.largest}`);
    }
    if (policy.largest > 0) policy.rescale();
    for (const key of ["sums", "theta"] as const) {
      policy[key].set(finiteNumbers(memory[key], policy[key].length, `cheb-cb: ${key}`));
    }
    const arms = memory["arms"];
    if (!Array.isArray(arms) || arms.length !== policy.arms.length) {
      throw new FormatError(`cheb-cb: arms must be ${policy.arms.length}, one for each setting`);
    }
    policy.arms.forEach((arm, i) => {
      arm.restore(arms[i]);
    });
    policy.range.clamped = count(memory["clamped"], "cheb-cb: clamped");
    policy.restore(state);
    return policy;
  }
}

/** p_i = 1 / (d + eta (y_i - min y)) for all but the first best arm, which has what is left (Abe and Long 1999). */
function inverseGapWeights(y: Float64Array, eta: number): Float64Array {
  const best = y.indexOf(Math.min(...y));
  const p = y.map((v) => {
    const gap = v - y[best]!;
    return 1 / (y.length + (gap === 0 ? 0 : eta * gap));
  });
  p[best] = 0;
  p[best] = Math.max(0, 1 - p.reduce((sum, v) => sum + v, 0));
  return p;
}
