import { type AdamState, adam, polynomialSchedule } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  NonFiniteError,
  random,
  requireChoice,
  requireInteger,
  requirePositive,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { kMeans, seedPlanes } from "./convex-seeds.js";
import type { Dim } from "./features.js";
import { type FitTarget, prepared } from "./fit-target.js";
import type { Frame } from "./frame.js";
import { drawPoints, insidePoints, type PointPool } from "./point-pool.js";
import type { BspShape } from "./shape.js";
import { blockLoss } from "./shape-gradient.js";

/** What `fitShape` tells of a step. */
export interface FitShapeRecord {
  /** Updates made. */
  readonly step: number;
  /** The loss before the last of them. */
  readonly loss: number;
}

/** Where a fit stands: tensors and numbers. */
export interface FitShapePoint {
  /** Updates made. */
  readonly step: number;
  /** `[convexes, planesPerConvex, d + 1]` float64, before the slope; null before they are drawn. */
  readonly planes: Tensor | null;
  /** Of Adam; null before the first update. */
  readonly optimizerState: AdamState | null;
  /** The loss before the last update; null before the first. */
  readonly loss: number | null;
}

/** What a fit goes on from. */
export type FitShapeState = RunState<FitShapePoint, FitShapeRecord>;

/** Options of `fitShape`. */
export interface FitShapeOptions extends RunOptions<FitShapeRecord, FitShapeState> {
  /** Dimensions of space. Default 3. */
  dim?: Dim;
  /** Convexes to start with; those that find no part are not in the mesh. Default 24. */
  convexes?: number;
  /** Planes of each convex, more than `dim`. Default 10. */
  planesPerConvex?: number;
  /** Updates, those of the resumed run included. Default 2000. */
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
  /** Distance of the first planes from their convex's centre, in the shape's cube. Default 0.05. */
  radius?: number;
  /** Uniform points that an inside test or a mesh is asked about, twice. Default 1 000 000: with fewer, fits keep more convexes. */
  poolSize?: number;
  /** Points count as near the surface where a move by up to this along each axis, in the shape's cube, crosses it. Default 0.02. */
  jitter?: number;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
}

/** What `fitShape` gives. */
export interface FitShapeResult {
  /** The shape: planes times the last slope, in the cube that its `frame` places in the units of what was given. */
  readonly shape: BspShape;
  /** Updates made. */
  readonly steps: number;
  /** The record of each step. */
  readonly history: readonly FitShapeRecord[];
  /** How it ended; `limit` where all steps were made. */
  readonly status: Exclude<Status, "converged">;
  /** What `resume` goes on from. */
  readonly state: FitShapeState;
}

/** Inside points that centres are found from. */
const SEED_POINTS = 5000;
const SEED_ROUNDS = 10;

const defaults = {
  dim: 3 as Dim,
  convexes: 24,
  planesPerConvex: 10,
  steps: 2000,
  pointsPerStep: 2000,
  overlap: false,
  learningRate: 5e-3,
  slope: [10, 400] as readonly [number, number],
  radius: 0.05,
  poolSize: 1_000_000,
  jitter: 0.02,
  seed: 0 as number | string,
};

function settled(options: FitShapeOptions): typeof defaults {
  checkOptions("fitShape", options, [...Object.keys(defaults), ...runOptionNames]);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const all: typeof defaults = { ...defaults, ...given };
  const { dim, slope } = all;
  if (dim !== 2 && dim !== 3) throw new ValueError(`fitShape: dim is ${String(dim)}; it must be 2 or 3`);
  requireInteger("fitShape", "planesPerConvex", all.planesPerConvex, dim + 1);
  requireInteger("fitShape", "steps", all.steps, 0);
  for (const name of ["convexes", "pointsPerStep", "poolSize"] as const) requireInteger("fitShape", name, all[name], 1);
  for (const name of ["learningRate", "radius", "jitter"] as const) requirePositive("fitShape", name, all[name]);
  requireChoice("fitShape", "overlap", all.overlap, [true, false]);
  if (!Array.isArray(slope) || slope.length !== 2)
    throw new ValueError("fitShape: slope is no pair; give [first, last], such as [10, 400]");
  for (const i of [0, 1]) requirePositive("fitShape", `slope[${i}]`, slope[i]);
  return all;
}

/** The first planes: small convexes about centres of the inside. */
function firstPlanes(pool: PointPool, { dim, convexes, planesPerConvex, radius }: typeof defaults, rng: random.Rng) {
  const points = insidePoints(pool, SEED_POINTS, dim, rng);
  const centres = kMeans(points, dim, convexes, SEED_ROUNDS, rng);
  const planes = seedPlanes(centres, planesPerConvex, dim, radius, rng);
  return tensor(planes, { shape: [convexes, planesPerConvex, dim + 1] });
}

/** The shape of planes `[convexes, planesPerConvex, d + 1]`, multiplied by a slope. */
function shapeOf(planes: Tensor | null, slope: number, dim: Dim, frame: Frame | undefined): BspShape {
  const rows = planes === null ? [] : (planes.reshape([planes.shape[0], -1]).toArray() as number[][]);
  const convexes = rows.map((row, index) => ({ index, planes: Float64Array.from(row, (x) => slope * x) }));
  return { dim, convexes, unconnected: [], ...(frame && { frame }) };
}

/**
 * Fits convexes to one shape, without a network and a data set: the planes themselves are trained, each convex having its
 * own. Runs on typed arrays, as most of a dense step would be work on convexes that have no gradient.
 * @param target tells which points of [-1/2, 1/2]^d are inside, or samples of points, or a closed mesh; the result is in
 * the units of the samples and of the mesh
 * @throws ValueError where no point or every point is inside, for a mesh that is not closed, or an option unknown or out
 * of range; ShapeError where values do not fit points; NonFiniteError, with the last good state, where the fit diverges.
 * @example
 * const ball = (p) => Uint8Array.from({ length: p.length / 3 }, (_, i) =>
 *   Math.hypot(p[3 * i], p[3 * i + 1], p[3 * i + 2]) < 0.4 ? 1 : 0);
 * const { shape } = await fitShape(ball, { convexes: 1, planesPerConvex: 30 });
 */
export async function fitShape(target: FitTarget, options: FitShapeOptions = {}): Promise<FitShapeResult> {
  const all = settled(options);
  const { dim, steps, pointsPerStep, overlap, learningRate, slope, poolSize, jitter, planesPerConvex, convexes } = all;
  const rng = random.rng(all.seed);
  const { frame, pool: draw } = prepared(target, dim, { size: poolSize, jitter });
  const schedule = polynomialSchedule({ initial: learningRate, final: learningRate / 10, steps: Math.max(1, steps) });
  const optimizer = adam({ learningRate: schedule });
  const size = convexes * planesPerConvex * (dim + 1);
  let pool: PointPool | null = null;
  const { status, iterations, history, last, state } = await runLoop<FitShapePoint, FitShapeRecord, never>(
    {
      owner: "fitShape",
      limit: steps,
      limitName: "steps",
      initial: () => ({ step: 0, planes: null, optimizerState: null, loss: null }),
      async step(before) {
        pool ??= await draw(rng.fork("pool"), options.signal);
        // The signal fired while points were drawn: nothing was done.
        if (pool === null) return { ...before, loss: null };
        const planes = before.planes ?? firstPlanes(pool, all, rng.fork("seeds"));
        const { step } = before;
        const gradient = new Float64Array(size);
        const points = drawPoints(pool, pointsPerStep, dim, rng.fork(`step ${step}`));
        const rows = planes.data() as Float64Array;
        const present = slope[0] * (slope[1] / slope[0]) ** (step / Math.max(1, steps - 1));
        const loss = blockLoss({ rows, perConvex: planesPerConvex, dim }, points, present, overlap, gradient);
        if (!Number.isFinite(loss)) {
          throw new NonFiniteError(`the loss is ${loss}; give a smaller learningRate`);
        }
        const moments = before.optimizerState ?? optimizer.init(planes);
        const update = optimizer.update(tensor(gradient, { shape: planes.shape }), moments, planes);
        return { step: step + 1, planes: planes.add(update.updates), optimizerState: update.state, loss };
      },
      count: ({ step }) => step,
      record: ({ step, loss }) => (loss === null ? undefined : { step, loss }),
      check({ step, planes }) {
        const fits = planes === null ? step === 0 : planes?.size === size && planes.dtype === "float64";
        if (Number.isSafeInteger(step) && fits) return;
        throw new ValueError("fitShape: resume is a state of a fit with other sizes; give the same options as before");
      },
    },
    options,
  );
  return { shape: shapeOf(last.planes, slope[1], dim, frame), steps: iterations, history, status, state };
}
