import {
  broadcastTo,
  cast,
  expandDims,
  requireObject,
  reshape,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";

/** How much noise there is: a state at a level is `alpha x0 + sigma n` with standard normal `n`. */
export interface Level {
  /** Time of the schedule, in its own unit. */
  readonly t: number;
  /** What a network is told of the time: the number of a training level, from 0; `sigma` where the schedule explodes. */
  readonly timestep: number;
  /** Factor of the data, > 0. */
  readonly alpha: number;
  /** Factor of the noise, >= 0. */
  readonly sigma: number;
}

/** A level in tensors: scalars, or `[batch]` with a level for every sample. */
export interface LevelTensors {
  /** Time of the schedule. */
  readonly t: Tensor;
  /** What a network is told of the time. */
  readonly timestep: Tensor;
  /** Factor of the data. */
  readonly alpha: Tensor;
  /** Factor of the noise. */
  readonly sigma: Tensor;
}

/** The level as scalars of an element type, so that a compiled function serves all levels. */
export function levelTensors(level: Level, dtype: "float32" | "float64" = "float64"): LevelTensors {
  requireObject("levelTensors", "level", level, "a Level");
  const scalar = (value: number) => tensor(value, { dtype });
  return {
    t: scalar(level.t),
    timestep: scalar(level.timestep),
    alpha: scalar(level.alpha),
    sigma: scalar(level.sigma),
  };
}

/** The numbers of a level of scalars. @throws TraceError while tracing. */
export function levelOf(levelTensors: LevelTensors): Level {
  requireObject("levelOf", "levelTensors", levelTensors, "LevelTensors");
  const { t, timestep, alpha, sigma } = levelTensors;
  return { t: t.item(), timestep: timestep.item(), alpha: alpha.item(), sigma: sigma.item() };
}

/** A scalar as it is, and `[batch]` numbers as a factor of the samples of `z`, `[batch, ...]`. */
export function alongBatch(value: TensorLike, z: Tensor): TensorLike {
  if (typeof value === "number") return value;
  const x = tensor(value);
  if (x.rank === 0) return x;
  return reshape(x, [x.shape[0], ...new Array<number>(z.rank - 1).fill(1)]);
}

/** A scalar repeated for every sample of `z`, `[batch]`. */
export function forEachSample(value: Tensor, z: Tensor): Tensor {
  const numbers = cast(value, floatOf(z));
  return numbers.rank === 1 ? numbers : broadcastTo(expandDims(numbers, 0), [z.shape[0]]);
}

/** `sigma / alpha`, the ratio of noise to data. */
export function noiseRatio(level: Level): number {
  requireObject("noiseRatio", "level", level, "a Level");
  const { alpha, sigma } = level;
  return sigma / alpha;
}

/** @internal The float type of a state. */
export function floatOf(z: Tensor): "float32" | "float64" {
  return z.dtype === "float64" ? "float64" : "float32";
}
