import type { FloatType } from "@offprint/nn";
import { adam, type GradientTransformation, type TrainOptions, type TrainResult, train } from "@offprint/optim";
import { runOptionNames, runOptionsOf } from "@offprint/solvers";
import {
  add,
  checkOptions,
  hostBackend,
  mean,
  mul,
  type Rng,
  random,
  refuseIdle,
  requireChoice,
  requireFinite,
  requireFunction,
  requireInteger,
  requireObject,
  ShapeError,
  square,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { Denoiser } from "../denoiser.js";
import { alongBatch, type LevelTensors } from "../level.js";
import { convertPrediction, type Prediction, predictions } from "../prediction.js";
import type { NoiseSchedule } from "../schedule.js";

/** A network as parameters and what is computed with them. */
export interface DenoisingNetwork<P, C> {
  /** Draws parameters. */
  init(rng: Rng, dtype?: FloatType): P;
  /** The prediction for states at a level: scalars, or one for each sample. */
  apply(params: P, z: Tensor, level: LevelTensors, condition?: C): Tensor;
}

/** What a loss looks at. */
export interface DenoisingBatch<C> {
  /** Data, `[batch, ...]`. */
  readonly x: Tensor;
  /** Standard normal, like the data. */
  readonly noise: Tensor;
  /** A level for every sample, `[batch]` each. */
  readonly level: LevelTensors;
  /** Conditions, where there are any. */
  readonly condition?: C;
}

/** Mean squared error of a prediction for data with noise added. */
export function denoisingLoss<C>(
  pick: Pick<Denoiser<C>, "prediction" | "predict">,
  denoisingBatch: DenoisingBatch<C>,
): Tensor {
  requireObject("denoisingLoss", "pick", pick, "{ prediction, predict }");
  requireObject("denoisingLoss", "denoisingBatch", denoisingBatch, "a DenoisingBatch");
  const { prediction, predict } = pick;
  const { x, noise, level, condition } = denoisingBatch;

  const z = add(mul(alongBatch(level.alpha, x), x), mul(alongBatch(level.sigma, x), noise));
  const target = convertPrediction(noise, "noise", prediction, z, level);
  return mean(square(sub(predict(z, level, condition) as Tensor, target)));
}

/** Options of {@link fitDenoiser}. */
export interface FitDenoiserOptions<P, C>
  extends Pick<TrainOptions<P, unknown>, "backend" | "onProgress" | "signal" | "checkpoint" | "resume"> {
  /** The noise of training. */
  readonly schedule: NoiseSchedule;
  /** What the network learns to say. Default `"noise"`. */
  readonly prediction?: Prediction;
  /** Conditions of the data, with a leading axis for the samples. */
  readonly conditions?: C & TensorLike;
  /** Updates. Default 1000. */
  readonly steps?: number;
  /** Samples in a batch. Default 64. */
  readonly batchSize?: number;
  /** Default Adam. */
  readonly optimizer?: GradientTransformation;
  /** Step of Adam. Default 1e-3. */
  readonly learningRate?: number;
  /** Default 0. */
  readonly seed?: number | string;
  /** Element type of parameters and states. Default float32. */
  readonly dtype?: FloatType;
}

/** What {@link fitDenoiser} gives. */
export interface FittedDenoiser<P, C>
  extends Pick<TrainResult<P>, "params" | "history" | "status" | "state" | "steps"> {
  /** The trained network. */
  readonly denoiser: Denoiser<C>;
}

const names = [
  ...["schedule", "prediction", "conditions", "steps", "batchSize", "optimizer", "learningRate", "seed", "dtype"],
  ...["backend", ...runOptionNames],
];

/** The denoiser of a network with its parameters, computed in the parameters' element type whatever that of the states. */
export function networkDenoiser<P, C>(
  network: DenoisingNetwork<P, C>,
  params: P,
  pick: Pick<FitDenoiserOptions<P, C>, "schedule" | "prediction" | "dtype">,
): Denoiser<C> {
  requireObject("networkDenoiser", "network", network, "a DenoisingNetwork");
  requireObject("networkDenoiser", "pick", pick, "{ schedule }");
  const { schedule, prediction = "noise", dtype = "float32" } = pick;

  const cast = ({ t, timestep, alpha, sigma }: LevelTensors): LevelTensors => ({
    t: t.cast(dtype),
    timestep: timestep.cast(dtype),
    alpha: alpha.cast(dtype),
    sigma: sigma.cast(dtype),
  });
  return {
    prediction,
    schedule,
    predict: (z, level, condition) => network.apply(params, z.cast(dtype), cast(level), condition).cast(z.dtype),
  };
}

/**
 * Trains a network to denoise data, with times drawn evenly from the schedule's; loss, gradient and update are one compiled
 * step.
 * @param data `[samples, ...]`
 */
export async function fitDenoiser<P, C = Tensor>(
  network: DenoisingNetwork<P, C>,
  data: TensorLike,
  options: FitDenoiserOptions<P, C>,
): Promise<FittedDenoiser<P, C>> {
  requireObject("fitDenoiser", "network", network, "a DenoisingNetwork");
  const owner = "fitDenoiser";
  requireFunction(owner, "network.init", network.init);
  requireFunction(owner, "network.apply", network.apply);
  checkOptions(owner, options, names, ["schedule"]);
  const {
    schedule,
    prediction = "noise",
    conditions,
    steps = 1000,
    batchSize = 64,
    dtype = "float32",
    seed = 0,
  } = options;
  requireInteger(owner, "steps", steps, 0);
  requireInteger(owner, "batchSize", batchSize, 1);
  requireChoice(owner, "prediction", prediction, predictions);
  if (typeof schedule?.at !== "function" || schedule.span === undefined) {
    throw new ValueError(`${owner}: schedule is ${String(schedule)}; give a NoiseSchedule, such as discreteSchedule()`);
  }
  if (prediction === "velocity" && schedule.kind !== "variance-preserving") {
    throw new ValueError(
      `${owner}: prediction "velocity" is of variance-preserving schedules, and this one's noise explodes; take noise or data`,
    );
  }
  const x = tensor(data, { dtype });
  if (x.rank < 2 || x.size === 0) {
    throw new ShapeError(`${owner}: data has shape [${x.shape}]; it must be [samples, ...] and not empty`);
  }
  requireFinite(owner, "data", x);
  const told = conditions === undefined ? undefined : tensor(conditions, { dtype });
  if (told !== undefined && told.shape[0] !== x.shape[0]) {
    throw new ShapeError(`${owner}: ${told.shape[0]} conditions for ${x.shape[0]} samples; give one for each`);
  }
  const [first, last] = schedule.span;
  const draw = (step: number): DenoisingBatch<Tensor> => {
    const rng = random.rng(`${seed}/batch/${step}`);
    const rows = rng.randint([batchSize], { high: x.shape[0] });
    const t = rng.uniform([batchSize], { low: first, high: last, dtype: "float64" });
    const level = schedule.at(t);
    const cast = (value: Tensor) => value.cast(dtype);
    return {
      x: take(x, rows, 0),
      noise: rng.normal([batchSize, ...x.shape.slice(1)], { dtype }),
      level: { t: cast(level.t), timestep: cast(level.timestep), alpha: cast(level.alpha), sigma: cast(level.sigma) },
      ...(told && { condition: take(told, rows, 0) }),
    };
  };
  if (options.optimizer !== undefined) {
    refuseIdle(owner, "an optimizer, which has its own rate", options, ["learningRate"]);
  }
  const { optimizer = adam({ learningRate: options.learningRate ?? 1e-3 }), backend = hostBackend } = options;
  const result = await train<P, DenoisingBatch<Tensor>>({
    owner,
    // Batches are epochs of one, so that a limit of steps is one of epochs and a batch follows from its number alone.
    loss: (params, batch) =>
      denoisingLoss(
        { prediction, predict: (z, level, condition) => network.apply(params, z, level, condition as C) },
        batch,
      ),
    initial: network.init(random.rng(`${seed}/init`), dtype),
    optimizer,
    data: (epoch) => [draw(epoch)],
    epochs: steps,
    seed,
    backend,
    ...runOptionsOf(options),
  });
  const { params, history, status, state, steps: made } = result;
  return {
    denoiser: networkDenoiser(network, params, { schedule, prediction, dtype }),
    params,
    history,
    status,
    state,
    steps: made,
  };
}
