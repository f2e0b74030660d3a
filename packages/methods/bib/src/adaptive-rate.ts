import type { GradientTransformation } from "@offprint/optim";
import {
  add,
  asTensor,
  checkOptions,
  clip,
  mul,
  requirePositive,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import type { RateBounds } from "./adaptive-rules.js";

/** What {@link AdaptiveRate.update} gives. */
export interface AdaptiveUpdate<S, P> {
  /** To be added to the parameters. */
  readonly updates: P;
  /** For the next update. */
  readonly state: AdaptiveRateState<S>;
  /** eta of this update. */
  readonly learningRate: Tensor;
}

/** State of the optimizer within, and the number of updates. */
export interface AdaptiveRateState<S> {
  /** The optimizer's. */
  readonly inner: S;
  /** Updates made, a scalar. */
  readonly step: Tensor;
}

/** An optimizer whose learning rate follows an auxiliary score. */
export interface AdaptiveRate<S> {
  /** The state before the first update. */
  init(params: unknown): AdaptiveRateState<S>;
  /**
   * The update for the gradient of the loss, and the slope of a score that should rise. Traceable.
   * @param slope a tree like the gradients: the auxiliary score's
   */
  update<P>(gradients: P, slope: P, state: AdaptiveRateState<S>, params: P): AdaptiveUpdate<S, P>;
}

/**
 * Adaptive-eta for any optimizer: with the direction d of an update of learning rate 1, the rate is
 * `clip(base - outerRate <q, d>, least, most)` from the second update on, q being the slope of a score that is to rise.
 * @param inner an optimizer of learning rate 1
 * @param bounds default: base 0.1, outerRate 0.01, least 1e-4, most 0.5
 * @example const rule = adaptiveRate(adam({ learningRate: 1 }), { base: 0.05 });
 */
export function adaptiveRate<S>(inner: GradientTransformation<S>, bounds: Partial<RateBounds> = {}): AdaptiveRate<S> {
  const owner = "adaptiveRate";
  checkOptions(owner, bounds, ["base", "outerRate", "least", "most"]);
  const { base = 0.1, outerRate = 0.01, least = 1e-4, most = 0.5 } = bounds;
  requirePositive(owner, "base", base);
  requirePositive(owner, "outerRate", outerRate);
  requirePositive(owner, "least", least);
  if (!(most >= least)) throw new ValueError(`${owner}: most is ${most}; it must be at least ${least}`);
  return {
    init: (params) => ({ inner: inner.init(params), step: tensor(0, { dtype: "float64" }) }),
    update(gradients, slope, state, params) {
      const { updates, state: next } = inner.update(gradients, state.inner, params);
      const slopes = tree.leaves<TensorLike>(slope);
      // The direction is what is subtracted.
      const falling = tree
        .leaves<TensorLike>(updates)
        .map((update, i) => sum(mul(asTensor(slopes[i]), mul(-1, asTensor(update)))).cast("float64"))
        .reduce((a, b) => add(a, b));
      const later = clip(state.step, 0, 1);
      const adapted = clip(sub(base, mul(outerRate, falling)), least, most);
      const learningRate = add(base, mul(later, sub(adapted, base)));
      return {
        updates: tree.map((update: Tensor) => mul(update, learningRate.cast(update.dtype)), updates),
        state: { inner: next, step: add(state.step, 1) },
        learningRate,
      };
    },
  };
}
