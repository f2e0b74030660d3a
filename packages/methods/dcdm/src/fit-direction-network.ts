import { adam, exponentialSchedule, type GradientTransformation, trainingStep } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  type Backend,
  checkOptions,
  jit,
  NonFiniteError,
  random,
  requireDecayRate,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  slice,
  sparse,
  type Tensor,
  take,
  ValueError,
} from "@offprint/tensor-core";
import { directionLoss } from "./direction-loss.js";
import type { DirectionNetwork, DirectionParams } from "./direction-network.js";
import { tensorProduct } from "./linear-map.js";
import { norm, powerOfTwo } from "./vector-arithmetic.js";

/** What is told of a step. */
export interface DirectionFitRecord {
  /** From 1. */
  readonly step: number;
  /** Loss of the batch before the update. */
  readonly loss: number;
  /** Loss of the vectors that were held out, where it was looked at. */
  readonly validation?: number;
}

/** Where training stands; a tree. */
export interface DirectionFitPoint {
  /** Parameters of the network. */
  readonly params: DirectionParams;
  /** Adam's. */
  readonly optimizerState: unknown;
  /** Loss of the last batch. */
  readonly loss: number;
  /** Of the last look at the held-out vectors; null for none. */
  readonly validation: number | null;
  /** The best parameters by the held-out vectors; null before the first look. */
  readonly best: { readonly params: DirectionParams; readonly validation: number } | null;
}

/** A state to go on from. */
export type DirectionFitState = RunState<DirectionFitPoint, DirectionFitRecord>;

/** Options of {@link fitDirectionNetwork}. */
export interface DirectionFitOptions extends RunOptions<DirectionFitRecord, DirectionFitState> {
  /** Extents of the grid, whose product is the order of A. */
  readonly grid: readonly number[];
  /** Updates. */
  readonly steps: number;
  /** Vectors of an update. Default 10. */
  readonly batchSize?: number;
  /** Of Adam; a pair falls geometrically from the first to the second. Default 1e-4. */
  readonly learningRate?: number | readonly [number, number];
  /** Part of the vectors that is held out. Default 0.1. */
  readonly holdOut?: number;
  /** Updates between two looks at them. Default 100. */
  readonly validateEvery?: number;
  /** Of parameters and batches. Default 0. */
  readonly seed?: number | string;
  /** Parameters to begin with. Default drawn. */
  readonly initial?: DirectionParams;
  /** Compiles the step. Default the compiler of tensor-core. */
  readonly backend?: Backend;
}

/** What {@link fitDirectionNetwork} gives. */
export interface DirectionFitResult {
  /** The parameters with the smallest loss on the held-out vectors. */
  readonly params: DirectionParams;
  /** That loss; undefined where none were held out. */
  readonly validation: number | undefined;
  /** How it ended. */
  readonly status: Status;
  /** Updates made. */
  readonly steps: number;
  /** One record for each. */
  readonly history: readonly DirectionFitRecord[];
  /** What a further run resumes from. */
  readonly state: DirectionFitState;
}

const names = [
  ...["grid", "steps", "batchSize", "learningRate", "holdOut", "validateEvery", "seed", "initial", "backend"],
  ...runOptionNames,
];

/**
 * Trains a network to give search directions for the matrix of an empty box, without labels.
 * @param a matrix of the box
 * @param vectors `[samples, n]` unit rows, such as those of `ritzSamples`
 * @throws ValueError, ShapeError; NonFiniteError, with the last good state, where training diverges.
 */
export async function fitDirectionNetwork(
  network: DirectionNetwork,
  a: sparse.SparseMatrix,
  vectors: Tensor,
  options: DirectionFitOptions,
): Promise<DirectionFitResult> {
  requireObject("fitDirectionNetwork", "network", network, "a DirectionNetwork");
  requireObject("fitDirectionNetwork", "a", a, "a sparse matrix");
  requireObject("fitDirectionNetwork", "vectors", vectors, "a tensor");
  const owner = "fitDirectionNetwork";
  checkOptions(owner, options, names, ["grid", "steps"]);
  const { grid, steps, batchSize = 10, learningRate = 1e-4, holdOut = 0.1, validateEvery = 100, seed = 0 } = options;
  requireInteger(owner, "steps", steps, 0);
  requireInteger(owner, "batchSize", batchSize, 1);
  requireInteger(owner, "validateEvery", validateEvery, 1);
  requireDecayRate(owner, "holdOut", holdOut);
  const rates: readonly unknown[] = Array.isArray(learningRate) ? learningRate : [learningRate, learningRate];
  if (rates.length !== 2) throw new ValueError(`${owner}: learningRate is [${rates}]; give a number or a pair`);
  for (const rate of rates) requirePositive(owner, "learningRate", rate as number);
  if (!Array.isArray(grid)) throw new ValueError(`${owner}: grid is ${grid}; give an array of numbers`);
  const n = grid.reduce((product, extent) => product * extent, 1);
  if (vectors.rank !== 2 || vectors.shape[1] !== n || a.rows !== n) {
    throw new ShapeError(
      `${owner}: vectors [${vectors.shape}] and A [${a.shape}] do not fit the grid [${grid}] of ${n} points`,
    );
  }
  requireUnitRows(owner, vectors);
  const held = Math.floor(holdOut * vectors.shape[0]);
  const training = vectors.shape[0] - held;
  if (training < 1) throw new ValueError(`${owner}: there are no vectors to train on; give more, or hold out fewer`);
  const optimizer = adam({ learningRate: scheduleOf(learningRate, steps), epsilon: 1e-7 }) as GradientTransformation;
  // The loss does not see the unit of A, but float32 has an end.
  const product = tensorProduct(sparse.scale(a, 1 / powerOfTwo(Float64Array.from(a.values))));
  const loss = (params: DirectionParams, x: Tensor) => {
    const y = network.apply(params, x.reshape([x.shape[0], 1, ...grid]));
    return directionLoss(product, x, y.reshape(x.shape));
  };
  const compiled = { ...(options.backend && { backend: options.backend }) };
  const update = jit(trainingStep<unknown, DirectionParams, [Tensor]>(loss, optimizer), compiled);
  const judge = jit(loss, compiled);
  const test = held === 0 ? undefined : slice(vectors, [{ start: training }]);
  const { last, ...run } = await runLoop<DirectionFitPoint, DirectionFitRecord>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial() {
        const params = options.initial ?? network.init(random.rng(`${seed}/parameters`));
        return { params, optimizerState: optimizer.init(params), loss: Number.NaN, validation: null, best: null };
      },
      async step(state, k) {
        const rows = random.rng(`${seed}/batch/${k}`).randint([batchSize], { high: training });
        const result = await update(state.params, state.optimizerState, take(vectors, rows));
        const value = result.loss.item();
        if (!Number.isFinite(value) || !Number.isFinite(result.gradientNorm.item())) {
          throw new NonFiniteError(`the loss is ${value}: training diverged; lower the learning rate`);
        }
        const looks = test !== undefined && (k % validateEvery === 0 || k === steps);
        const validation = looks ? (await judge(result.params, test)).item() : null;
        const better = validation !== null && !(validation >= (state.best?.validation ?? Number.POSITIVE_INFINITY));
        const best = better ? { params: result.params, validation } : state.best;
        return { params: result.params, optimizerState: result.optimizerState, loss: value, validation, best };
      },
      record: ({ loss: value, validation }, step) => ({
        step,
        loss: value,
        ...(validation !== null && { validation }),
      }),
      check(state) {
        if (!Array.isArray(state.params))
          throw new ValueError(`${owner}: resume has no parameters; give a state of this function`);
      },
    },
    options,
  );
  const { iterations, ...rest } = run;
  return { ...rest, steps: iterations, params: last.best?.params ?? last.params, validation: last.best?.validation };
}

/** Of float32 rows that were divided by their lengths. */
const UNIT = 1e-3;

function requireUnitRows(owner: string, vectors: Tensor): void {
  const [rows, n] = vectors.shape;
  const values = Float64Array.from(vectors.data());
  for (let row = 0; row < rows; row++) {
    const length = norm(values.subarray(row * n, (row + 1) * n));
    if (Math.abs(length - 1) <= UNIT) continue;
    throw new ValueError(
      `${owner}: row ${row} of vectors has length ${length}; give rows of length 1, as unitRows does`,
    );
  }
}

function scheduleOf(learningRate: number | readonly [number, number], steps: number) {
  if (typeof learningRate === "number") return learningRate;
  const [first, final] = learningRate;
  return exponentialSchedule({ initial: first, decayRate: final / first, every: Math.max(steps - 1, 1) });
}
