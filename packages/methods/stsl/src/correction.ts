import { alongBatch, type LevelTensors, noiseWithPullback, predictAs } from "@offprint/diffusion";
import {
  add,
  type Backend,
  div,
  isTensor,
  jit,
  less,
  mul,
  ShapeError,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  ValueError,
  valueAndGrad,
  vjp,
  where,
} from "@offprint/tensor-core";
import {
  differenceTrace,
  directionalTrace,
  exactTrace,
  perSample,
  requireTraced,
  type TraceMode,
} from "./hessian-trace.js";
import { kept } from "./kept.js";
import { isTraced, type LatentModel } from "./latent-model.js";
import type { MeasurementLike } from "./measurement.js";

/** Where a state is corrected. */
export interface Place<C> {
  /** States `[batch, ...]`. */
  readonly z: Tensor;
  /** Measurements. */
  readonly y: Tensor;
  /** Their level. */
  readonly level: LevelTensors;
  /** Handed to the denoiser. */
  readonly condition: C | undefined;
  /** Directions for the trace; none without a trace. */
  readonly probes: readonly Tensor[];
  /** Numbers of the method, as tensors, so that a compiled function serves all of them. */
  readonly numbers: Readonly<Record<string, Tensor>>;
}

/** What was predicted at a place. */
export interface Predicted {
  /** The data: `E[z0 | z]` by Tweedie's formula. */
  readonly z0: Tensor;
  /** The image of it, `D(z0)`. */
  readonly image: Tensor;
  /** Trace of the Hessian of `log p(z)`, `[batch]`; absent where it is not asked for. */
  readonly trace?: Tensor;
  /** What the encoder makes of the blended image; absent where nothing is blended. */
  readonly encoded?: Tensor;
}

/** What a method goes down along. */
export interface Objective<C> {
  /** Tells objectives of one model and measurement apart: all that the functions below depend on beside their arguments. */
  readonly name: string;
  /** What was measured; with the model it is what compiled corrections are kept for. */
  readonly measurement: MeasurementLike;
  /** The map of the measurement. */
  readonly apply: (images: Tensor) => Tensor;
  /** What is minimised, `[batch]`, in operations of tensors. */
  readonly loss: (predicted: Predicted, place: Place<C>, missed: Tensor) => Tensor;
  /** How the trace is had; none by default. */
  readonly trace?: TraceMode;
  /** The image that goes through the encoder for `encoded`. */
  readonly blend?: (image: Tensor, y: Tensor) => Tensor;
  /** What the gradient is taken of. Default the states. */
  readonly by?: "states" | "condition";
}

/** What a correction is made of. */
export interface Correction<C> {
  /** Gradient of the summed losses by the states, or by the condition. */
  readonly gradient: Tensor | C;
  /** Predicted at the states. */
  readonly noise: Tensor;
  /** Norm of what the measurements are missed by, `[batch]`. */
  readonly residual: Tensor;
}

/** A correction as a function of its place. */
export type Correct<C> = (place: Place<C>) => Promise<Correction<C>>;

/** Where a norm counts as zero, so that it has no direction. */
const nothing = 1e-12;

/** A value with the gradient of `|v|`, for every sample, and none where the norm is next to nothing. */
export function guardedNorm(v: Tensor): Tensor {
  const squared = perSample(square(v));
  return mul(squared, guardedSlope(squared));
}

/** `1 / (2 |v|)` as a constant from `|v|^2`; 0 where the norm is next to nothing. */
export function guardedSlope(squared: Tensor): Tensor {
  const norm = sqrt(stopGradient(squared));
  const tiny = less(norm, nothing);
  return where(tiny, mul(norm, 0), div(0.5, where(tiny, add(mul(norm, 0), 1), norm)));
}

/** `E[z0 | z] = (z - sigma noise) / alpha`. */
export function tweedie(z: Tensor, noise: Tensor, { alpha, sigma }: LevelTensors): Tensor {
  return div(sub(z, mul(noise, alongBatch(sigma, z))), alongBatch(alpha, z));
}

/** `y - A x`. @throws ShapeError where measurements do not fit the measurement. */
export function missedBy(apply: (images: Tensor) => Tensor, y: Tensor, image: Tensor): Tensor {
  const seen: unknown = apply(image);
  if (!isTensor(seen)) throw new ValueError("the measurement gave no tensor; it must be made of operations of tensors");
  if (seen.shape.join() === y.shape.join()) return sub(y, seen);
  throw new ShapeError(
    `the measurement of images [${image.shape}] has shape [${seen.shape}], but y has [${y.shape}]; give measurements of such images`,
  );
}

/** A correction of a model, compiled where everything is made of operations of tensors: once for all runs that measure alike. */
export function correction<C>(
  owner: string,
  model: LatentModel<C>,
  objective: Objective<C>,
  backend: Backend | undefined,
): Correct<C> {
  const { trace } = objective;
  if (trace === "jvp" || (trace === "exact" && model.hessianTrace === undefined)) {
    requireTraced(owner, model.denoiser, trace);
  }
  if (!isTraced(model)) return externalCorrection(owner, model, objective);
  const { measurement, name } = objective;
  return kept([model, measurement, ...(backend ? [backend] : [])], name, () =>
    tracedCorrection(model, objective, backend),
  );
}

/** A part of a model that must be made of operations of tensors. */
function now(x: Tensor | Promise<Tensor>): Tensor {
  if (isTensor(x)) return x;
  throw new ValueError("the model answered with a promise; set external: true on models that read values");
}

function traceOf<C>(
  model: LatentModel<C>,
  mode: TraceMode,
  { z, level, condition, probes, numbers }: Place<C>,
  predict: (z: Tensor) => Tensor,
  noise: Tensor,
): Tensor {
  if (mode === "exact") return model.hessianTrace?.(z, level, condition) ?? exactTrace(predict, z, level);
  if (mode === "jvp") return directionalTrace(predict, z, probes, level);
  const { probeLength } = numbers;
  const probed = probes.map((e) => predict(add(z, mul(e, probeLength))));
  return differenceTrace(noise, probed, probes, level, probeLength);
}

function tracedCorrection<C>(
  model: LatentModel<C>,
  { apply, loss, trace, blend, by = "states" }: Objective<C>,
  backend: Backend | undefined,
): Correct<C> {
  const { denoiser } = model;
  const value = (chosen: Tensor | C, place: Place<C>) => {
    const here = by === "states" ? { ...place, z: chosen as Tensor } : { ...place, condition: chosen as C };
    const { z, level, condition, y } = here;
    const predict = (x: Tensor) => predictAs(denoiser, "noise", x, level, condition);
    const noise = predict(z);
    const z0 = tweedie(z, noise, level);
    const image = now(model.decode(z0));
    const missed = missedBy(apply, y, image);
    const predicted = {
      z0,
      image,
      ...(trace && { trace: traceOf(model, trace, here, predict, noise) }),
      ...(blend && { encoded: now(model.encode(blend(image, y))) }),
    };
    return [sum(loss(predicted, here, missed)), { noise, residual: sqrt(perSample(square(missed))) }] as const;
  };
  return jit(
    (place: Place<C>): Correction<C> => {
      const chosen = by === "states" ? place.z : (place.condition as C);
      const [[, extra], gradient] = valueAndGrad((own: Tensor | C) => value(own, place) as never, { hasAux: true })(
        chosen,
      ) as unknown as [[Tensor, { noise: Tensor; residual: Tensor }], Tensor | C];
      return { gradient, ...extra };
    },
    backend ? { backend } : {},
  );
}

/** The same with black boxes: from part to part, and back through their own gradients. */
function externalCorrection<C>(
  owner: string,
  model: LatentModel<C>,
  { apply, loss, trace, blend, by = "states" }: Objective<C>,
): Correct<C> {
  const { denoiser } = model;
  return async (place) => {
    const { z, y, level, condition, probes, numbers } = place;
    const differs = trace === "difference";
    const main = await noiseWithPullback(owner, denoiser, z, level, condition);
    const moved: Awaited<ReturnType<typeof noiseWithPullback<C>>>[] = [];
    for (const e of differs ? probes : []) {
      moved.push(await noiseWithPullback(owner, denoiser, add(z, mul(e, numbers["probeLength"])), level, condition));
    }
    const [z0, pullTweedie] = vjp((x: Tensor, noise: Tensor) => tweedie(x, noise, level), z, main.noise);
    const { image, pull: pullDecode } = await through(model, "decode", z0);
    const blended = blend && vjp((x: Tensor) => blend(x, y), image);
    const again = blended && (await through(model, "encode", blended[0]));
    interface Parts {
      readonly z: Tensor;
      readonly z0: Tensor;
      readonly image: Tensor;
      readonly noise: Tensor;
      readonly probed: readonly Tensor[];
      readonly encoded?: Tensor;
    }
    const inputs: Parts = {
      z,
      z0,
      image,
      noise: main.noise,
      probed: moved.map(({ noise }) => noise),
      ...(again && { encoded: again.image }),
    };
    const [missed, pullLoss] = vjp((parts: Parts) => {
      const { noise, probed, encoded } = parts;
      const own = { ...place, z: parts.z };
      const found = differs
        ? differenceTrace(noise, probed, probes, level, numbers["probeLength"])
        : trace && traceOf(model, trace, own, (x) => predictAs(denoiser, "noise", x, level, condition), noise);
      const gap = missedBy(apply, y, parts.image);
      const predicted = {
        z0: parts.z0,
        image: parts.image,
        ...(found && { trace: found }),
        ...(encoded && { encoded }),
      };
      return { loss: sum(loss(predicted, own, gap)), gap: stopGradient(gap) };
    }, inputs);
    const cotangents = pullLoss({ loss: mul(missed.loss, 0).add(1), gap: mul(missed.gap, 0) })[0];
    const ofEncoded = cotangents.encoded && (await again?.pull(cotangents.encoded));
    const ofBlend = ofEncoded && blended?.[1](ofEncoded)[0];
    const ofImage = ofBlend ? add(cotangents.image, ofBlend) : cotangents.image;
    const ofData = add(cotangents.z0, await pullDecode(ofImage));
    const [direct, ofNoise] = pullTweedie(ofData);
    const back = await main.pull(add(ofNoise, cotangents.noise));
    const residual = sqrt(perSample(square(missed.gap)));
    if (by === "condition") return { gradient: back.condition as C, noise: main.noise, residual };
    let gradient = add(add(cotangents.z, direct), back.z);
    for (const [j, { pull }] of moved.entries()) gradient = add(gradient, (await pull(cotangents.probed[j])).z);
    return { gradient, noise: main.noise, residual };
  };
}

/** A half of the autoencoder and its gradient, from operations of tensors or from the model's own. */
async function through<C>(
  model: LatentModel<C>,
  part: "decode" | "encode",
  x: Tensor,
): Promise<{ image: Tensor; pull(cotangent: Tensor): Promise<Tensor> }> {
  if (!model.external) {
    const [image, pullback] = vjp((own: Tensor) => now(model[part](own)), x);
    return { image, pull: async (cotangent) => pullback(cotangent)[0] };
  }
  const image = (await model[part](x)).cast(x.dtype);
  const own = part === "decode" ? model.decodeGradient : model.encodeGradient;
  return {
    image,
    async pull(cotangent) {
      const gradient = await own?.call(model, x, cotangent);
      // That there is one was checked by `requireModel`.
      return (gradient ?? mul(x, Number.NaN)).cast(x.dtype);
    },
  };
}
