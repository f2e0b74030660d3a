import {
  add,
  asTensor,
  cast,
  checkOptions,
  hostTensor,
  jitSync,
  mul,
  neg,
  requireNonNegative,
  requireObject,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  zerosLike,
} from "@offprint/tensor-core";
import { requireRate } from "./option-checks.js";
import { type FloatArray, isPlain, leavesLike, parameterLeaves, requireFinite } from "./parameter-leaves.js";
import { type Schedule, scheduled, scheduleValue } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** Options that every elementwise optimizer takes. */
export interface ElementwiseOptions {
  /** Learning rate, >= 0: a number, or a schedule of the update's number. */
  learningRate: number | Schedule;
  /** lambda >= 0 of the L2 penalty `lambda |params|^2 / 2`, whose gradient is added before everything else. Default 0. */
  weightDecay?: number;
  /** lambda >= 0 by which parameters shrink beside the update, `- learningRate * lambda * params` (AdamW). Default 0. */
  decoupledWeightDecay?: number;
}

/** The state of an elementwise optimizer: the number of updates so far, and its buffers. */
export type ElementwiseState<Slot extends string> = {
  /** Number of updates made: an int32 scalar. */
  readonly step: Tensor;
} & {
  /** Trees like the parameters, zero at the start. */
  readonly [K in Slot]: tree.Tree;
};

/** What a formula knows of the present update. */
export interface UpdateContext {
  /** The number of the update, 1 for the first: a scalar in the dtype of the gradient. */
  readonly step: Tensor;
  /** The learning rate of this update. */
  readonly learningRate: TensorLike;
}

/**
 * An optimizer that treats every coordinate alone: one formula for one tensor. From it `elementwiseOptimizer` makes a
 * transformation of whole trees.
 */
export interface ElementwiseRule<Slot extends string> {
  /** For messages. */
  readonly name: string;
  /** Names of the buffers that the optimizer keeps per parameter. */
  readonly slots: readonly Slot[];
  /**
   * The change of the parameter and the new buffers, in tensor operations. It is traced and compiled with whatever it is
   * part of, alone for values in memory.
   */
  formula(
    gradient: Tensor,
    slots: Readonly<Record<Slot, Tensor>>,
    context: UpdateContext,
  ): { update: Tensor; slots: Record<Slot, Tensor> };
  /**
   * False where the formula calls code that may read values, such as a user's function: it is then carried out operation
   * by operation. Default true.
   */
  readonly traceable?: boolean;
}

interface Decay {
  /** Added to the gradient. */
  readonly coupled: number;
  /** Taken from the parameters. */
  readonly decoupled: number;
}

/** New values of one parameter's state: the update, then the buffers in the order of the rule's slots. */
type LeafUpdate = readonly Tensor[];

/**
 * The optimizer that applies a rule to every leaf.
 * @throws ValueError for an option out of range.
 */
export function elementwiseOptimizer<Slot extends string>(
  rule: ElementwiseRule<Slot>,
  options: ElementwiseOptions,
): GradientTransformation<ElementwiseState<Slot>> {
  requireObject("elementwiseOptimizer", "rule", rule, "an ElementwiseRule");
  checkOptions(rule.name, options, ["learningRate", "weightDecay", "decoupledWeightDecay"], ["learningRate"]);
  const { learningRate, weightDecay = 0, decoupledWeightDecay = 0 } = options;
  requireRate(rule.name, learningRate);
  requireNonNegative(rule.name, "weightDecay", weightDecay);
  requireNonNegative(rule.name, "decoupledWeightDecay", decoupledWeightDecay);
  const update = leafUpdate(rule, { coupled: weightDecay, decoupled: decoupledWeightDecay });
  const compiled = rule.traceable === false ? undefined : compiledUpdates(update);
  return {
    init(params) {
      const { leaves, structure } = parameterLeaves(rule.name, params);
      const buffers = rule.slots.map((slot) => [slot, tree.unflatten(structure, leaves.map(zerosLike))]);
      return { step: tensor(0, { dtype: "int32" }), ...Object.fromEntries(buffers) };
    },
    update<P>(gradients: P, state: ElementwiseState<Slot>, params: P) {
      const p = parameterLeaves(rule.name, params);
      const g = leavesLike(rule.name, "gradients", gradients, p);
      const slots = rule.slots.map((slot) => leavesLike(rule.name, slot, state[slot], p));
      requireFinite(rule.name, g, p);
      const step = nextStep(rule.name, state.step);
      const arrays = g.map((gradient, i) => [gradient, p.leaves[i], ...slots.map((leaves) => leaves[i])]);
      const inMemory = isPlain(step) && arrays.every((leaf) => leaf.every(isPlain));
      const results =
        compiled !== undefined && inMemory
          ? compiled(arrays.map(readAnew), step, scheduleValue(rule.name, learningRate, cast(step, "float64")))
          : arrays.map((leaf) => {
              const t = cast(step, leaf[0].dtype);
              const rate =
                typeof learningRate === "number"
                  ? learningRate
                  : asTensor(scheduled(rule.name, learningRate, t), leaf[0].dtype);
              return update(leaf, t, rate);
            });
      const own = results.map((result, i) => result.map((x) => apartFrom(g[i], x)));
      const collect = <T>(k: number) =>
        tree.unflatten<T>(
          p.structure,
          own.map((result) => result[k]),
        );
      const buffers = rule.slots.map((slot, k) => [slot, collect<tree.Tree>(k + 1)]);
      return { updates: collect<P>(0), state: { step, ...Object.fromEntries(buffers) } };
    },
  };
}

/** The rule with its weight decay, for one leaf: `arrays` are gradient, parameter, and the buffers. */
function leafUpdate<Slot extends string>(rule: ElementwiseRule<Slot>, decay: Decay) {
  return ([gradient, parameter, ...buffers]: readonly Tensor[], step: Tensor, learningRate: TensorLike): LeafUpdate => {
    const g = decay.coupled > 0 ? add(gradient, mul(parameter, decay.coupled)) : gradient;
    const own = Object.fromEntries(rule.slots.map((slot, k) => [slot, buffers[k]])) as Record<Slot, Tensor>;
    const { update, slots } = rule.formula(g, own, { step, learningRate });
    const next = rule.slots.map((slot) => slots[slot]);
    if (decay.decoupled === 0) return [update, ...next];
    return [sub(update, mul(parameter, mul(asTensor(learningRate, parameter.dtype), decay.decoupled))), ...next];
  };
}

/** The updates of all leaves as one compiled function. */
function compiledUpdates(update: ReturnType<typeof leafUpdate>) {
  const all = jitSync((leaves: Tensor[][], step: Tensor, rate: Tensor): Tensor[][] =>
    leaves.map((arrays) => {
      const { dtype } = arrays[0];
      return [...update(arrays, cast(step, dtype), cast(rate, dtype))];
    }),
  );
  return (leaves: Tensor[][], step: Tensor, rate: number) => all(leaves, step, tensor(rate, { dtype: "float64" }));
}

/** The gradient as a new tensor: compiled functions take it that a tensor which they know has not changed. */
function readAnew([gradient, ...others]: readonly Tensor[]): Tensor[] {
  return [hostTensor(gradient.data(), gradient.shape, gradient.dtype), ...others];
}

/** The number of the update that a state leads to. */
export function nextStep(owner: string, step: unknown): Tensor {
  const count = asTensor(step as TensorLike, "int32");
  if (count.rank !== 0) {
    throw new ShapeError(`${owner}: state.step has shape [${count.shape}]; it must be a scalar made by init`);
  }
  return isPlain(count) ? tensor(count.item() + 1, { dtype: "int32" }) : add(count, 1);
}

/** A copy where `x` lies in the gradient's buffer, which its owner may write to before the next update. */
function apartFrom(gradient: Tensor, x: Tensor): Tensor {
  if (!isPlain(gradient) || !isPlain(x)) return x;
  const values = x.data() as FloatArray;
  return values.buffer === gradient.data().buffer ? tensor(values.slice(), { shape: x.shape }) : x;
}

/** `-learningRate * direction`, the last line of most formulas. */
export function descend(direction: Tensor, updateContext: UpdateContext): Tensor {
  requireObject("descend", "direction", direction, "a tensor");
  requireObject("descend", "updateContext", updateContext, "an UpdateContext");
  const { learningRate } = updateContext;
  return mul(
    direction,
    typeof learningRate === "number" ? -learningRate : neg(asTensor(learningRate, direction.dtype)),
  );
}
