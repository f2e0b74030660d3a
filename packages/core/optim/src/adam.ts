import {
  add,
  checkOptions,
  div,
  equal,
  expm1,
  maximum,
  mul,
  neg,
  requireDecayRate,
  requireNonNegative,
  sqrt,
  square,
  type Tensor,
  where,
} from "@offprint/tensor-core";
import { descend, type ElementwiseRule, type ElementwiseState, elementwiseOptimizer } from "./elementwise.js";
import type { Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** Options of `adam` and `amsgrad`. */
export interface AdamOptions {
  /** alpha >= 0. Default 1e-3. */
  learningRate?: number | Schedule;
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.9. */
  beta1?: number;
  /** Decay rate of the mean of squared gradients, in [0, 1). Default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment, >= 0. Default 1e-8. */
  epsilon?: number;
  /** lambda >= 0 of an L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
}

/** Options of `adamw`. */
export interface AdamWOptions extends AdamOptions {
  /** lambda >= 0 by which parameters shrink beside the update. Default 0.01. */
  weightDecay?: number;
}

type Moments = "firstMoment" | "secondMoment";

/** The state of `adam` and `adamw`. */
export type AdamState = ElementwiseState<Moments>;

/** The state of `amsgrad`. */
export type AmsgradState = ElementwiseState<Moments | "largestSecondMoment">;

/** An exponential average: `beta * mean + (1 - beta) * x`. */
export function runningMean(mean: Tensor, x: Tensor, beta: number): Tensor {
  return add(mul(mean, beta), mul(x, 1 - beta));
}

/** `1 - beta^step` to full accuracy also in float32, where the difference itself would cancel. */
export function biasCorrection(beta: number, step: Tensor): Tensor {
  return beta === 0 ? add(mul(step, 0), 1) : neg(expm1(mul(step, Math.log(beta))));
}

/** A running mean without the weight of the zeros that it began with: `mean / (1 - beta^step)`. */
export function unbiased(mean: Tensor, beta: number, step: Tensor): Tensor {
  // One division for all elements, which take the processor longer than a product.
  return mul(mean, div(1, biasCorrection(beta, step)));
}

/** Below this an epsilon may vanish in float32. */
const SMALLEST_EPSILON = 1e-30;

/** `numerator / (root + epsilon)`, and 0 where the denominator is 0: such a coordinate has had no gradient. */
export function normalised(numerator: Tensor, root: Tensor, epsilon: number): Tensor {
  const denominator = add(root, epsilon);
  if (epsilon >= SMALLEST_EPSILON) return div(numerator, denominator);
  const zero = equal(denominator, 0);
  return where(zero, 0, div(numerator, where(zero, 1, denominator)));
}

/** @internal What Adam and its relatives take their running means by, checked. */
export function momentRates(name: string, options: AdamOptions, usualEpsilon = 1e-8) {
  checkOptions(name, options, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay"]);
  const { beta1 = 0.9, beta2 = 0.999, epsilon = usualEpsilon } = options;
  requireDecayRate(name, "beta1", beta1);
  requireDecayRate(name, "beta2", beta2);
  requireNonNegative(name, "epsilon", epsilon);
  return { beta1, beta2, epsilon };
}

function adamRule(name: string, options: AdamOptions): ElementwiseRule<Moments> {
  const { beta1, beta2, epsilon } = momentRates(name, options);
  return {
    name,
    slots: ["firstMoment", "secondMoment"],
    formula(g, slots, context) {
      const m = runningMean(slots.firstMoment, g, beta1);
      const v = runningMean(slots.secondMoment, square(g), beta2);
      const mHat = unbiased(m, beta1, context.step);
      const vHat = unbiased(v, beta2, context.step);
      const direction = normalised(mHat, sqrt(vHat), epsilon);
      return { update: descend(direction, context), slots: { firstMoment: m, secondMoment: v } };
    },
  };
}

/**
 * Adam: steps along a running mean of gradients over the root of a running mean of their squares.
 * @throws ValueError for an option out of range.
 * @see Kingma and Ba, ICLR 2015, arXiv 1412.6980, algorithm 1.
 */
export function adam(options: AdamOptions = {}): GradientTransformation<AdamState> {
  const rule = adamRule("adam", options);
  const { learningRate = 1e-3, weightDecay = 0 } = options;
  return elementwiseOptimizer(rule, { learningRate, weightDecay });
}

/**
 * Adam with weight decay apart from the gradient: parameters shrink by `learningRate * weightDecay` beside the step.
 * @throws ValueError for an option out of range.
 * @see Loshchilov and Hutter, ICLR 2019, arXiv 1711.05101.
 */
export function adamw(options: AdamWOptions = {}): GradientTransformation<AdamState> {
  const rule = adamRule("adamw", options);
  const { learningRate = 1e-3, weightDecay = 0.01 } = options;
  return elementwiseOptimizer(rule, { learningRate, decoupledWeightDecay: weightDecay });
}

/**
 * Adam whose second moment never falls: the largest so far is used.
 * @throws ValueError for an option out of range.
 * @see Reddi, Kale and Kumar, ICLR 2018, arXiv 1904.09237, algorithm 2; with Adam's bias corrections, as in common use.
 */
export function amsgrad(options: AdamOptions = {}): GradientTransformation<AmsgradState> {
  const { beta1, beta2, epsilon } = momentRates("amsgrad", options);
  const { learningRate = 1e-3, weightDecay = 0 } = options;
  const rule: ElementwiseRule<Moments | "largestSecondMoment"> = {
    name: "amsgrad",
    slots: ["firstMoment", "secondMoment", "largestSecondMoment"],
    formula(g, slots, context) {
      const m = runningMean(slots.firstMoment, g, beta1);
      const v = runningMean(slots.secondMoment, square(g), beta2);
      const largest = maximum(slots.largestSecondMoment, v);
      const mHat = unbiased(m, beta1, context.step);
      const vHat = unbiased(largest, beta2, context.step);
      const direction = normalised(mHat, sqrt(vHat), epsilon);
      const next = { firstMoment: m, secondMoment: v, largestSecondMoment: largest };
      return { update: descend(direction, context), slots: next };
    },
  };
  return elementwiseOptimizer(rule, { learningRate, weightDecay });
}
