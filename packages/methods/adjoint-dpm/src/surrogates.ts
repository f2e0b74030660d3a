import {
  type Denoiser,
  ddimCoefficients,
  type LevelTensors,
  levelTensors,
  predictAs,
  prepareSampling,
  type SamplerOptions,
  samplerNames,
  stateOf,
} from "@offprint/diffusion";
import { makeBreather } from "@offprint/solvers";
import {
  add,
  checkOptions,
  jit,
  mul,
  requireFunction,
  requireObject,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  UnsupportedError,
  ValueError,
  valueAndGrad,
  vjp,
} from "@offprint/tensor-core";
import { lossAndSlope, requireLoss, type SampleLoss } from "./sample-loss.js";

/** A loss of samples, and an approximate or exact gradient by the noise. */
export interface NoiseGradient {
  /** The loss. */
  readonly value: number;
  /** The gradient by the noise. */
  readonly noise: Tensor;
  /** What the loss was taken of. */
  readonly x: Tensor;
  /** Calls of the network. */
  readonly calls: number;
}

/** Options of {@link oneStepGradient}. */
export interface OneStepOptions<C = Tensor> {
  /** The level of the states. Default the last of the schedule. */
  readonly level?: { readonly t: number; readonly timestep: number; readonly alpha: number; readonly sigma: number };
  /** Handed to the denoiser. */
  readonly condition?: C;
}

type Surrogate<C> = (
  x: Tensor,
  at: LevelTensors,
  condition: C | undefined,
) => Promise<{ value: Tensor; slope: Tensor; predicted: Tensor }>;

type TracedLoss = (x: Tensor) => Tensor;

const surrogates = new WeakMap<object, WeakMap<TracedLoss, Surrogate<never>>>();

/** The surrogate of a denoiser and a loss, compiled once. */
function compiledSurrogate<C>(denoiser: Denoiser<C>, loss: TracedLoss): Surrogate<C> {
  const kept = surrogates.get(denoiser) ?? new WeakMap<TracedLoss, Surrogate<never>>();
  surrogates.set(denoiser, kept);
  const found = kept.get(loss);
  if (found !== undefined) return found as Surrogate<C>;
  const made = jit((x: Tensor, at: LevelTensors, condition: C | undefined) => {
    const [value, slope] = valueAndGrad((own: Tensor) => loss(predictAs(denoiser, "data", own, at, condition)))(x);
    return { value, slope, predicted: predictAs(denoiser, "data", x, at, condition) };
  });
  kept.set(loss, made as Surrogate<never>);
  return made as Surrogate<C>;
}

/** The gradient of the loss of the data predicted in one step, `x0(x_T)`, a baseline that is wrong but cheap. */
export async function oneStepGradient<C = Tensor>(
  denoiser: Denoiser<C>,
  loss: TracedLoss,
  initial: TensorLike,
  options: OneStepOptions<C> = {},
): Promise<NoiseGradient> {
  requireObject("oneStepGradient", "denoiser", denoiser, "a Denoiser");
  requireFunction("oneStepGradient", "loss", loss);
  checkOptions("oneStepGradient", options, ["level", "condition"]);
  requireTraced("oneStepGradient", denoiser);
  const z = stateOf("oneStepGradient", "initial", initial);
  const { schedule } = denoiser;
  const level =
    options.level === undefined
      ? schedule.at(tensor(schedule.span[1], { dtype: "float64" }))
      : levelTensors(options.level);
  const gradient = compiledSurrogate(denoiser, loss);
  const { value, slope, predicted } = await gradient(z, level, options.condition);
  return { value: value.item(), noise: slope, x: predicted, calls: 1 };
}

/** Options of {@link edictGradient}. */
export interface EdictGradientOptions<C = Tensor> extends SamplerOptions<C> {
  /** How much of each state stays when both are mixed, in (0, 1]. Default 0.93. */
  readonly mixing?: number;
}

/**
 * The gradient of EDICT's sampler at constant memory, as DOODL takes it (Wallace et al. 2023), a baseline: the sampler is inverted step by step on the way
 * back, and each step is differentiated where it stands. Exact for that sampler.
 */
export async function edictGradient<C = Tensor>(
  denoiser: Denoiser<C>,
  loss: SampleLoss,
  initial: TensorLike,
  options: EdictGradientOptions<C> = {},
): Promise<NoiseGradient> {
  requireObject("edictGradient", "denoiser", denoiser, "a Denoiser");
  requireLoss("edictGradient", loss);
  const owner = "edictGradient";
  checkOptions(owner, options, [...samplerNames, "mixing"]);
  requireTraced(owner, denoiser);
  const { mixing: p = 0.93, ...sampler } = options;
  if (!(typeof p === "number" && p > 0 && p <= 1))
    throw new ValueError(`${owner}: mixing is ${String(p)}; it must lie in (0, 1]`);
  const { levels, z } = prepareSampling(owner, denoiser, initial, sampler);
  const { condition } = options;
  interface Twins {
    readonly x: Tensor;
    readonly y: Tensor;
  }
  const mix = (a: Tensor, b: Tensor) => add(mul(a, p), mul(b, 1 - p));
  const unmix = (mixed: Tensor, other: Tensor) => sub(mixed, mul(other, 1 - p)).div(p);
  const noise = (state: Tensor, level: LevelTensors) => predictAs(denoiser, "noise", state, level, condition);
  const down = ({ x, y }: Twins, level: LevelTensors, a: Tensor, b: Tensor): Twins => {
    const xi = add(mul(x, a), mul(noise(y, level), b));
    const yi = add(mul(y, a), mul(noise(xi, level), b));
    const below = mix(xi, yi);
    return { x: below, y: mix(yi, below) };
  };
  const up = ({ x, y }: Twins, level: LevelTensors, a: Tensor, b: Tensor): Twins => {
    const yi = unmix(y, x);
    const xi = unmix(x, yi);
    const above = sub(yi, mul(noise(xi, level), b)).div(a);
    return { x: sub(xi, mul(noise(above, level), b)).div(a), y: above };
  };
  const forward = jit(down);
  const back = jit((twins: Twins, cotangent: Twins, level: LevelTensors, a: Tensor, b: Tensor) => {
    const above = up(twins, level, a, b);
    const [, pullback] = vjp((at: Twins) => down(at, level, a, b), above);
    return { above, slope: pullback(cotangent)[0] };
  });
  const place = (i: number): [LevelTensors, Tensor, Tensor] => {
    const { z: a, noise: b } = ddimCoefficients(levels[i], levels[i - 1]);
    return [levelTensors(levels[i]), tensor(a, { dtype: "float64" }), tensor(b, { dtype: "float64" })];
  };
  const breather = makeBreather();
  let twins: Twins = { x: z, y: z };
  for (let i = levels.length - 1; i > 0; i--) {
    twins = await forward(twins, ...place(i));
    if (breather.due()) await breather.pause();
  }
  const [value, slope] = await lossAndSlope(loss)(twins.x);
  const { x } = twins;
  let cotangent: Twins = { x: slope, y: mul(slope, 0) };
  for (let i = 1; i < levels.length; i++) {
    const made = await back(twins, cotangent, ...place(i));
    [twins, cotangent] = [made.above, made.slope];
    if (breather.due()) await breather.pause();
  }
  return { value, noise: add(cotangent.x, cotangent.y), x, calls: 4 * (levels.length - 1) };
}

function requireTraced<C>(owner: string, { external }: Denoiser<C>): void {
  if (external) throw new UnsupportedError(`${owner}: the denoiser is external; give one in operations of tensors`);
}
