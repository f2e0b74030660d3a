import type { TrainingRecord } from "@offprint/optim";
import { adam, type Schedule, type TrainingState, type TrainResult, train } from "@offprint/optim";
import { type RunOptions, runOptionNames } from "@offprint/solvers";
import {
  abs,
  asTensor,
  type Backend,
  checkOptions,
  cos,
  div,
  greater,
  hostBackend,
  less,
  max,
  mean,
  minimum,
  mul,
  type Rng,
  random,
  requireFinite,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  slice,
  sqrt,
  stack,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
  where,
} from "@offprint/tensor-core";
import type { FlowOperator, FlowOperatorParams } from "./operator.js";

/** Options of {@link fitOperator}. */
export interface FitOperatorOptions extends RunOptions<TrainingRecord, TrainingState<FlowOperatorParams>> {
  /** Frames of the window that is given and of the one that is predicted. */
  readonly window: readonly [input: number, output: number];
  /** Passes over the flows. Default 10. */
  readonly epochs?: number;
  /** Flows of a batch. Default 4. */
  readonly batchSize?: number;
  /** The largest step of Adam; it rises to it and falls again. Default 1e-2. */
  readonly learningRate?: number;
  /** Source of all randomness. Default 0. */
  readonly seed?: number | string;
  /** Parameters to begin with. Default: drawn. */
  readonly initial?: FlowOperatorParams;
  /** Where steps are compiled. Default the host compiler. */
  readonly backend?: Backend;
}

/**
 * Trains an operator on flows `[flows, frames, n, n]`: windows that begin at random frames, the relative error in space and
 * time as the loss, Adam with one cycle.
 * @returns what `train` of `@offprint/optim` gives
 */
export async function fitOperator(
  operator: FlowOperator,
  flows: TensorLike,
  options: FitOperatorOptions,
): Promise<TrainResult<FlowOperatorParams>> {
  requireObject("fitOperator", "operator", operator, "a FlowOperator");
  const owner = "fitOperator";
  const known = ["window", "epochs", "batchSize", "learningRate", "seed", "initial", "backend", ...runOptionNames];
  checkOptions(owner, options, known, ["window"]);
  const { window, epochs = 10, batchSize = 4, learningRate = 1e-2, seed = 0, backend = hostBackend } = options;
  requireInteger(owner, "epochs", epochs, 0);
  requireInteger(owner, "batchSize", batchSize, 1);
  requirePositive(owner, "learningRate", learningRate);
  const data = asTensor(flows);
  if (!Array.isArray(window) || window.length !== 2) {
    throw new ValueError(`${owner}: window is ${JSON.stringify(window)}; give the numbers of frames in and out`);
  }
  const [given, wanted] = window;
  requireInteger(owner, "window[0]", given, operator.config.latentFrames);
  requireInteger(owner, "window[1]", wanted, 1);
  const [count, frames] = data.shape;
  if (data.rank !== 4 || frames < given + wanted || count < batchSize) {
    throw new ShapeError(
      `${owner}: the flows have shape [${data.shape}]; give [flows, frames, n, n] with at least ${batchSize} flows of ${given + wanted} frames`,
    );
  }
  requireFinite(owner, "flows", data);
  const still = Array.from(max(abs(data), [1, 2, 3]).data()).indexOf(0);
  if (still >= 0) {
    throw new ValueError(`${owner}: flow ${still} is 0 everywhere, which no relative error can judge; leave it out`);
  }
  const dtype = data.dtype === "float64" ? "float64" : "float32";
  const batches = Math.floor(count / batchSize);
  const { onProgress, signal, checkpoint, resume } = options;
  return train({
    owner,
    loss: (params: FlowOperatorParams, [input, output]: readonly [Tensor, Tensor]) =>
      relativeError(operator.apply(params, input, wanted), output),
    initial: options.initial ?? operator.init(random.rng(`operator/${seed}`), dtype),
    optimizer: adam({ learningRate: oneCycle(learningRate, Math.max(1, epochs * batches)) }),
    data: (_epoch: number, rng: Rng) => windows(data, batchSize, given, wanted, rng),
    epochs,
    seed,
    backend,
    onProgress,
    signal,
    checkpoint,
    resume: resume as TrainingState | undefined,
  });
}

/** Batches of windows that begin anywhere, of flows in a new order. */
function* windows(
  data: Tensor,
  batchSize: number,
  given: number,
  wanted: number,
  rng: Rng,
): Generator<readonly [Tensor, Tensor]> {
  const [count, frames] = data.shape;
  const order = rng.permutation(count).data();
  for (let i = 0; i + batchSize <= count; i += batchSize) {
    const chosen = Array.from({ length: batchSize }, (_, k) => {
      const first = rng.randint([], { high: frames - given - wanted + 1 }).item();
      return slice(data, [order[i + k], { start: first, stop: first + given + wanted }]);
    });
    const whole = stack(chosen);
    yield [slice(whole, [null, { stop: given }]), slice(whole, [null, { start: given }])];
  }
}

/** The root of the summed squared error over that of the truth, for each flow, in the mean: of `[batch, frames, n, n]`. */
export function relativeError(predicted: Tensor, truth: Tensor): Tensor {
  const axes = [1, 2, 3];
  // In units of the largest value, so that no square overflows or vanishes.
  const largest = max(abs(truth), axes, { keepDims: true });
  const size = where(greater(largest, 0), largest, 1);
  const error = sqrt(sum(div(sub(predicted, truth), size).square(), axes));
  return mean(div(error, sqrt(sum(div(truth, size).square(), axes))));
}

/** One cycle (Smith and Topin): from a thousandth of the peak up for 30 % of the steps, and down to 1e-7 of it. */
function oneCycle(peak: number, steps: number): Schedule {
  const [start, end] = [peak / 1e3, peak / 1e7];
  const turn = Math.max(1, 0.3 * steps - 1);
  const wave = (from: number, to: number, progress: Tensor) =>
    sub((from + to) / 2, mul(cos(mul(minimum(progress, 1), Math.PI)), (to - from) / 2));
  return (step) => {
    const at = sub(step, 1);
    const falling = div(sub(at, turn), Math.max(1, steps - 1 - turn));
    return where(less(at, turn), wave(start, peak, div(at, turn)), wave(peak, end, falling));
  };
}
