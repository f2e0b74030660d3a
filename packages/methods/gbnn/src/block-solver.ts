import { adam, applyUpdates, type GradientTransformation, sgd } from "@offprint/optim";
import { type MinimizerState, minimizeLbfgs, type RunOptions, type RunState, runLoop } from "@offprint/solvers";
import { type Rng, type Tensor, take, tensor } from "@offprint/tensor-core";
import {
  type CompiledObjective,
  drawParameters,
  type FitSamples,
  type HiddenLayerSize,
  type ObjectiveOptions,
} from "./hidden-layer.js";

/** How the parameters of a hidden layer are found. */
export type SolverName = "lbfgs" | "adam" | "sgd";

/** How a fit ended: as `minimizeLbfgs` of `@offprint/solvers`; that of `adam` and `sgd` at their `limit` of epochs. */
export type SolverStatus = "converged" | "limit" | "inaccurate" | "stopped" | "aborted";

/** An iteration of L-BFGS, or an epoch of `adam` and `sgd`. */
export interface SolverRecord {
  /** Iterations or epochs done, from 1. */
  readonly iteration: number;
  /** The objective after the iteration; its mean over the batches of the epoch. */
  readonly objective: number;
}

/** What the fit of a layer goes on from. */
export type SolverState = MinimizerState | RunState<DescentState, SolverRecord>;

/** A fitted hidden layer, as a vector of all parameters. */
export interface SolvedLayer {
  /** W1, b1, W2, b2. */
  readonly parameters: Float64Array;
  /** The objective after the fit. */
  readonly objective: number;
  /** How it ended. */
  readonly status: SolverStatus;
  /** Iterations or epochs made. */
  readonly iterations: number;
  /** The record of each. */
  readonly history: readonly SolverRecord[];
  /** What `resume` goes on from. */
  readonly state: SolverState;
}

/** How a layer is fitted. */
export interface SolverOptions extends ObjectiveOptions {
  /** Which solver. */
  readonly solver: SolverName;
  /** Most iterations or epochs. */
  readonly maxIterations: number;
  /** Of the gradient's largest entry, for L-BFGS. */
  readonly gradientTolerance: number;
}

/** scipy's default: a relative decrease of 1e7 machine epsilons. */
const DECREASE_TOLERANCE = 2.220446049250313e-9;
const BATCH = 200;

/**
 * Fits a network with one hidden layer from a fresh draw of its parameters.
 * @param owner the public function that fits, for messages
 */
export async function solveLayer(
  owner: string,
  rng: Rng,
  objective: CompiledObjective,
  samples: FitSamples,
  size: HiddenLayerSize,
  options: SolverOptions,
  running: RunOptions<SolverRecord, SolverState> = {},
): Promise<SolvedLayer> {
  const initial = drawParameters(rng, size, options.activation);
  if (options.solver !== "lbfgs") {
    return descendInBatches(owner, rng, objective, samples, options, running as DescentRun, initial);
  }
  const { maxIterations, gradientTolerance } = options;
  const { x, ...solved } = await minimizeLbfgs(objective(samples), initial, {
    ...(running as RunOptions<SolverRecord, MinimizerState>),
    memory: 10,
    gradientTolerance,
    decreaseTolerance: DECREASE_TOLERANCE,
    maxIterations,
    maxLineSearch: 20,
  });
  return { parameters: x, ...solved };
}

/** What a descent in batches goes on from. */
export interface DescentState {
  /** W1, b1, W2, b2. */
  readonly parameters: Tensor;
  /** That of the optimizer. */
  readonly optimizerState: unknown;
  /** Epochs done. */
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly batch: number;
  /** Sum of their objectives; after an epoch, of all of it. */
  readonly sum: number;
}

type DescentRun = RunOptions<SolverRecord, RunState<DescentState, SolverRecord>>;

function optimizerOf(solver: SolverName): GradientTransformation {
  return solver === "adam" ? adam({ learningRate: 1e-3 }) : sgd({ learningRate: 1e-3, momentum: 0.9, nesterov: true });
}

async function descendInBatches(
  owner: string,
  rng: Rng,
  objective: CompiledObjective,
  { x, targets }: FitSamples,
  { solver, maxIterations }: SolverOptions,
  running: DescentRun,
  initial: Float64Array,
): Promise<SolvedLayer> {
  const n = x.shape[1];
  const batches = Math.ceil(n / BATCH);
  const optimizer = optimizerOf(solver);
  let shuffled: { epoch: number; rows: Int32Array } = { epoch: -1, rows: new Int32Array(0) };
  const order = (epoch: number) => {
    if (shuffled.epoch !== epoch) shuffled = { epoch, rows: rng.fork(epoch).permutation(n).data() as Int32Array };
    return shuffled.rows;
  };
  const { last, ...run } = await runLoop<DescentState, SolverRecord, never>(
    {
      owner,
      limit: maxIterations,
      initial() {
        const parameters = tensor(initial);
        return { parameters, optimizerState: optimizer.init(parameters), epoch: 0, batch: 0, sum: 0 };
      },
      step({ parameters, optimizerState, epoch, batch, sum }) {
        const rows = order(epoch).subarray(batch * BATCH, (batch + 1) * BATCH);
        const gradient = new Float64Array(initial.length);
        const part = { x: take(x, rows, 1), targets: take(targets, rows, 1) };
        const value = objective(part)(parameters.data() as Float64Array, gradient);
        const { updates, state } = optimizer.update(tensor(gradient), optimizerState, parameters);
        const moved = { parameters: applyUpdates(parameters, updates), optimizerState: state };
        const ended = batch + 1 === batches;
        const done = ended ? { epoch: epoch + 1, batch: 0 } : { epoch, batch: batch + 1 };
        return { ...moved, ...done, sum: (batch === 0 ? 0 : sum) + value };
      },
      count: ({ epoch }) => epoch,
      record: ({ batch, sum }, iteration) => (batch === 0 ? { iteration, objective: sum / batches } : undefined),
    },
    running,
  );
  const parameters = last.parameters.data() as Float64Array;
  const value = objective({ x, targets })(parameters, new Float64Array(initial.length));
  return { ...run, parameters, objective: value };
}
