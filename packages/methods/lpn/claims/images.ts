import { type ClaimContext, memo } from "@offprint/claims";
import { type Rng, random, type Tensor, tensor } from "@offprint/tensor-core";
import {
  type CompiledProx,
  type Lpn,
  type LpnParams,
  type ProxModel,
  proxOf,
  residualDenoiser,
  type Stage,
} from "../src/index.js";
import type { Method } from "./method.js";

/** Standard deviation of the noise that the networks are trained for. */
export const SIGMA = 0.1;

/** How much is trained and reconstructed. */
export interface ImagesEffort {
  /** Side of an image. */
  readonly side: number;
  readonly hidden: readonly number[];
  readonly batchSize: number;
  /** The absolute error, then proximal matching. */
  readonly matching: readonly Stage[];
  /** As many steps of the absolute error alone. */
  readonly absolute: readonly Stage[];
  /** As many of the squared error, for the unconstrained network: the best of these counts. */
  readonly squared: readonly Stage[];
  /** Images that are reconstructed. */
  readonly images: number;
  /** Numbers measured of each in compressed sensing, the fewest last. */
  readonly measurements: readonly number[];
  /** Iterations of ADMM. */
  readonly iterations: number;
  /** Values of rho of which the best counts, for every denoiser. */
  readonly rhos: readonly number[];
}

const efforts: Record<ClaimContext["scale"], ImagesEffort> = {
  quick: {
    side: 6,
    hidden: [64, 64],
    batchSize: 32,
    matching: [
      { loss: "absolute", steps: 1000, learningRate: [3e-2, 5e-3] },
      { loss: "matching", steps: 500, learningRate: [5e-3, 2e-4], gamma: [1.2, 0.4] },
    ],
    absolute: [{ loss: "absolute", steps: 1500, learningRate: [3e-2, 2e-4] }],
    squared: [{ loss: "squared", steps: 1500, learningRate: [1e-2, 1e-3] }],
    images: 32,
    measurements: [14],
    iterations: 100,
    rhos: [0.1, 0.3],
  },
  full: {
    side: 8,
    hidden: [128, 128],
    batchSize: 128,
    matching: [
      { loss: "absolute", steps: 2000, learningRate: [1e-2, 2e-3] },
      { loss: "matching", steps: 1000, learningRate: [2e-3, 1e-4], gamma: [1.6, 0.6] },
    ],
    absolute: [{ loss: "absolute", steps: 3000, learningRate: [1e-2, 1e-4] }],
    squared: [2e-3, 1e-2].map((rate) => ({ loss: "squared", steps: 3000, learningRate: [rate, rate / 10] })),
    images: 64,
    measurements: [32, 24],
    iterations: 200,
    rhos: [0.05, 0.1, 0.3, 1, 3],
  },
};

/** One filled rectangle on black: `[count, side, side]`. */
export function rectangles(rng: Rng, count: number, side: number): Tensor {
  const images = new Float32Array(count * side * side);
  const levels = rng.uniform([count], { low: 0.4, high: 1, dtype: "float64" }).data();
  // Pairs of different numbers of 0 to side: a first, and a second among the others.
  const firsts = rng.randint([count, 2], { high: side + 1 }).data();
  const seconds = rng.randint([count, 2], { high: side }).data();
  const pair = (first: number, second: number) => {
    const other = second < first ? second : second + 1;
    return [Math.min(first, other), Math.max(first, other)];
  };
  for (let k = 0; k < count; k++) {
    const [top, bottom] = pair(firsts[2 * k], seconds[2 * k]);
    const [left, right] = pair(firsts[2 * k + 1], seconds[2 * k + 1]);
    for (let row = top; row < bottom; row++) {
      images.fill(levels[k], (k * side + row) * side + left, (k * side + row) * side + right);
    }
  }
  return tensor(images, { shape: [count, side, side] });
}

/** The trained networks that several claims look at. */
export interface TrainedImages {
  readonly effort: ImagesEffort;
  /** Clean images that no network has seen, float64. */
  readonly test: Tensor;
  readonly model: Lpn;
  /** By proximal matching. */
  readonly matching: LpnParams;
}

/** Trains a model on images of a seed. */
function training<P>(context: ClaimContext, m: Method, model: ProxModel<P>, effort: ImagesEffort) {
  const seed = `${context.seed}/images`;
  const images = rectangles(random.rng(seed).fork("train"), 20_000, effort.side);
  const { signal } = context;
  return async (stages: readonly Stage[]) => {
    const options = { sigma: SIGMA, stages, batchSize: effort.batchSize, seed, ...(signal && { signal }) };
    return (await m.fitProximal(model, images, options)).params;
  };
}

/** Trains the learned proximal network. */
export const trainedLpn = memo(
  async (context: ClaimContext, m: Method, less?: ImagesEffort): Promise<TrainedImages> => {
    const effort = less ?? efforts[context.scale];
    const { side, hidden } = effort;
    const model = m.lpn({ kind: "dense", shape: [side, side], hidden, alpha: 0.01 });
    const test = rectangles(random.rng(`${context.seed}/images`).fork("test"), effort.images, side).cast("float64");
    const matching = await training(context, m, model, effort)(effort.matching);
    return { effort, test, model, matching };
  },
);

/** The denoisers to compare: the same network with the absolute error, and an unconstrained one of the same widths. */
export async function trainedBaselines(context: ClaimContext, m: Method, { effort, model }: TrainedImages) {
  const absolute = proxOf(model, await training(context, m, model, effort)(effort.absolute));
  const free = residualDenoiser({ shape: [effort.side, effort.side], hidden: effort.hidden });
  const train = training(context, m, free, effort);
  const residuals: CompiledProx[] = [];
  for (const stage of effort.squared) residuals.push(proxOf(free, await train([stage])));
  return { absolute, residuals };
}

/** The mean over images of their peak signal-to-noise ratios, in dB, for a peak of 1. */
export function psnr(found: Tensor, clean: Tensor): number {
  const errors = Float64Array.from(found.sub(clean).square().mean([1, 2]).data());
  return errors.reduce((total, e) => total - 10 * Math.log10(e), 0) / errors.length;
}
