import {
  abs,
  add,
  asTensor,
  cast,
  clip,
  cond,
  div,
  greater,
  less,
  logicalAnd,
  max,
  maximum,
  mul,
  neg,
  requireNonNegative,
  requirePositive,
  sqrt,
  square,
  sum,
  type Tensor,
  tree,
  where,
  zerosLike,
} from "@offprint/tensor-core";
import { nextStep } from "./elementwise.js";
import { leavesLike, parameterLeaves, requireFinite } from "./parameter-leaves.js";
import { type Schedule, scheduled } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** The state of a transformation that remembers nothing. */
export type EmptyState = Record<string, never>;

/**
 * The Euclidean norm over all leaves of a tree, a scalar in the widest dtype among them; also where squares are larger or
 * smaller than numbers can be.
 */
export function globalNorm(value: unknown): Tensor {
  const leaves = parameterLeaves("globalNorm", value).leaves.filter(({ size }) => size > 0);
  if (leaves.length === 0) return asTensor(0);
  const squares = sumOfSquares(leaves);
  const within = logicalAnd(greater(squares, squares.dtype === "float64" ? 1e-280 : 1e-28), less(squares, Infinity));
  return cond(
    within,
    () => sqrt(squares),
    () => {
      const largest = leaves.map((x) => max(abs(x))).reduce((a, b) => maximum(a, b));
      // Without an entry, and with infinite ones, there is nothing to measure by.
      const scaled = logicalAnd(greater(largest, 0), less(largest, Infinity));
      const unit = where(scaled, largest, 1);
      return mul(sqrt(sumOfSquares(leaves.map((x) => div(cast(x, unit.dtype), unit)))), unit);
    },
  );
}

const sumOfSquares = (leaves: readonly Tensor[]): Tensor =>
  leaves.map((x) => sum(square(x))).reduce((a, b) => add(a, b));

function stateless(
  name: string,
  rule: (gradients: readonly Tensor[], params: readonly Tensor[]) => readonly Tensor[],
): GradientTransformation<EmptyState> {
  return {
    init(params) {
      parameterLeaves(name, params);
      return {};
    },
    update(gradients, state, params) {
      const p = parameterLeaves(name, params);
      const g = leavesLike(name, "gradients", gradients, p);
      requireFinite(name, g, p);
      return { updates: tree.unflatten(p.structure, rule(g, p.leaves)), state };
    },
  };
}

/**
 * Scales all gradients by one factor so that their Euclidean norm, taken over all leaves together, is at most
 * `maxNorm` (> 0).
 */
export function clipByGlobalNorm(maxNorm: number): GradientTransformation<EmptyState> {
  requirePositive("clipByGlobalNorm", "maxNorm", maxNorm);
  return stateless("clipByGlobalNorm", (gradients) => {
    const norm = globalNorm(gradients);
    const tooLong = greater(norm, maxNorm);
    const factor = where(tooLong, div(maxNorm, where(tooLong, norm, 1)), 1);
    return gradients.map((g) => mul(g, cast(factor, g.dtype)));
  });
}

/** Limits every coordinate of the gradients to `[-limit, limit]`, `limit` > 0. */
export function clipByValue(limit: number): GradientTransformation<EmptyState> {
  requirePositive("clipByValue", "limit", limit);
  return stateless("clipByValue", (gradients) => gradients.map((g) => clip(g, -limit, limit)));
}

/** Adds `weightDecay * params` (>= 0) to what comes in: before an optimizer, the gradient of an L2 penalty. */
export function addDecayedWeights(weightDecay: number): GradientTransformation<EmptyState> {
  requireNonNegative("addDecayedWeights", "weightDecay", weightDecay);
  return stateless("addDecayedWeights", (gradients, params) =>
    gradients.map((g, i) => add(g, mul(params[i], weightDecay))),
  );
}

/** Keeps parameters as they are: every update is zero. For the parts of `partition` that are not trained. */
export function setToZero(): GradientTransformation<EmptyState> {
  return stateless("setToZero", (gradients) => gradients.map((g) => zerosLike(g)));
}

/**
 * Keeps parameters at 0 or above: last in a `chain`, it shortens updates that would lead below, so that the parameter becomes
 * exactly 0. With `masked` for some parameters only.
 * @example chain(adam(), masked(keepNonNegative(), (path) => path.startsWith("convex")))
 */
export function keepNonNegative(): GradientTransformation<EmptyState> {
  return stateless("keepNonNegative", (updates, params) =>
    updates.map((u, i) => where(less(add(params[i], u), 0), neg(params[i]), u)),
  );
}

/** Multiplies by a number of either sign, or by a schedule of the update's number. */
export function scale(factor: number | Schedule): GradientTransformation<{ readonly step: Tensor }> {
  if (typeof factor === "number") requireNonNegative("scale", "the magnitude of the factor", Math.abs(factor));
  return {
    init(params) {
      parameterLeaves("scale", params);
      return { step: asTensor(0, "int32") };
    },
    update(gradients, state, params) {
      const p = parameterLeaves("scale", params);
      const g = leavesLike("scale", "gradients", gradients, p);
      requireFinite("scale", g, p);
      const step = nextStep("scale", state.step);
      const scaled = g.map((x) =>
        mul(
          x,
          typeof factor === "number" ? factor : asTensor(scheduled("scale", factor, cast(step, x.dtype)), x.dtype),
        ),
      );
      return { updates: tree.unflatten(p.structure, scaled), state: { step } };
    },
  };
}
