import { type Backend, jit, requireObject, type Tensor } from "@offprint/tensor-core";
import { type Denoiser, fitted, predictAs } from "./denoiser.js";
import { floatOf, type Level, type LevelTensors, levelTensors } from "./level.js";
import type { Prediction } from "./prediction.js";

/** A denoiser ready to be called at levels of numbers: compiled where it is made of operations of tensors. */
export interface Evaluator<C> {
  /** The prediction as the wanted kind, in the element type of `z`. */
  predict(wanted: Prediction, z: Tensor, level: Level, condition?: C): Promise<Tensor>;
  /** The predicted noise. */
  noise(z: Tensor, level: Level, condition?: C): Promise<Tensor>;
  /** The predicted data. */
  data(z: Tensor, level: Level, condition?: C): Promise<Tensor>;
}

const known = new WeakMap<object, Map<Backend | undefined, Evaluator<never>>>();

/** The evaluator of a denoiser, compiled once for all samplers that use it with the same backend. */
export function evaluator<C>(denoiser: Denoiser<C>, backend?: Backend): Evaluator<C> {
  requireObject("evaluator", "denoiser", denoiser, "a Denoiser");
  const kept = known.get(denoiser) ?? new Map<Backend | undefined, Evaluator<never>>();
  known.set(denoiser, kept);
  const found = kept.get(backend) as Evaluator<C> | undefined;
  if (found !== undefined) return found;
  const made = denoiser.external ? external(denoiser) : compiled(denoiser, backend);
  kept.set(backend, made);
  return made;
}

function named<C>(predict: Evaluator<C>["predict"]): Evaluator<C> {
  return {
    predict,
    noise: (z, level, condition) => predict("noise", z, level, condition),
    data: (z, level, condition) => predict("data", z, level, condition),
  };
}

function external<C>(denoiser: Denoiser<C>): Evaluator<C> {
  return named(async (wanted, z, level, condition) => {
    const at = levelTensors(level, floatOf(z));
    return fitted(denoiser, wanted, await denoiser.predict(z, at, condition), z, at);
  });
}

function compiled<C>(denoiser: Denoiser<C>, backend: Backend | undefined): Evaluator<C> {
  const make = (wanted: Prediction) =>
    jit(
      (z: Tensor, level: LevelTensors, condition: C | undefined) => predictAs(denoiser, wanted, z, level, condition),
      backend ? { backend } : {},
    );
  const functions: Partial<Record<Prediction, ReturnType<typeof make>>> = {};
  return named(async (wanted, z, level, condition) => {
    functions[wanted] ??= make(wanted);
    const out = await functions[wanted](z, levelTensors(level, floatOf(z)), condition);
    return out.host();
  });
}
