import { adam, polynomialSchedule } from "@offprint/optim";
import { random, requireInteger, requirePositive, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { kMeans, seedPlanes } from "./convex-seeds.js";
import type { Dim } from "./features.js";
import {
  drawPoints,
  drawPool,
  insidePoints,
  type Occupancy,
  type PointPool,
  type PointSamples,
  poolOfSamples,
} from "./point-pool.js";
import type { BspShape } from "./shape.js";
import { blockLoss } from "./shape-gradient.js";

/** Where a fit stands: tensors and numbers. */
export interface FitShapeState {
  /** Updates made. */
  readonly step: number;
  /** `[convexes, planesPerConvex, d + 1]` float64, before the slope. */
  readonly planes: Tensor;
  /** Of Adam. */
  readonly optimizerState: any;
  /** The loss of each step before its update. */
  readonly losses: readonly number[];
}

/** Options of `fitShape`. */
export interface FitShapeOptions {
  /** Dimensions of space. Default 3. */
  dim?: Dim;
  /** Convexes to start with; those that find no part are not in the mesh. Default 24. */
  convexes?: number;
  /** Planes of each convex, more than `dim`. Default 10. */
  planesPerConvex?: number;
  /** Updates. Default 2000. */
  steps?: number;
  /** Points of a step, half of them near the surface. Default 2000. */
  pointsPerStep?: number;
  /** Whether to add the overlap loss. Default false. */
  overlap?: boolean;
  /** Adam's learning rate; it falls linearly to a tenth. Default 5e-3. */
  learningRate?: number;
  /**
   * Slope of the planes at the first and the last step, between which it grows geometrically. The surface ends up half
   * a unit over the slope inside the true one, so that with small slopes thin parts vanish. Default [10, 400].
   */
  slope?: readonly [number, number];
  /** Distance of the first planes from their convex's centre. Default 0.05. */
  radius?: number;
  /** Uniform points that `occupied` is asked about, twice. Default 1 000 000: with fewer, fits keep more convexes. */
  poolSize?: number;
  /** Points count as near the surface where a move by up to this along each axis crosses it. Default 0.02. */
  jitter?: number;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Called after each step and awaited. */
  onProgress?: (progress: { readonly step: number; readonly steps: number; readonly loss: number }) => unknown;
  /** Stops before the next step; the result holds the state to go on from. */
  signal?: AbortSignal;
  /** Called with the state every `every` steps and awaited. */
  checkpoint?: { every: number; save: (state: FitShapeState) => unknown };
  /** State to go on from, of a run with the same shape and options: it continues as if not interrupted. */
  resume?: FitShapeState;
}

/** What `fitShape` gives. */
export interface FitShapeResult {
  /** The shape: planes times the last slope. */
  readonly shape: BspShape;
  /** The loss of each step before its update. */
  readonly losses: readonly number[];
  /** All steps made, or stopped by the signal. */
  readonly status: "completed" | "aborted";
  /** State to go on from. */
  readonly state: FitShapeState;
}

/** Inside points that centres are found from. */
const SEED_POINTS = 5000;
const SEED_ROUNDS = 10;

/** Steps between turns of the event loop, in which signals arrive. */
const TURN = 50;

type Settled = Required<Omit<FitShapeOptions, "onProgress" | "signal" | "checkpoint" | "resume">>;

function settle(options: FitShapeOptions): Settled {
  const { dim = 3, convexes = 24, planesPerConvex = 10, steps = 2000, pointsPerStep = 2000, overlap = false } = options;
  const {
    learningRate = 5e-3,
    slope = [10, 400],
    radius = 0.05,
    poolSize = 1_000_000,
    jitter = 0.02,
    seed = 0,
  } = options;
  if (dim !== 2 && dim !== 3) throw new ValueError(`fitShape: dim is ${String(dim)}; it must be 2 or 3`);
  requireInteger("fitShape", "convexes", convexes, 1);
  requireInteger("fitShape", "planesPerConvex", planesPerConvex, dim + 1);
  requireInteger("fitShape", "steps", steps, 0);
  requireInteger("fitShape", "pointsPerStep", pointsPerStep, 1);
  for (const [name, value] of Object.entries({
    learningRate,
    radius,
    jitter,
    "slope[0]": slope[0],
    "slope[1]": slope[1],
  })) {
    requirePositive("fitShape", name, value);
  }
  return {
    dim,
    convexes,
    planesPerConvex,
    steps,
    pointsPerStep,
    overlap,
    learningRate,
    slope,
    radius,
    poolSize,
    jitter,
    seed,
  };
}

function firstState(pool: PointPool, settled: Settled, rng: random.Rng): Omit<FitShapeState, "optimizerState"> {
  const { dim, convexes, planesPerConvex, radius } = settled;
  const points = insidePoints(pool, SEED_POINTS, dim, rng);
  const centres = kMeans(points, dim, convexes, SEED_ROUNDS, rng);
  const planes = seedPlanes(centres, planesPerConvex, dim, radius, rng);
  return { step: 0, planes: tensor(planes, { shape: [convexes, planesPerConvex, dim + 1] }), losses: [] };
}

/** The shape of planes `[convexes, planesPerConvex, d + 1]`, multiplied by a slope. */
function shapeOf(planes: Tensor, slope: number): BspShape {
  const [convexes, perConvex, width] = planes.shape;
  const rows = planes.data() as Float64Array;
  const size = perConvex * width;
  return {
    dim: width === 3 ? 2 : 3,
    convexes: Array.from({ length: convexes }, (_, index) => {
      return { index, planes: rows.slice(index * size, (index + 1) * size).map((x) => slope * x) };
    }),
    unconnected: [],
  };
}

/**
 * Fits convexes to one shape, without a network and a data set: the planes themselves are trained, each convex having its
 * own. Runs on typed arrays, as most of a dense step would be work on convexes that have no gradient.
 * @param shape tells which points are inside, or samples of points in [-1/2, 1/2]^d
 * @throws ValueError where no point or every point is inside, or an option is out of range; ShapeError where values do
 * not fit points.
 * @example
 * const ball = (p) => Uint8Array.from({ length: p.length / 3 }, (_, i) =>
 *   Math.hypot(p[3 * i], p[3 * i + 1], p[3 * i + 2]) < 0.4 ? 1 : 0);
 * const { shape } = await fitShape(ball, { convexes: 1, planesPerConvex: 30 });
 */
export async function fitShape(
  shape: Occupancy | PointSamples,
  options: FitShapeOptions = {},
): Promise<FitShapeResult> {
  const settled = settle(options);
  const { dim, steps, pointsPerStep, overlap, learningRate, slope, poolSize, jitter, seed, planesPerConvex } = settled;
  const { onProgress, signal, checkpoint, resume } = options;
  const rng = random.rng(seed);
  const pool =
    typeof shape === "function"
      ? await drawPool(shape, dim, { size: poolSize, jitter }, rng.fork("pool"))
      : poolOfSamples(shape, dim);
  const schedule = polynomialSchedule({ initial: learningRate, final: learningRate / 10, steps: Math.max(1, steps) });
  const optimizer = adam({ learningRate: schedule });
  const start = resume ?? firstState(pool, settled, rng.fork("seeds"));
  let { planes } = start;
  let optimizerState = resume?.optimizerState ?? optimizer.init(planes);
  const losses = [...start.losses];
  const gradient = new Float64Array(planes.size);
  let status: FitShapeResult["status"] = "completed";
  const present = (): FitShapeState => ({ step: losses.length, planes, optimizerState, losses: [...losses] });
  while (losses.length < steps) {
    const step = losses.length;
    if (step % TURN === 0) await new Promise((resolve) => setTimeout(resolve));
    if (signal?.aborted) {
      status = "aborted";
      break;
    }
    const s = slope[0] * (slope[1] / slope[0]) ** (step / Math.max(1, steps - 1));
    const points = drawPoints(pool, pointsPerStep, dim, rng.fork(`step ${step}`));
    const rows = planes.data() as Float64Array;
    losses.push(blockLoss({ rows, perConvex: planesPerConvex, dim }, points, s, overlap, gradient));
    const { updates, state } = optimizer.update(tensor(gradient, { shape: planes.shape }), optimizerState, planes);
    planes = planes.add(updates);
    optimizerState = state;
    await onProgress?.({ step: step + 1, steps, loss: losses[step] });
    if (checkpoint !== undefined && losses.length % checkpoint.every === 0) await checkpoint.save(present());
  }
  return { shape: shapeOf(planes, slope[1]), losses, status, state: present() };
}
