import { adagrad, type GradientTransformation, onHost } from "@offprint/optim";
import { type Loop, type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  type Backend,
  checkOptions,
  isTensor,
  random,
  requireInteger,
  requireNonNegative,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { adagradNorm } from "./adagrad-norm.js";
import { AdaptiveSteps, type Needs } from "./adaptive-step.js";
import { type BatchControllerOptions, type BatchState, batchController, batchOptionNames } from "./batch-controller.js";
import { type OrderState, SampleOrder } from "./sample-order.js";
import type { SampleSchedule } from "./sample-schedules.js";
import { perSampleStatistics, type SampleLoss, type SampleStatistics } from "./sample-statistics.js";

/** What is trained, and on what. */
export interface AdaptiveProblem<P, B> {
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
export interface AdaptiveOptions<P = unknown>
  extends Omit<BatchControllerOptions, "maxBatch">,
    Omit<RunOptions<StepRecord, AdaptiveState<P>>, "resume"> {
  /** State of an earlier run, read back from a file or not: it goes on as if it had not been interrupted, bit for bit. */
  resume?: AdaptiveState;
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
  steps?: number;
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
}

const optionNames = [
  ...batchOptionNames,
  "optimizer",
  "learningRate",
  "steps",
  "maxMicro",
  "blockwise",
  "sampling",
  "seed",
  "backend",
  ...runOptionNames,
] as const satisfies readonly (keyof AdaptiveOptions)[];

/** What happened at a step. */
export interface StepRecord {
  /** Steps made. */
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

/** Where training stands, as a tree. */
export interface AdaptivePlace<P = unknown> {
  /** Trained parameters. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: unknown;
  /** Batch size, steps and samples. */
  readonly batches: BatchState;
  /** Where the shuffled pass stands. */
  readonly order: OrderState;
  /** Whether all gradients of the last batch were 0. */
  readonly stationary: boolean;
  /** What happened at the last step; null before the first. */
  readonly last: StepRecord | null;
}

/** Everything a run needs to go on from: a tree that `tree.toJson` keeps. */
export type AdaptiveState<P = unknown> = RunState<AdaptivePlace<P>, StepRecord>;

/** What `trainAdaptive` gives. */
export interface AdaptiveResult<P = unknown> {
  /** Trained parameters. */
  readonly params: P;
  /** Steps made, those of the resumed run included. */
  readonly steps: number;
  /** A record for each of them. */
  readonly history: readonly StepRecord[];
  /** `limit` where samples or steps are used up; `converged` where all gradients are 0; `stopped`; or `aborted`. */
  readonly status: Status;
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
  options: AdaptiveOptions<NoInfer<P>>,
): Promise<AdaptiveResult<P>> {
  checkOptions(OWNER, options, optionNames, ["learningRate", "initialBatch", "test"]);
  checkProblem(problem);
  const resume = options.resume as AdaptiveState<P> | undefined;
  const { size } = problem.data;
  const { maxSamples = Infinity, steps: limit = Infinity, maxBatch = size, learningRate, backend } = options;
  checkBudget(options);
  const rateAt = typeof learningRate === "function" ? learningRate : () => learningRate;
  if (typeof learningRate !== "function") requireNonNegative(OWNER, "learningRate", learningRate);
  const { initialBatch, test, testInterval } = options;
  const controller = batchController({
    initialBatch,
    maxBatch,
    test,
    ...(testInterval !== undefined && { testInterval }),
    ...(options.maxSamples !== undefined && { maxSamples }),
  });
  const optimizer = namedOptimizer(options.optimizer ?? "adagrad");
  const sampler = samplerOf(size, options);
  const steps = new AdaptiveSteps<P, B>({
    params: problem.params,
    data: (indices) => {
      const batch = problem.data.batch(indices);
      requireTensors("the batch", batch);
      return batch;
    },
    sampleLoss: problem.sampleLoss,
    statistics: problem.statistics ?? perSampleStatistics(problem.sampleLoss),
    optimizer,
    maxMicro: options.maxMicro ?? 1024,
    blockwise: options.blockwise ?? false,
    kept: [problem.params, resume?.inner],
    ...(backend && { backend }),
  });

  const loop: Loop<AdaptivePlace<P>, StepRecord, "converged" | "limit"> = {
    owner: OWNER,
    limit,
    limitName: "steps",
    initial: () => ({
      params: problem.params,
      optimizerState: optimizer.init(problem.params),
      batches: controller.initial,
      order: { epoch: 0, position: 0 },
      stationary: false,
      last: null,
    }),
    async step({ params, optimizerState, batches, order }) {
      const { batchSize, step, samples } = batches;
      const rate = rateAt(samples, step);
      requireNonNegative(OWNER, `learningRate(${samples}, ${step})`, rate);
      const needs = controller.needs(batches);
      const drawn = sampler(batchSize, step, order, needs);
      const moved = await steps.step(params, optimizerState, rate, drawn.indices, needs);
      const { loss, gradNormSquared, stats } = moved;
      const next = controller.next(batches, stats);
      const used = samples + drawn.indices.length;
      const variance1Norm = stats?.variance1Norm ?? Number.NaN;
      return {
        params: moved.params,
        optimizerState: moved.optimizerState,
        batches: { ...next.state, samples: used },
        order: drawn.order,
        stationary: gradNormSquared === 0 && variance1Norm === 0,
        last: {
          step: step + 1,
          samples: used,
          batchSize,
          requested: next.requested,
          loss,
          gradNormSquared,
          variance1Norm,
          learningRate: rate,
        },
      };
    },
    record: ({ last }) => last ?? undefined,
    finished({ stationary, batches }) {
      if (stationary) return "converged";
      return batches.samples >= maxSamples ? "limit" : undefined;
    },
    snapshot: onHost,
    check(place) {
      if (place?.batches !== undefined && place.order !== undefined && place.params !== undefined) return;
      throw new ValueError(
        `${OWNER}: resume is no state of this function; give the \`state\` of a result or a checkpoint`,
      );
    },
  };
  try {
    const { last, iterations, history, status, state } = await runLoop(loop, { ...options, resume });
    return { params: last.params, steps: iterations, history, status, state };
  } finally {
    await steps.release();
  }
}

const OWNER = "trainAdaptive";

function checkProblem<P, B>(problem: AdaptiveProblem<P, B> | undefined): void {
  if (
    problem?.params === undefined ||
    typeof problem.data?.batch !== "function" ||
    typeof problem.sampleLoss !== "function"
  ) {
    throw new ValueError(
      `${OWNER}: the problem must be { params, data, sampleLoss }, data as { size, batch(indices) } and sampleLoss a function`,
    );
  }
  requireInteger(OWNER, "data.size", problem.data.size, 2);
  requireTensors("params", problem.params);
}

/** @throws ValueError where a leaf is no tensor. */
function requireTensors(name: string, given: unknown): void {
  const bad = tree.leaves(given).findIndex((leaf) => !isTensor(leaf));
  if (bad < 0) return;
  const path = tree.paths(given)[bad];
  throw new ValueError(`${OWNER}: ${path ? `${path} of ${name}` : name} is no tensor; wrap numbers in tensor(...)`);
}

function checkBudget<P>({ maxSamples, steps, maxMicro }: AdaptiveOptions<P>): void {
  if (maxSamples === undefined && steps === undefined)
    throw new ValueError(`${OWNER}: give maxSamples or steps; without a budget it would not end`);
  if (maxSamples !== undefined) requireInteger(OWNER, "maxSamples", maxSamples, 1);
  if (steps !== undefined) requireInteger(OWNER, "steps", steps, 1);
  if (maxMicro !== undefined) requireInteger(OWNER, "maxMicro", maxMicro, 1);
}

type Sampler = (
  batchSize: number,
  step: number,
  order: OrderState,
  needs: Needs,
) => { readonly indices: Int32Array; readonly order: OrderState };

/** Draws the samples of a step. */
function samplerOf<P>(size: number, { sampling = "shuffle", seed = 0, maxBatch = size }: AdaptiveOptions<P>): Sampler {
  if (typeof sampling === "function") {
    return (batchSize, step, order, needs) => {
      const indices = sampling(batchSize, step);
      checkSamples(indices, size, needs);
      return { indices, order };
    };
  }
  if (sampling === "independent") {
    return (batchSize, step, order) => {
      const drawn = random.rng(`${seed}/step/${step}`).randint([batchSize], { high: size });
      return { indices: drawn.data() as Int32Array, order };
    };
  }
  if (sampling !== "shuffle") {
    throw new ValueError(`${OWNER}: sampling is ${String(sampling)}; take "shuffle", "independent" or a function`);
  }
  if (maxBatch > size) {
    throw new ValueError(
      `${OWNER}: maxBatch is ${maxBatch}, but there are ${size} samples; lower it, or take sampling "independent"`,
    );
  }
  const shuffled = new SampleOrder(size, seed);
  return (batchSize, _, order) => {
    shuffled.goTo(order);
    return { indices: shuffled.draw(batchSize), order: shuffled.save() };
  };
}

/** @throws ValueError for what a sampler of the user's may give that is no batch. */
function checkSamples(indices: Int32Array, size: number, needs: Needs): void {
  const least = needs === "nothing" ? 1 : 2;
  if (!(indices instanceof Int32Array) || indices.length < least) {
    const given = indices instanceof Int32Array ? `${indices.length} samples` : typeof indices;
    throw new ValueError(
      `${OWNER}: sampling gave ${given}; it must give an Int32Array of ${least} or more${least === 2 ? ", as the variance of one sample is unknown" : ""}`,
    );
  }
  const bad = indices.find((index) => !(index >= 0 && index < size));
  if (bad !== undefined) throw new ValueError(`${OWNER}: sampling gave sample ${bad}; there are 0..${size - 1}`);
}

function namedOptimizer(optimizer: GradientTransformation | "adagrad" | "adagrad-norm"): GradientTransformation {
  if (optimizer === "adagrad") return adagrad({ learningRate: 1 });
  if (optimizer === "adagrad-norm") return adagradNorm();
  if (typeof optimizer !== "object") {
    throw new ValueError(
      `${OWNER}: optimizer is ${String(optimizer)}; take adagrad, adagrad-norm or a gradient transformation`,
    );
  }
  return optimizer;
}
