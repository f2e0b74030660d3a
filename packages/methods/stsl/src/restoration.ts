import {
  ddimCoefficients,
  type Level,
  linearCombination,
  prepareSampling,
  runTrajectory,
  type SamplerOptions,
  type SamplerResult,
  type Sampling,
} from "@offprint/diffusion";
import {
  add,
  isTensor,
  jit,
  mul,
  random,
  requireChoice,
  requireFinite,
  requireFunction,
  requireNonNegative,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { missedBy } from "./correction.js";
import { perSample } from "./hessian-trace.js";
import { kept } from "./kept.js";
import { encoded, isTraced, type LatentModel } from "./latent-model.js";
import { applied, linear, type MeasurementLike, pseudoInverse, readNumbers } from "./measurement.js";

/** What a hook is told of a step. */
export interface StepInfo {
  /** Number of the step, 1 for the first. */
  readonly step: number;
  /** Number of all steps. */
  readonly steps: number;
  /** The level that the state has. */
  readonly level: Level;
}

/** Looks at a state after a step, and may give another in its place. */
export type StepHook = (z: Tensor, info: StepInfo) => Tensor | undefined | Promise<Tensor | undefined>;

/** What every restoration takes beside the options of samplers; `steps` are its levels, evenly spread over training levels (`offset` 0). */
export interface RestoreOptions<C = Tensor> extends SamplerOptions<C> {
  /**
   * What it begins with: `"forward"`, the encoded pseudo-inverse of the measurements with noise of the first level; `"noise"`,
   * noise alone; or states `[batch, ...]` of the first level.
   */
  readonly initial?: "forward" | "noise" | TensorLike;
  /** Part of the levels that is gone through, in (0, 1]: the lowest. Default 1. */
  readonly startFraction?: number;
  /** Fresh noise of DDIM's steps: 0 for none, 1 for ancestral sampling. Default 1. */
  readonly eta?: number;
  /** What all noise follows from. Default 0. */
  readonly seed?: number | string;
  /** Whether the image takes over what was measured at the end, `x + A^+ (y - A x)`: for measurements without noise. Default false. */
  readonly consistency?: boolean;
  /** Called after every step. */
  readonly onStep?: StepHook;
}

/** @internal Names of {@link RestoreOptions} beside those of samplers. */
export const restoreNames = ["initial", "startFraction", "eta", "seed", "consistency", "onStep"] as const;

/** Calls of the parts of a model. */
export interface ModelCalls {
  /** Predictions of the denoiser. */
  readonly score: number;
  /** Latents decoded. */
  readonly decode: number;
  /** Gradients of the denoiser. */
  readonly gradient: number;
}

/** What every restoration gives. */
export interface RestoreResult extends Omit<SamplerResult, "calls"> {
  /** The images, `[batch, ...]`. */
  readonly x: Tensor;
  /** Their latents. */
  readonly z: Tensor;
  /** Norm of `y - A x` for every image. */
  readonly residual: readonly number[];
  /** How often the parts of the model were called. */
  readonly calls: ModelCalls;
}

/** A step of a restoration as a method sees it. */
export interface StepPlace {
  /** Number of the step, from 1. */
  readonly k: number;
  /** The level of the state. */
  readonly from: Level;
  /** The level below. */
  readonly to: Level;
  /** DDIM's step with the predicted noise, less a gradient. */
  down(z: Tensor, noise: Tensor, gradient?: Tensor): Tensor;
  /** Counts calls. */
  tally(calls: Partial<ModelCalls>): void;
}

/** A restoration as data. */
export interface Restoration<S> {
  /** Options that corrections grow with: where a state stops being finite, one that is not 0 may be too large. */
  readonly factors?: Readonly<Record<string, number>>;
  /** What the method carries along beside the state: a tree. */
  readonly initial: () => S;
  /** A step: the next state, what is carried, and the norms of what measurements were missed by before it, `[batch]`. */
  readonly step: (z: Tensor, carried: S, place: StepPlace) => Promise<{ z: Tensor; carried: S; residual: Tensor }>;
}

/** What every method of restoration begins with: options checked, measurements and first states as tensors. */
export interface Prepared<C> {
  /** Levels and how it is run. */
  readonly sampling: Sampling<C>;
  /** Measurements `[batch, ...]`. */
  readonly y: Tensor;
  /** The measurement as a map. */
  readonly apply: (images: Tensor) => Tensor;
}

/** Checks what every restoration takes, and makes the first states. @throws ValueError, ShapeError */
export async function prepareRestoration<C>(
  owner: string,
  model: LatentModel<C>,
  measurement: MeasurementLike,
  measured: TensorLike,
  options: RestoreOptions<C>,
  names: readonly string[],
): Promise<Prepared<C>> {
  const { initial: _, startFraction = 1, eta = 1, seed = 0, consistency: __, onStep: ___, ...sampler } = options;
  const { dtype = "float64" } = options;
  requireChoice(owner, "consistency", options.consistency, [true, false]);
  // Before the run, not at its end.
  if (options.consistency) linear(owner, measurement, "consistency");
  if (options.onStep !== undefined) requireFunction(owner, "onStep", options.onStep);
  const apply = applied(owner, measurement);
  requireChoice(owner, "dtype", dtype, ["float32", "float64"]);
  const y = readNumbers(owner, "y", measured, dtype);
  if (y.rank < 2 || y.size === 0) {
    throw new ShapeError(`${owner}: y has shape [${y.shape}]; it must be [batch, ...] and not empty`);
  }
  requireFinite(owner, "y", y);
  if (!Number.isFinite(y.square().sum().item())) {
    throw new ValueError(
      `${owner}: y is so large that its squares are no numbers in ${dtype}; give images of numbers near 1`,
    );
  }
  requireNonNegative(owner, "eta", eta);
  if (eta > 1) throw new ValueError(`${owner}: eta is ${eta}; it must lie in [0, 1]`);
  const begin = await beginning(owner, model, measurement, y, options);
  const grid = options.levels === undefined ? { offset: 0, ...sampler } : sampler;
  const whole = prepareSampling<C>(owner, model.denoiser, begin.z, grid as SamplerOptions<C>, [...names]);
  const top = topOf(owner, startFraction, whole.levels.length - 1);
  const levels = whole.levels.slice(0, top + 1);
  const { alpha, sigma } = levels[top];
  const noise = () => random.rng(`${seed}/initial`).normal(begin.z.shape, { dtype: whole.z.dtype as "float64" });
  // Noise alone has the deviation of the level's states: 1 where the variance is preserved.
  const deviation = Math.max(1, sigma / alpha) * alpha;
  const z =
    begin.kind === "own"
      ? whole.z
      : begin.kind === "noise"
        ? mul(noise(), model.denoiser.schedule.kind === "variance-preserving" ? 1 : deviation)
        : add(mul(whole.z, alpha), mul(noise(), sigma));
  return { sampling: { ...whole, levels, z }, y, apply };
}

async function beginning<C>(
  owner: string,
  model: LatentModel<C>,
  measurement: MeasurementLike,
  y: Tensor,
  { initial = "forward", dtype = "float64" }: RestoreOptions<C>,
): Promise<{ kind: "forward" | "noise" | "own"; z: Tensor }> {
  if (initial === "noise") {
    if (model.latentShape === undefined) {
      throw new ValueError(`${owner}: initial "noise" needs the latentShape of the model; add it`);
    }
    return {
      kind: "noise",
      z: tensor(new Float64Array(y.shape[0] * model.latentShape.reduce((a, b) => a * b, 1)), {
        shape: [y.shape[0], ...model.latentShape],
        dtype,
      }),
    };
  }
  if (initial === "forward") {
    const images = await pseudoInverse(linear(owner, measurement, 'initial "forward"'), y);
    return { kind: "forward", z: (await encoded(owner, model, images)).cast(dtype) };
  }
  if (typeof initial === "string") {
    throw new ValueError(`${owner}: initial is "${initial}"; it must be "forward", "noise" or states`);
  }
  const z = readNumbers(owner, "initial", initial, dtype);
  if (z.shape[0] === y.shape[0]) return { kind: "own", z };
  throw new ShapeError(`${owner}: initial has shape [${z.shape}] for ${y.shape[0]} measurements`);
}

function topOf(owner: string, startFraction: number, steps: number): number {
  const top = Math.round(steps * startFraction);
  if (typeof startFraction === "number" && startFraction > 0 && startFraction <= 1 && top >= 1) return top;
  throw new ValueError(
    `${owner}: startFraction is ${String(startFraction)}; it must lie in (0, 1] and leave at least one of the ${steps} levels`,
  );
}

interface Carried<S> {
  readonly z: Tensor;
  readonly own: S;
  readonly missed: number;
  readonly calls: ModelCalls;
}

/** Runs a restoration under the contract of long work, and decodes what comes out. */
export async function runRestoration<C, S>(
  model: LatentModel<C>,
  measurement: MeasurementLike,
  { sampling, y, apply }: Prepared<C>,
  options: RestoreOptions<C>,
  { factors = {}, initial, step }: Restoration<S>,
): Promise<RestoreResult> {
  const { owner, levels, z: start } = sampling;
  const { eta = 1, seed = 0, onStep, consistency = false } = options;
  const top = levels.length - 1;
  const counts = { score: 0, decode: 0, gradient: 0 };
  const {
    carried,
    calls: _,
    ...result
  } = await runTrajectory<C, Carried<S>>(
    { ...sampling, count: () => counts.score },
    {
      initial: () => ({ z: start, own: initial(), missed: 0, calls: { score: 0, decode: 0, gradient: 0 } }),
      async step({ z, own, calls }, k) {
        const total: Record<keyof ModelCalls, number> = { ...calls };
        const [from, to] = [levels[top - k + 1], levels[top - k]];
        const made = await step(z, own, {
          k,
          from,
          to,
          down(state, noise, gradient) {
            const factors = ddimCoefficients(from, to, eta);
            const parts: [number, Tensor][] = [
              [factors.z, state],
              [factors.noise, noise],
            ];
            // The noises of ddimSample with the same seed.
            if (factors.fresh !== 0) {
              parts.push([
                factors.fresh,
                random.rng(`${seed}/${k}`).normal(state.shape, { dtype: state.dtype as "float64" }),
              ]);
            }
            if (gradient) parts.push([-1, gradient]);
            return linearCombination(
              parts.map(([factor]) => factor),
              parts.map(([, x]) => x),
            );
          },
          tally(more) {
            for (const name of ["score", "decode", "gradient"] as const) {
              total[name] += more[name] ?? 0;
              counts[name] += more[name] ?? 0;
            }
          },
        });
        const other = await onStep?.(made.z, { step: k, steps: top, level: to });
        return {
          z: other === undefined ? made.z : replaced(owner, other, made.z),
          own: made.carried,
          missed: Math.sqrt(made.residual.square().sum().item() / y.size),
          calls: total,
        };
      },
      position: ({ z }) => z,
      placeAfter: (k) => top - k,
      residual: ({ missed }) => missed,
      factors: Object.keys(factors).filter((name) => factors[name] !== 0),
    },
  );
  const image = await decodedImage(model, carried.z);
  const x = consistency ? await consistent(owner, measurement, apply, y, image) : image;
  const residual = Array.from(
    perSample(missedBy(apply, y, x).square())
      .sqrt()
      .data(),
  );
  const calls = { ...carried.calls, decode: carried.calls.decode + 1 };
  return { ...result, x, z: carried.z, residual, calls };
}

function replaced(owner: string, given: Tensor, z: Tensor): Tensor {
  if (isTensor(given) && given.shape.join() === z.shape.join()) return given;
  throw new ShapeError(`${owner}: onStep must give a state of shape [${z.shape}], or nothing`);
}

async function consistent(
  owner: string,
  measurement: MeasurementLike,
  apply: (images: Tensor) => Tensor,
  y: Tensor,
  image: Tensor,
): Promise<Tensor> {
  const missed = missedBy(apply, y, image);
  return add(image, await pseudoInverse(linear(owner, measurement, "consistency"), missed));
}

/** Images of latents, compiled once for a model of tensor operations. */
export async function decodedImage<C>(model: LatentModel<C>, z: Tensor): Promise<Tensor> {
  if (!isTraced(model)) return (await model.decode(z)).cast(z.dtype);
  return kept([model], "decode", () => jit((latents: Tensor) => model.decode(latents) as Tensor))(z);
}
