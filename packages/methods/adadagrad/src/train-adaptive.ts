import { adagrad, type GradientTransformation, onHost } from "@offprint/optim";
import { type Backend, NonFiniteError, random, requireInteger, ValueError } from "@offprint/tensor-core";
import { adagradNorm } from "./adagrad-norm.js";
import { AdaptiveSteps } from "./adaptive-step.js";
import { type BatchControllerOptions, type BatchState, batchController } from "./batch-controller.js";
import { type OrderState, SampleOrder } from "./sample-order.js";
import type { SampleSchedule } from "./sample-schedules.js";
import { perSampleStatistics, type SampleLoss, type SampleStatistics } from "./sample-statistics.js";

/** What is trained, and on what. */
export interface AdaptiveProblem<P = any, B = any> {
  /** Initial parameters, a tree of float tensors. */
  readonly params: P;
  /** Any source of samples that can be asked for by their numbers. */
  readonly data: {
    /** N: number of samples. */
    readonly size: number;
    /** The samples of these numbers, a tree of tensors `[b, ...]`. */
    batch(indices: Int32Array): B;
  };
  /** The loss of each sample, `[b]`; traced when there is a backend. Samples must not depend on each other. */
  readonly sampleLoss: SampleLoss<P, B>;
  /** How per-sample statistics are computed. Default `perSampleStatistics(sampleLoss)`. */
  readonly statistics?: SampleStatistics<P, B>;
}

/** Options of `trainAdaptive`. */
export interface AdaptiveOptions<P = any> extends Omit<BatchControllerOptions, "maxBatch"> {
  /** b_max. Default all samples. */
  maxBatch?: number;
  /**
   * Moves the parameters: `adagrad` (AdAdaGrad), `adagrad-norm` (AdAdaGradNorm), or any optimizer of `@offprint/optim`,
   * whose updates are then multiplied by `learningRate`: give it a rate of 1. Default `adagrad`.
   */
  optimizer?: GradientTransformation | "adagrad" | "adagrad-norm";
  /** alpha >= 0: a number, or a schedule of the samples processed. */
  learningRate: number | SampleSchedule;
  /** Most steps. Either this or `maxSamples` must be given. */
  maxSteps?: number;
  /** Largest micro-batch; larger batches are computed in several and pooled exactly. Default 1024. */
  maxMicro?: number;
  /** Inner products within each tensor, as the authors' code has them. Default false. */
  blockwise?: boolean;
  /** `shuffle`: without replacement from a running shuffle; `independent`: with replacement; or an order of your own. */
  sampling?: "independent" | "shuffle" | ((batchSize: number, step: number) => Int32Array);
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Compiles a step as one graph for each power of two of the batch size. */
  backend?: Backend;
  /** Called, and awaited, after each step; `"stop"` ends the run. */
  onProgress?: (record: StepRecord) => unknown;
  /** Ends the run before the next step; the result can be gone on from. */
  signal?: AbortSignal;
  /** A state to go on from: the same steps as if the run had not been interrupted. */
  resume?: AdaptiveState<P>;
}

/** What happened at a step. */
export interface StepRecord {
  /** Number of the step, from 0. */
  readonly step: number;
  /** Samples processed, those of this step included. */
  readonly samples: number;
  /** b of this step. */
  readonly batchSize: number;
  /** Batch size that the test asked for, not rounded; NaN where no test was made. */
  readonly requested: number;
  /** Mean loss of the batch before the step. */
  readonly loss: number;
  /** |mean gradient|^2. */
  readonly gradNormSquared: number;
  /** V; NaN where it was not measured. */
  readonly variance1Norm: number;
  /** alpha of this step. */
  readonly learningRate: number;
}

/** Everything a run needs to go on from, as a tree of tensors and numbers. */
export interface AdaptiveState<P = any> {
  /** Trained parameters. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: any;
  /** Batch size, steps and samples. */
  readonly batches: BatchState;
  /** Where the shuffled pass stands. */
  readonly order: OrderState;
}

/** What `trainAdaptive` gives. */
export interface AdaptiveResult<P = any> {
  /** Trained parameters. */
  readonly params: P;
  /** A record for each step of this run. */
  readonly history: readonly StepRecord[];
  /**
   * Why it ended: the budget of samples or steps is used up; all gradients are 0 (`stationary`); `onProgress` said so
   * (`stopped`); or the signal fired.
   */
  readonly status: "aborted" | "budget" | "stationary" | "stopped";
  /** To go on from. */
  readonly state: AdaptiveState<P>;
}

/**
 * Trains with a batch size that grows as a test on per-sample gradients demands. The test is made on the batch and at the
 * point of the step, whose gradient also moves the parameters; the new size counts from the next step on.
 *
 * @throws ValueError for options out of range or data without samples; ShapeError for a loss that is not `[b]`;
 * NonFiniteError, with the last good state as its `state`, for a loss or a gradient that is not finite.
 * @see https://arxiv.org/abs/2402.11215
 */
export async function trainAdaptive<P, B>(
  problem: AdaptiveProblem<P, B>,
  options: AdaptiveOptions<P>,
): Promise<AdaptiveResult<P>> {
  const { size } = problem.data;
  const {
    seed = 0,
    signal,
    onProgress,
    maxSamples,
    maxSteps,
    resume,
    maxMicro = 1024,
    backend,
    learningRate,
  } = options;
  requireInteger("trainAdaptive", "data.size", size, 2);
  requireInteger("trainAdaptive", "maxMicro", maxMicro, 1);
  const budgets = Object.entries({ maxSamples, maxSteps }).filter(([, value]) => value !== undefined);
  if (budgets.length === 0)
    throw new ValueError("trainAdaptive: give maxSamples or maxSteps; without a budget it would not end");
  for (const [name, value] of budgets) requireInteger("trainAdaptive", name, value as number, 1);
  if (typeof learningRate !== "function" && !(learningRate >= 0 && Number.isFinite(learningRate))) {
    throw new ValueError(
      `trainAdaptive: learningRate is ${learningRate}; it must be a finite number >= 0 or a schedule`,
    );
  }
  const rateAt = typeof learningRate === "function" ? learningRate : () => learningRate;
  const controller = batchController({ ...options, maxBatch: options.maxBatch ?? size });
  const { sampling = "shuffle" } = options;
  if (sampling === "shuffle" && (options.maxBatch ?? size) > size) {
    throw new ValueError(
      `trainAdaptive: maxBatch is ${options.maxBatch}, but there are ${size} samples; lower it, or take sampling "independent"`,
    );
  }
  const optimizer = namedOptimizer(options.optimizer ?? "adagrad");
  const order = new SampleOrder(size, seed, resume?.order);
  const draw = (count: number, step: number): Int32Array => {
    if (typeof sampling === "function") return sampling(count, step);
    if (sampling === "shuffle") return order.draw(count);
    return random.rng(`${seed}/step/${step}`).randint([count], { high: size }).data() as Int32Array;
  };
  let params: P = resume?.params ?? problem.params;
  let optimizerState = resume?.optimizerState ?? optimizer.init(params as any);
  let batches = resume?.batches ?? controller.initial;
  const steps = new AdaptiveSteps<P, B>({
    params,
    data: (indices) => problem.data.batch(indices),
    sampleLoss: problem.sampleLoss,
    statistics: problem.statistics ?? perSampleStatistics(problem.sampleLoss),
    optimizer,
    maxMicro,
    blockwise: options.blockwise ?? false,
    kept: [problem.params, resume],
    ...(backend && { backend }),
  });
  const history: StepRecord[] = [];
  const state = (): Promise<AdaptiveState<P>> => onHost({ params, optimizerState, batches, order: order.save() });
  const spent = () => batches.samples >= (maxSamples ?? Infinity) || batches.step >= (maxSteps ?? Infinity);
  let status: AdaptiveResult["status"] = "budget";
  try {
    while (!spent()) {
      if (signal?.aborted) {
        status = "aborted";
        break;
      }
      const before = order.save();
      const indices = draw(batches.batchSize, batches.step);
      const rate = rateAt(batches.samples, batches.step);
      const result = await steps
        .step(params, optimizerState, rate, indices, controller.needs(batches))
        .catch(async (error: unknown) => {
          if (!(error instanceof NonFiniteError)) throw error;
          const last = await onHost({ params, optimizerState, batches, order: before });
          throw new NonFiniteError(`trainAdaptive: step ${batches.step}: ${error.message}`, {
            state: last,
            cause: error,
          });
        });
      const { loss, gradNormSquared, stats, ...next } = result;
      const stationary = gradNormSquared === 0 && stats?.variance1Norm === 0;
      const moved = controller.next(batches, stats);
      const { batchSize, step } = batches;
      ({ params, optimizerState } = next);
      batches = { ...moved.state, samples: batches.samples + indices.length };
      const record: StepRecord = {
        step,
        samples: batches.samples,
        batchSize,
        requested: moved.requested,
        loss,
        gradNormSquared,
        variance1Norm: stats?.variance1Norm ?? Number.NaN,
        learningRate: rate,
      };
      history.push(record);
      const answer = await onProgress?.(record);
      if (stationary || answer === "stop") {
        status = stationary ? "stationary" : "stopped";
        break;
      }
    }
  } finally {
    await steps.release();
  }
  const last = await state();
  return { params: last.params, history, status, state: last };
}

function namedOptimizer(optimizer: GradientTransformation | "adagrad" | "adagrad-norm"): GradientTransformation {
  if (optimizer === "adagrad") return adagrad({ learningRate: 1 });
  if (optimizer === "adagrad-norm") return adagradNorm();
  if (typeof optimizer !== "object") {
    throw new ValueError(
      `trainAdaptive: optimizer is ${String(optimizer)}; take adagrad, adagrad-norm or a gradient transformation`,
    );
  }
  return optimizer;
}
