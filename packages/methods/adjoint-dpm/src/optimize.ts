import { samplerNames, stateOf } from "@offprint/diffusion";
import { adamw, applyUpdates, type GradientTransformation } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, runOptionsOf, type Status } from "@offprint/solvers";
import {
  checkOptions,
  div,
  isTensor,
  minimum,
  type Rng,
  random,
  refuseIdle,
  requireChoice,
  requireFunction,
  requireInteger,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { adjointNames } from "./adjoint-sample.js";
import { lengths, normalised } from "./length.js";
import type { AdjointModel, ParametricModel } from "./model.js";
import { requireModel } from "./model.js";
import { requireLoss, type SampleLoss } from "./sample-loss.js";
import { adjointValueAndGradient, type ValueAndGradient, type ValueAndGradientOptions } from "./value-and-gradient.js";

/** What is told of a step of an optimisation. */
export interface OptimizationRecord {
  /** Number of the step, 1 for the first. */
  readonly step: number;
  /** The loss before it. */
  readonly loss: number;
  /** How far the way back missed its beginning. */
  readonly reverseDrift: number;
}

/** Where an optimisation stands. */
export interface OptimizationPoint<T> {
  /** What is optimised. */
  readonly value: T;
  /** The optimizer's state; null without one. */
  readonly optimizerState: unknown;
  /** The last record's figures; null before the first. */
  readonly last: Omit<OptimizationRecord, "step"> | null;
}

/** Solving and running, as every optimisation takes them; `sampling` are the options of the samplers inside. */
export interface OptimizationOptions<T, C>
  extends RunOptions<OptimizationRecord, RunState<OptimizationPoint<T>, OptimizationRecord>> {
  /** Updates. */
  readonly steps: number;
  /** How the sampler is solved there and back. Default `rk4` in 20 steps. */
  readonly sampling?: Omit<ValueAndGradientOptions<C>, "want" | "condition" | "signal">;
}

/** What every optimisation gives. */
export interface OptimizationResult<T> {
  /** What was optimised. */
  readonly x: T;
  /** Updates made. */
  readonly steps: number;
  /** How it ended. */
  readonly status: Status;
  /** The record of every step. */
  readonly history: readonly OptimizationRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<OptimizationPoint<T>, OptimizationRecord>;
}

/** A ball around the first noise. */
export interface NoiseBall {
  /** Its norm, for every sample. */
  readonly norm: "l2" | "linf";
  /** Its radius. */
  readonly radius: number;
}

/** Options of {@link optimizeNoise}. */
export interface OptimizeNoiseOptions<C = Tensor> extends OptimizationOptions<Tensor, C> {
  /** Handed to the denoiser. */
  readonly condition?: C;
  /** Noise stays in this ball around what it was. Default anywhere. */
  readonly ball?: NoiseBall;
  /** Length of a step along the gradient, which is normalised for every sample. Default 0.1. */
  readonly stepSize?: number;
  /** Instead of such steps: an optimizer, which has its own rate. */
  readonly optimizer?: GradientTransformation;
  /** Samples that are done, `[batch]`, told their noise no more; looked at before every step. Default none. */
  readonly done?: (x: Tensor) => ArrayLike<boolean | number>;
}

const common = ["steps", "sampling", ...runOptionNames];

/** @throws ValueError for what is no optimizer, and for a rate beside one, which has its own. */
function requireOptimizer<O extends { readonly optimizer?: Partial<GradientTransformation> }>(
  owner: string,
  options: O,
  rate: keyof O & string,
): void {
  const { optimizer } = options;
  if (optimizer === undefined) return;
  if (typeof optimizer?.update !== "function") {
    throw new ValueError(`${owner}: optimizer must be a gradient transformation, such as adam({ learningRate: 0.01 })`);
  }
  refuseIdle(owner, "an optimizer, which has its own rate", options, [rate]);
}

async function optimize<T, C>(
  owner: string,
  initial: T,
  options: OptimizationOptions<T, C>,
  optimizerState: unknown,
  step: (point: OptimizationPoint<T>, k: number) => Promise<OptimizationPoint<T>>,
): Promise<OptimizationResult<T>> {
  requireInteger(owner, "steps", options.steps, 0);
  if (options.sampling !== undefined)
    checkOptions(`${owner}: sampling`, options.sampling, [...samplerNames, ...adjointNames, "backward"]);
  const shapes = (value: T) =>
    tree
      .leaves<Tensor>(value)
      .map((leaf) => leaf.shape.join())
      .join(";");
  const { last, iterations, history, state, status } = await runLoop<OptimizationPoint<T>, OptimizationRecord>(
    {
      owner,
      limit: options.steps,
      limitName: "steps",
      initial: () => ({ value: initial, optimizerState, last: null }),
      step,
      record: ({ last: told }, k) => (told === null ? undefined : { step: k, ...told }),
      check({ value }) {
        if (tree.leaves(value).every(isTensor) && shapes(value) === shapes(initial)) return;
        throw new ValueError(`${owner}: resume is not a state of this problem`);
      },
    },
    runOptionsOf(options),
  );
  return { x: last.value, steps: iterations, status, history, state };
}

/**
 * Optimises the noise that samples come from: projected steps along the normalised gradient, as an audit of a model's safety makes them, or an optimizer.
 * @param initial noise, `[batch, ...]`
 * @example const { x } = await optimizeNoise(denoiser, loss, noise, { steps: 30, ball: { norm: "l2", radius: 0.5 } });
 */
export async function optimizeNoise<P = null, C = Tensor>(
  model: AdjointModel<P, C>,
  loss: SampleLoss,
  initial: TensorLike,
  options: OptimizeNoiseOptions<C>,
): Promise<OptimizationResult<Tensor>> {
  requireModel("optimizeNoise", model);
  requireLoss("optimizeNoise", loss);
  const owner = "optimizeNoise";
  checkOptions(owner, options, [...common, "condition", "ball", "stepSize", "optimizer", "done"], ["steps"]);
  const { ball, stepSize = 0.1, optimizer, done, condition, sampling = {}, signal } = options;
  requirePositive(owner, "stepSize", stepSize);
  requireOptimizer(owner, options, "stepSize");
  if (ball !== undefined) {
    checkOptions(`${owner}: ball`, ball, ["norm", "radius"], ["norm", "radius"]);
    requireChoice(owner, "ball.norm", ball.norm, ["l2", "linf"]);
    requirePositive(owner, "ball.radius", ball.radius);
  }
  if (done !== undefined) requireFunction(owner, "done", done);
  const start = stateOf(owner, "initial", initial);
  const project = (z: Tensor): Tensor => (ball === undefined ? z : start.add(intoBall(z.sub(start), ball)));
  return optimize(owner, start, options, optimizer?.init(start) ?? null, async ({ value, optimizerState }) => {
    const made = await adjointValueAndGradient<P, C>(model, loss, value, {
      ...sampling,
      ...(condition !== undefined && { condition }),
      ...(signal && { signal }),
      want: { condition: false, params: false },
    });
    const last = figuresOf(made);
    if (made.status === "aborted") return { value, optimizerState, last };
    const active = activeSamples(owner, done, made.x);
    if (optimizer === undefined) {
      return { value: project(value.sub(normalised(made.noise).mul(stepSize).mul(active))), optimizerState, last };
    }
    const update = optimizer.update(made.noise, optimizerState as never, value);
    const moved = applyUpdates(value, update.updates as Tensor);
    return { value: project(value.add(moved.sub(value).mul(active))), optimizerState: update.state, last };
  });
}

function intoBall(offset: Tensor, { norm, radius }: NoiseBall): Tensor {
  if (norm === "linf") return offset.clip(-radius, radius);
  return offset.mul(minimum(1, div(radius, lengths(offset))));
}

function activeSamples(owner: string, done: OptimizeNoiseOptions["done"], x: Tensor): Tensor {
  const [batch] = x.shape;
  const told = done?.(x);
  if (done !== undefined && told?.length !== batch) {
    const given =
      told?.length === undefined ? `gave ${isTensor(told) ? "a tensor" : String(told)}` : `gave ${told.length} answers`;
    throw new ShapeError(`${owner}: done ${given} for ${batch} samples; give an array with an answer for each`);
  }
  const active = Float64Array.from({ length: batch }, (_, b) => (told?.[b] ? 0 : 1));
  return tensor(active, { shape: [batch, ...new Array<number>(x.rank - 1).fill(1)] });
}

/** The figures of a step. */
function figuresOf({ value, reverseDrift }: ValueAndGradient<unknown, unknown>): OptimizationPoint<unknown>["last"] {
  return { loss: value, reverseDrift };
}

/** The point after an update along a gradient; without one where the signal came before it was found. */
function updated<T>(
  optimizer: GradientTransformation,
  { value, optimizerState }: OptimizationPoint<T>,
  made: ValueAndGradient<unknown, unknown>,
  gradient: T | undefined,
): OptimizationPoint<T> {
  const last = figuresOf(made);
  if (made.status === "aborted") return { value, optimizerState, last };
  const update = optimizer.update(gradient as T, optimizerState as never, value);
  return { value: applyUpdates(value, update.updates as T), optimizerState: update.state, last };
}

/** Options of {@link optimizeCondition}. */
export interface OptimizeConditionOptions<C = Tensor> extends OptimizationOptions<C, C> {
  /** Noise for a step, `[batch, ...]`: the same every time, or drawn. */
  readonly noise: Tensor | ((rng: Rng, step: number) => Tensor);
  /** Of the updates. Default AdamW. */
  readonly optimizer?: GradientTransformation;
  /** Step of AdamW, where no optimizer is given. Default 0.05. */
  readonly learningRate?: number;
  /** What drawn noise follows from. Default 0. */
  readonly seed?: number | string;
}

function noiseOf(
  owner: string,
  noise: Tensor | ((rng: Rng, step: number) => Tensor),
  seed: number | string,
  k: number,
): Tensor {
  return stateOf(owner, "noise", typeof noise === "function" ? noise(random.rng(`${seed}/${k}`), k) : noise);
}

/** Optimises the condition, such as the embedding of a text, for a loss of the samples. */
export async function optimizeCondition<P = null, C = Tensor>(
  model: AdjointModel<P, C>,
  loss: SampleLoss,
  initial: C,
  options: OptimizeConditionOptions<C>,
): Promise<OptimizationResult<C>> {
  requireModel("optimizeCondition", model);
  requireLoss("optimizeCondition", loss);
  const owner = "optimizeCondition";
  checkOptions(owner, options, [...common, "noise", "optimizer", "learningRate", "seed"], ["noise", "steps"]);
  const { learningRate = 0.05, sampling = {}, seed = 0, signal } = options;
  const { optimizer = adamw({ learningRate }) } = options;
  requireOptimizer(owner, options, "learningRate");
  const start = tree.map((leaf: TensorLike) => tensor(leaf, { dtype: "float64" }), initial) as C;
  if (tree.leaves(start).length === 0) {
    throw new ValueError(`${owner}: initial is ${String(initial)}; give a tensor, or a tree of tensors, to optimise`);
  }
  return optimize(owner, start, options, optimizer.init(start), async (point, k) => {
    const made = await adjointValueAndGradient<P, C>(model, loss, noiseOf(owner, options.noise, seed, k), {
      ...sampling,
      condition: point.value,
      want: { params: false },
      ...(signal && { signal }),
    });
    return updated(optimizer, point, made, made.condition);
  });
}

/** Options of {@link finetune}. */
export interface FinetuneOptions<P, C = Tensor>
  extends OptimizationOptions<P, C>,
    Pick<OptimizeConditionOptions<C>, "noise" | "optimizer" | "learningRate" | "seed"> {
  /** Handed to the denoiser. */
  readonly condition?: C;
}

/** Trains the parameters of a model for a loss of its samples, such as the distance to a style. */
export async function finetune<P, C = Tensor>(
  model: ParametricModel<P, C>,
  loss: SampleLoss,
  options: FinetuneOptions<P, C>,
): Promise<OptimizationResult<P>> {
  requireModel("finetune", model);
  requireFunction("finetune", "model.network", model.network);
  requireLoss("finetune", loss);
  const owner = "finetune";
  checkOptions(
    owner,
    options,
    [...common, "noise", "optimizer", "learningRate", "seed", "condition"],
    ["steps", "noise"],
  );
  const { learningRate = 1e-3, sampling = {}, seed = 0, condition, signal } = options;
  const { optimizer = adamw({ learningRate }) } = options;
  requireOptimizer(owner, options, "learningRate");
  // One function for all updates: what is compiled is kept for it.
  const network = Object.hasOwn(model, "network") ? model.network : (params: P) => model.network(params);
  return optimize(owner, model.params, options, optimizer.init(model.params), async (point, k) => {
    const made = await adjointValueAndGradient<P, C>(
      { network, params: point.value },
      loss,
      noiseOf(owner, options.noise, seed, k),
      {
        ...sampling,
        ...(condition !== undefined && { condition }),
        want: { condition: false },
        ...(signal && { signal }),
      },
    );
    return updated(optimizer, point, made, made.params);
  });
}
