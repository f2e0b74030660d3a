import {
  broadcastTo,
  cast,
  concatenate,
  isTensor,
  requireObject,
  ShapeError,
  slice,
  type Tensor,
  tree,
  UnsupportedError,
  ValueError,
  vjp,
} from "@offprint/tensor-core";
import { floatOf, type LevelTensors } from "./level.js";
import { convertPrediction, type Prediction } from "./prediction.js";
import type { NoiseSchedule } from "./schedule.js";

/** Gradients that a denoiser hands out: one for the state, and one for what else was asked for. */
export interface DenoiserGradients<C> {
  /** Like the state. */
  readonly z: Tensor;
  /** Like the condition. */
  readonly condition?: C;
}

/**
 * A trained model: what it says of noisy states. An object of one's own is enough.
 * @typeParam C - the condition: a tree of tensors with a leading axis for the samples, such as an embedding
 */
export interface Denoiser<C = Tensor> {
  /** What `predict` says. */
  readonly prediction: Prediction;
  /** The noise that it was trained with. */
  readonly schedule: NoiseSchedule;
  /**
   * The prediction for states `z`, `[batch, ...]`, at a level (scalars, or one for each sample). In operations of tensors,
   * so that it can be compiled and differentiated, unless `external`.
   */
  predict(z: Tensor, level: LevelTensors, condition?: C): Tensor | Promise<Tensor>;
  /** Whether `predict` is a black box that may read values and answer with a promise, such as a loaded file. Default false. */
  readonly external?: boolean;
  /** The weight of guidance, where it has one: what states that are not finite may come from. */
  readonly guidance?: number;
  /** Gradients of `sum(predict(z, ...) * cotangent)`, for black boxes that take part in gradients. */
  vjp?(
    z: Tensor,
    level: LevelTensors,
    condition: C | undefined,
    cotangent: Tensor,
  ): DenoiserGradients<C> | Promise<DenoiserGradients<C>>;
}

/**
 * What a denoiser of tensor operations predicts, as the wanted kind and in the element type of `z`; traceable.
 * @throws UnsupportedError for an external one; ValueError for a promise; ShapeError for another shape than that of `z`.
 */
export function predictAs<C>(
  denoiser: Denoiser<C>,
  wanted: Prediction,
  z: Tensor,
  level: LevelTensors,
  condition?: C,
): Tensor {
  requireObject("predictAs", "denoiser", denoiser, "a Denoiser");
  requireObject("predictAs", "z", z, "a tensor");
  requireObject("predictAs", "level", level, "LevelTensors");
  if (denoiser.external) {
    throw new UnsupportedError(
      "predictAs: the denoiser is external, so that it cannot be traced; give one in operations of tensors, or await evaluator(denoiser)",
    );
  }
  const output = denoiser.predict(z, level, condition);
  if (!isTensor(output)) {
    throw new ValueError(
      "predictAs: predict answered with no tensor; set external: true on a denoiser that gives promises",
    );
  }
  return fitted(denoiser, wanted, output, z, level);
}

/** @internal An answer in the wanted kind and in the type of the state. */
export function fitted<C>(
  { prediction, schedule }: Denoiser<C>,
  wanted: Prediction,
  output: Tensor,
  z: Tensor,
  level: LevelTensors,
): Tensor {
  if (output.shape.join() !== z.shape.join()) {
    throw new ShapeError(
      `denoiser: predict gave shape [${output.shape}] for states of shape [${z.shape}]; give one like the states`,
    );
  }
  if (prediction === "velocity" && schedule.kind !== "variance-preserving") {
    throw new ValueError(
      'denoiser: prediction "velocity" is of variance-preserving schedules, and this one\'s noise explodes; predict noise or data',
    );
  }
  const type = floatOf(z);
  return cast(convertPrediction(cast(output, type), prediction, wanted, z, level), type);
}

/** Noise that was predicted, and what pulls a gradient of it back to what it was predicted from. */
export interface PulledNoise<C> {
  /** Like the states. */
  readonly noise: Tensor;
  /** Gradients of `sum(noise * cotangent)`. */
  pull(cotangent: Tensor): Promise<DenoiserGradients<C>>;
}

/**
 * The predicted noise and its gradients, outside of compiled code: of black boxes by their own `vjp`.
 * @throws UnsupportedError where a black box has none.
 */
export async function noiseWithPullback<C>(
  owner: string,
  denoiser: Denoiser<C>,
  z: Tensor,
  level: LevelTensors,
  condition?: C,
): Promise<PulledNoise<C>> {
  requireObject(owner, "denoiser", denoiser, "a Denoiser");
  requireObject(owner, "z", z, "a tensor");
  requireObject(owner, "level", level, "LevelTensors");
  if (!denoiser.external) {
    const inputs = { z, ...(condition !== undefined && { condition }) };
    const [noise, pullback] = vjp(
      (given: { z: Tensor; condition?: C }) => predictAs(denoiser, "noise", given.z, level, given.condition),
      inputs,
    );
    return { noise, pull: async (cotangent) => pullback(cotangent)[0] as DenoiserGradients<C> };
  }
  const { vjp: own } = denoiser;
  if (own === undefined) {
    throw new UnsupportedError(
      `${owner}: the denoiser is external and has no vjp; give one (a second .onnx file: the option gradient of unetDenoiser), or a denoiser in operations of tensors`,
    );
  }
  const output = await denoiser.predict(z, level, condition);
  const [noise, pullback] = vjp((o: Tensor, x: Tensor) => fitted(denoiser, "noise", o, x, level), output, z);
  return {
    noise,
    async pull(cotangent) {
      const [ofOutput, ofState] = pullback(cotangent);
      const gradients = await own.call(denoiser, z, level, condition, ofOutput);
      return { ...gradients, z: gradients.z.add(ofState) };
    },
  };
}

/** Twice the batch: the null condition for the first half, the condition for the second. */
function doubled<C>(z: Tensor, level: LevelTensors, condition: C, nullCondition: C) {
  const nulls = tree.leaves<Tensor>(nullCondition);
  let next = 0;
  const both = tree.map((leaf: Tensor) => concatenate([broadcastTo(nulls[next++], leaf.shape), leaf], 0), condition);
  const twice = (x: Tensor) => (x.rank === 0 ? x : concatenate([x, x], 0));
  const levels: LevelTensors = {
    t: twice(level.t),
    timestep: twice(level.timestep),
    alpha: twice(level.alpha),
    sigma: twice(level.sigma),
  };
  return { states: concatenate([z, z], 0), levels, both };
}

function halves(x: Tensor): [Tensor, Tensor] {
  const n = x.shape[0] / 2;
  return [slice(x, [{ stop: n }]), slice(x, [{ start: n }])];
}

/**
 * Classifier-free guidance: `null + weight (conditional - null)` of the predictions, from one call with twice the batch.
 * @param nullCondition like the condition, or with 1 in place of the batch
 * @param weight 0 for the unconditional model, 1 for the conditional one
 * @throws ValueError for a weight that is not finite, and where it is called without a condition.
 */
export function withGuidance<C>(denoiser: Denoiser<C>, nullCondition: C, weight: number): Denoiser<C> {
  if (!Number.isFinite(weight)) throw new ValueError(`withGuidance: weight is ${weight}; give a finite number`);
  const { prediction, schedule, external, vjp: own } = denoiser;
  const mixed = (output: Tensor): Tensor => {
    const [unconditional, conditional] = halves(output);
    return unconditional.add(conditional.sub(unconditional).mul(weight));
  };
  const needed = (condition: C | undefined): C => {
    if (condition !== undefined) return condition;
    throw new ValueError("withGuidance: there is no condition; give one, or use the denoiser itself");
  };
  return {
    prediction,
    schedule,
    guidance: weight,
    ...(external && { external }),
    predict(z, level, condition) {
      const { states, levels, both } = doubled(z, level, needed(condition), nullCondition);
      const output = denoiser.predict(states, levels, both);
      return isTensor(output) ? mixed(output) : output.then(mixed);
    },
    ...(own && {
      async vjp(z: Tensor, level: LevelTensors, condition: C | undefined, cotangent: Tensor) {
        const { states, levels, both } = doubled(z, level, needed(condition), nullCondition);
        const parts = concatenate([cotangent.mul(1 - weight), cotangent.mul(weight)], 0);
        const gradients = await own.call(denoiser, states, levels, both, parts);
        const [a, b] = halves(gradients.z);
        const ofCondition = gradients.condition && tree.map((leaf: Tensor) => halves(leaf)[1], gradients.condition);
        return { z: a.add(b), ...(ofCondition && { condition: ofCondition }) };
      },
    }),
  };
}

/** A denoiser that counts how often it is called. */
export interface CountingDenoiser<C> extends Denoiser<C> {
  /** Calls so far. */
  readonly calls: number;
}

/** The same denoiser, not compiled, with a count of its calls: for tests and budgets. */
export function countCalls<C>(denoiser: Denoiser<C>): CountingDenoiser<C> {
  let calls = 0;
  return {
    ...denoiser,
    external: true,
    predict(z, level, condition) {
      calls++;
      return denoiser.predict(z, level, condition);
    },
    get calls() {
      return calls;
    },
  };
}
