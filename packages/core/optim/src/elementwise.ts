import {
  add,
  asTensor,
  cast,
  mul,
  neg,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  zerosLike,
} from "@offprint/tensor-core";
import { requireNonNegative, requireRate } from "./option-checks.js";
import {
  type FloatArray,
  isPlain,
  leavesLike,
  type ParameterLeaves,
  parameterLeaves,
  requireFinite,
} from "./parameter-leaves.js";
import { type Schedule, scheduleValue } from "./schedules.js";
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

/** What a fused loop knows of the present update. */
export interface FusedContext {
  /** The number of the update, 1 for the first. */
  readonly step: number;
  /** The learning rate of this update. */
  readonly learningRate: number;
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
  /** The change of the parameter and the new buffers, in tensor operations: this is what is traced and compiled. */
  formula(
    gradient: Tensor,
    slots: Readonly<Record<Slot, Tensor>>,
    context: UpdateContext,
  ): { update: Tensor; slots: Record<Slot, Tensor> };
  /**
   * The same in one pass over arrays in memory, without temporaries: reads `gradient` and `slots`, fills `update` and
   * `nextSlots`. Without it the formula is used everywhere.
   */
  fused?(
    gradient: FloatArray,
    slots: Readonly<Record<Slot, FloatArray>>,
    context: FusedContext,
    update: FloatArray,
    nextSlots: Readonly<Record<Slot, FloatArray>>,
  ): void;
}

interface Decay {
  /** Added to the gradient. */
  readonly coupled: number;
  /** Taken from the parameters. */
  readonly decoupled: number;
}

interface LeafUpdate<Slot extends string> {
  readonly update: Tensor;
  readonly slots: Record<Slot, Tensor>;
}

/**
 * The optimizer that applies a rule to every leaf. Values in memory go through the rule's fused loop; traced, batched
 * or differentiated ones through its formula.
 * @throws ValueError for an option out of range.
 */
export function elementwiseOptimizer<Slot extends string>(
  rule: ElementwiseRule<Slot>,
  options: ElementwiseOptions,
): GradientTransformation<ElementwiseState<Slot>> {
  const { learningRate, weightDecay = 0, decoupledWeightDecay = 0 } = options;
  requireRate(rule.name, learningRate);
  requireNonNegative(rule.name, "weightDecay", weightDecay);
  requireNonNegative(rule.name, "decoupledWeightDecay", decoupledWeightDecay);
  const decay: Decay = { coupled: weightDecay, decoupled: decoupledWeightDecay };
  return {
    init(params) {
      const { leaves, structure } = parameterLeaves(rule.name, params);
      const buffers = rule.slots.map((slot) => [slot, tree.unflatten(structure, leaves.map(zerosLike))]);
      return { step: tensor(0, { dtype: "int32" }), ...Object.fromEntries(buffers) };
    },
    update(gradients, state, params) {
      const p = parameterLeaves(rule.name, params);
      const g = leavesLike(rule.name, "gradients", gradients, p);
      const slots = rule.slots.map((slot) => leavesLike(rule.name, slot, state[slot], p));
      requireFinite(rule.name, g, p);
      const step = nextStep(rule.name, state.step);
      const all = [step, ...g, ...slots.flat(), ...(decay.coupled + decay.decoupled > 0 ? p.leaves : [])];
      const results =
        rule.fused !== undefined && all.every(isPlain)
          ? fusedUpdates(rule, g, slots, p, step, learningRate, decay)
          : formulaUpdates(rule, g, slots, p, step, learningRate, decay);
      const collect = (pick: (result: LeafUpdate<Slot>) => Tensor) => tree.unflatten(p.structure, results.map(pick));
      const buffers = rule.slots.map((slot) => [slot, collect((result) => result.slots[slot])]);
      return { updates: collect((result) => result.update), state: { step, ...Object.fromEntries(buffers) } };
    },
  };
}

/** The number of the update that a state leads to. */
export function nextStep(owner: string, step: unknown): Tensor {
  const count = asTensor(step as TensorLike, "int32");
  if (count.rank !== 0) {
    throw new ShapeError(`${owner}: state.step has shape [${count.shape}]; it must be a scalar made by init`);
  }
  return isPlain(count) ? tensor(count.item() + 1, { dtype: "int32" }) : add(count, 1);
}

function formulaUpdates<Slot extends string>(
  rule: ElementwiseRule<Slot>,
  gradients: readonly Tensor[],
  slots: readonly (readonly Tensor[])[],
  params: ParameterLeaves,
  step: Tensor,
  learningRate: number | Schedule,
  decay: Decay,
): LeafUpdate<Slot>[] {
  return gradients.map((gradient, i) => {
    const p = params.leaves[i];
    const t = cast(step, gradient.dtype);
    const rate = typeof learningRate === "number" ? learningRate : asTensor(learningRate(t), gradient.dtype);
    const g = decay.coupled > 0 ? add(gradient, mul(p, decay.coupled)) : gradient;
    const own = Object.fromEntries(rule.slots.map((slot, k) => [slot, slots[k][i]])) as Record<Slot, Tensor>;
    const { update, slots: next } = rule.formula(g, own, { step: t, learningRate: rate });
    const kept = rule.slots.map((slot) => [slot, apartFrom(gradient, next[slot])]);
    const shrinkage = decay.decoupled > 0 ? mul(p, mul(asTensor(rate, p.dtype), decay.decoupled)) : undefined;
    return {
      update: shrinkage === undefined ? apartFrom(gradient, update) : sub(update, shrinkage),
      slots: Object.fromEntries(kept) as Record<Slot, Tensor>,
    };
  });
}

/** A copy where `x` lies in the gradient's buffer, which its owner may write to before the next update. */
function apartFrom(gradient: Tensor, x: Tensor): Tensor {
  if (!isPlain(gradient) || !isPlain(x)) return x;
  const values = x.data() as FloatArray;
  return values.buffer === gradient.data().buffer ? tensor(values.slice(), { shape: x.shape }) : x;
}

function fusedUpdates<Slot extends string>(
  rule: ElementwiseRule<Slot>,
  gradients: readonly Tensor[],
  slots: readonly (readonly Tensor[])[],
  params: ParameterLeaves,
  step: Tensor,
  learningRate: number | Schedule,
  decay: Decay,
): LeafUpdate<Slot>[] {
  const t = step.item();
  const rate = scheduleValue(rule.name, learningRate, cast(step, "float64"));
  const context: FusedContext = { step: t, learningRate: rate };
  return gradients.map((gradient, i) => {
    const p = params.leaves[i];
    let g = gradient.data() as FloatArray;
    if (decay.coupled > 0) g = withPenalty(g, p.data() as FloatArray, decay.coupled);
    const update = emptyLike(g);
    const before = {} as Record<Slot, FloatArray>;
    const after = {} as Record<Slot, FloatArray>;
    rule.slots.forEach((slot, k) => {
      before[slot] = slots[k][i].data() as FloatArray;
      after[slot] = emptyLike(g);
    });
    rule.fused?.(g, before, context, update, after);
    if (decay.decoupled > 0) shrink(update, p.data() as FloatArray, rate * decay.decoupled);
    const wrap = (data: FloatArray) => tensor(data, { shape: p.shape });
    const nextSlots = Object.fromEntries(rule.slots.map((slot) => [slot, wrap(after[slot])])) as Record<Slot, Tensor>;
    return { update: wrap(update), slots: nextSlots };
  });
}

function emptyLike(x: FloatArray): FloatArray {
  return x instanceof Float32Array ? new Float32Array(x.length) : new Float64Array(x.length);
}

/** `gradient + lambda * params`. */
function withPenalty(gradient: FloatArray, params: FloatArray, lambda: number): FloatArray {
  const out = emptyLike(gradient);
  for (let i = 0; i < out.length; i++) out[i] = gradient[i] + lambda * params[i];
  return out;
}

/** `update - amount * params`, in place. */
function shrink(update: FloatArray, params: FloatArray, amount: number): void {
  for (let i = 0; i < update.length; i++) update[i] -= amount * params[i];
}

/** `-learningRate * direction`, the last line of most formulas. */
export function descend(direction: Tensor, { learningRate }: UpdateContext): Tensor {
  return neg(mul(direction, learningRate));
}
