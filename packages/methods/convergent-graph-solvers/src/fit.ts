import type { FloatType } from "@offprint/nn";
import {
  adam,
  chain,
  clipByGlobalNorm,
  cosineSchedule,
  type GradientTransformation,
  type Schedule,
  type TrainingRecord,
  type TrainingState,
  type TrainResult,
  train,
} from "@offprint/optim";
import { type RunOptions, runOptionNames, runOptionsOf } from "@offprint/solvers";
import {
  asTensor,
  type Backend,
  cast,
  checkOptions,
  div,
  expandDims,
  hostBackend,
  logSoftmax,
  maximum,
  mul,
  neg,
  type Rng,
  random,
  refuseIdle,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  square,
  squeeze,
  sub,
  sum,
  type Tensor,
  takeAlongAxis,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import {
  type Extents,
  type FilledBatch,
  filledBatch,
  filledRows,
  type GraphSample,
  inputOf,
  roundedUp,
  usualExtents,
} from "./batches.js";
import type { GraphModel } from "./model.js";

/** Graphs to learn from, or a function that makes new ones. */
export type GraphData = readonly GraphSample[] | ((rng: Rng) => readonly GraphSample[]);

/** Options of {@link fitGraphModel}. */
export interface FitOptions<P> extends RunOptions<TrainingRecord, TrainingState<P>> {
  /** Updates. */
  readonly steps: number;
  /** Graphs of an update. Default 32, or all where there are fewer. */
  readonly batchSize?: number;
  /** Updates for which graphs that a function makes are kept. Default 32. */
  readonly refreshEvery?: number;
  /** Default: 1e-3, falling along a cosine and beginning again every 32 updates. Of Adam. */
  readonly learningRate?: number | Schedule;
  /** In place of Adam. */
  readonly optimizer?: GradientTransformation;
  /** Largest norm of a gradient. Default none. */
  readonly clipNorm?: number;
  /** Mean of squares (default), or cross-entropy with a class for each graph or node. */
  readonly loss?: "squared" | "crossEntropy";
  /** Of parameters and of the order of graphs. Default 0. */
  readonly seed?: number | string;
  /** Default float32. */
  readonly dtype?: FloatType;
  /** Parameters to begin with. Default drawn. */
  readonly initial?: P;
  /** Compiles the step. Default the compiler of tensor-core. */
  readonly backend?: Backend;
}

/** What {@link fitGraphModel} gives. */
export type FitResult<P> = Omit<TrainResult<P>, "epochs" | "modelState">;

const names = [
  ...[
    "steps",
    "batchSize",
    "refreshEvery",
    "learningRate",
    "optimizer",
    "clipNorm",
    "loss",
    "seed",
    "dtype",
    "initial",
  ],
  ...["backend", ...runOptionNames],
];

interface Batch {
  readonly features: FilledBatch;
  /** `[nodes, outputs]`, `[graphs, outputs]`, or classes `[nodes, 1]`, `[graphs, 1]`. */
  readonly targets: Tensor;
}

/** Iterations and saturation of a step, for its record. */
interface Course {
  readonly iterations: Tensor;
  readonly saturated: Tensor;
}

/**
 * Trains a model of graphs: batches are filled up to extents that few of them share, so that one compiled step serves
 * graphs of all shapes. Records have the figures `iterations` (of the fixed point) and `saturated` (share of the weights
 * without a gradient).
 * @throws ValueError, ShapeError; NonFiniteError, with the last good state, where training diverges.
 */
export async function fitGraphModel<P>(
  model: GraphModel<P>,
  data: GraphData,
  options: FitOptions<P>,
): Promise<FitResult<P>> {
  requireObject("fitGraphModel", "model", model, "a GraphModel");
  const owner = "fitGraphModel";
  checkOptions(owner, options, names, ["steps"]);
  const { steps, batchSize = 32, refreshEvery = 32, clipNorm, seed = 0, dtype = "float32" } = options;
  const { loss: kind = "squared", backend = hostBackend } = options;
  requireInteger(owner, "steps", steps, 0);
  requireInteger(owner, "batchSize", batchSize, 1);
  requireInteger(owner, "refreshEvery", refreshEvery, 1);
  requireChoice(owner, "loss", kind, ["squared", "crossEntropy"]);
  requireChoice(owner, "dtype", dtype, ["float32", "float64"]);
  if (clipNorm !== undefined) requirePositive(owner, "clipNorm", clipNorm);
  if (options.optimizer !== undefined) {
    refuseIdle(owner, "an optimizer, which has its own rate", options, ["learningRate"]);
  }
  const { learningRate = cosineSchedule({ initial: 1e-3, steps: 32, restarts: true }) } = options;
  const base = options.optimizer ?? adam({ learningRate });
  const draw = batches(owner, data, { batchSize, refreshEvery, seed });
  const { epochs, modelState, ...result } = await train<P, Batch, Course>({
    owner,
    loss: (params, { features, targets }) => {
      const { y, iterations, saturated } = model.apply(params, inputOf(features));
      const mask = model.readout === "none" ? features.lists.nodeMask : features.lists.graphMask;
      // Of one type in every step, whatever a model gives, or the step would be compiled twice.
      const course = { iterations: cast(iterations, "int32"), saturated: cast(saturated, dtype) };
      return [lossOf(kind, y, targets, mask), course] as const;
    },
    initial: options.initial ?? model.init(random.rng(`${seed}/parameters`), dtype),
    optimizer: clipNorm === undefined ? base : chain(clipByGlobalNorm(clipNorm), base),
    // A step is an epoch of its own, so that a run that goes on need not see again what was seen before.
    epochs: steps,
    seed,
    backend,
    *data(step) {
      const { samples, usual } = draw(step);
      const features = filledBatch(owner, model, samples, dtype, usual);
      yield { features, targets: targetsOf(owner, model, samples, features, kind, dtype) };
    },
    modelState: { iterations: tensor(0, { dtype: "int32" }), saturated: tensor(0, { dtype }) },
    figures: ({ iterations, saturated }) => ({ iterations: iterations.item(), saturated: saturated.item() }),
    ...runOptionsOf(options),
  });
  return result;
}

/** The samples of a step, a function of nothing but the step and the seed. */
function batches(
  owner: string,
  data: GraphData,
  { batchSize, refreshEvery, seed }: { batchSize: number; refreshEvery: number; seed: number | string },
): (step: number) => { samples: readonly GraphSample[]; usual: Extents } {
  const made = typeof data === "function";
  if (!made && (!Array.isArray(data) || data.length === 0)) {
    throw new ValueError(
      `${owner}: data must be graphs with features and targets, at least one, or a function of a generator`,
    );
  }
  let period = -1;
  let kept: readonly GraphSample[] = made ? [] : (data as readonly GraphSample[]);
  let usual = made ? undefined : usualExtents(kept, Math.min(batchSize, kept.length));
  return (step) => {
    const now = made ? Math.floor(step / refreshEvery) : 0;
    if (made && now !== period) {
      kept = data(random.rng(`${seed}/graphs/${now}`));
      period = now;
      usual = undefined;
      if (kept.length === 0) throw new ValueError(`${owner}: data made no graphs; make at least one`);
    }
    const size = Math.min(batchSize, kept.length);
    usual ??= rounded(usualExtents(kept, size));
    const perPass = Math.floor(kept.length / size);
    const at = made ? step % refreshEvery : step;
    const order = random
      .rng(`${seed}/order/${now}/${Math.floor(at / perPass)}`)
      .permutation(kept.length)
      .data();
    const start = (at % perPass) * size;
    return { samples: Array.from({ length: size }, (_, i) => kept[order[start + i]]), usual };
  };
}

/** So that fresh graphs of about the same size have the same extents. */
function rounded({ nodes, edges, graphs }: Extents): Extents {
  return { nodes: roundedUp(nodes), edges: roundedUp(edges), graphs };
}

function targetsOf(
  owner: string,
  model: GraphModel,
  samples: readonly GraphSample[],
  { lists }: FilledBatch,
  kind: "squared" | "crossEntropy",
  dtype: FloatType,
): Tensor {
  const ofNodes = model.readout === "none";
  const width = kind === "squared" ? model.outputs : 1;
  const parts = samples.map(({ graph, targets }) => {
    const t = asTensor(targets);
    const rows = ofNodes ? graph.nodes : 1;
    if (t.size !== rows * width) {
      throw new ShapeError(`${owner}: targets have shape [${t.shape}]; they must be ${rows * width} numbers`);
    }
    return [t.reshape([rows, width]), rows] as const;
  });
  const total = (ofNodes ? lists.nodeMask : lists.graphMask).shape[0];
  const filled = filledRows(owner, "targets", parts, width, total, dtype);
  if (kind === "squared") return filled;
  const wrong = filled.data().find((c: number) => !(Number.isInteger(c) && c >= 0 && c < model.outputs));
  if (wrong === undefined) return tensor(Int32Array.from(filled.data()), { shape: [total, 1] });
  throw new ValueError(`${owner}: ${wrong} is no class; targets are integers from 0 to ${model.outputs - 1}`);
}

/** The mean over what counts. */
function lossOf(kind: "squared" | "crossEntropy", y: Tensor, targets: Tensor, mask: Tensor): Tensor {
  const counted = maximum(sum(mask), 1);
  if (kind === "squared") return div(sum(mul(square(sub(y, targets)), expandDims(mask, 1))), mul(counted, y.shape[1]));
  const chosen = squeeze(takeAlongAxis(logSoftmax(y), targets, { axis: 1 }), 1);
  return div(neg(sum(mul(chosen, mask))), counted);
}
