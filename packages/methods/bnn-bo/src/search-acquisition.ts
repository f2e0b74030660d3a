import { makeBreather, minimizeLbfgsbSync } from "@offprint/solvers";
import { hostTensor, random, type Tensor, ValueError } from "@offprint/tensor-core";
import { type AcquisitionData, type AcquisitionName, acquisitionProgram } from "./acquisition.js";
import { nondominatedBoxes, paretoFront } from "./hypervolume.js";
import type { SampledPosterior } from "./posterior.js";
import { type Padded, padded } from "./standardise.js";

/** How an acquisition is searched. */
export interface SearchSettings {
  readonly acquisition: AcquisitionName;
  /** Functions drawn. */
  readonly samples: number;
  /** Batches tried at first, and those of them that are improved. */
  readonly rawSamples: number;
  readonly restarts: number;
  /** Steps of L-BFGS-B on each. */
  readonly steps: number;
  /** Of qUCB. */
  readonly beta: number;
  /** Of several outputs: what counts from where, to be maximised. */
  readonly reference?: readonly number[];
}

/** Coordinates up to which Sobol points are known. */
const SOBOL = 256;
/** Boxes are made up to multiples of this, so that programs are compiled for few numbers of them. */
const BOX_ROOM = 16;
/** In the place of sides without end. */
const FAR = 1e12;
/** Of qNEI: trials of the largest means, one of which is the best so far. */
const CONTENDERS = 32;

/** @internal `[count, d]` even points of the unit cube. */
export function evenPoints(rng: random.Rng, count: number, d: number): Tensor {
  return d <= SOBOL
    ? random.sobol(d, { seed: rng }).next(count, "float64" as never)
    : rng.uniform([count, d], { dtype: "float64" });
}

/**
 * @internal The batch of q points of the unit cube that the acquisition values most, after they were moved to settings
 * that there are.
 */
export async function bestBatch(
  posteriors: readonly SampledPosterior[],
  observed: { readonly x: Tensor; readonly y: readonly (readonly number[])[] },
  q: number,
  settings: SearchSettings,
  moved: (points: Float64Array) => Float64Array,
  rng: random.Rng,
): Promise<Float64Array> {
  const d = observed.x.shape[1];
  const { acquisition } = settings;
  if (acquisition === "EI" && q > 1) {
    throw new ValueError(`suggest: acquisition "EI" is of one trial at a time; ask for 1, not ${q}, or take "qEI"`);
  }
  if (acquisition === "EI" && posteriors[0].sampler.moments === undefined) {
    throw new ValueError(`suggest: acquisition "EI" is for Gaussian surrogates; take "qEI"`);
  }
  const program = acquisitionProgram(
    acquisition,
    posteriors.map(({ sampler }) => sampler),
  );
  const models = posteriors.map(({ model }) => model);
  const draws = rng.fork("functions");
  const data = acquisitionData(posteriors, observed, settings);
  const drawn = q + (acquisition === "qNEI" ? data.mask.size : 0);
  const bases = posteriors.map(({ sampler, model }) => sampler.base(model, draws, settings.samples, drawn));
  const batch = (points: ArrayLike<number>) => hostTensor(Float64Array.from(points), [q, d], "float64");
  const value = (points: ArrayLike<number>) => program.value(batch(points), models, bases, data).item();
  const raw = evenPoints(rng.fork("raw"), settings.rawSamples, q * d);
  const starts = Array.from({ length: settings.rawSamples }, (_, k) =>
    Float64Array.from(raw.data().subarray(k * q * d, (k + 1) * q * d)),
  );
  const scored = starts.map((points) => ({ points, score: value(points) })).sort((a, b) => b.score - a.score);
  const breather = makeBreather();
  let best: { points: Float64Array; score: number } | undefined;
  for (const { points } of scored.slice(0, settings.restarts)) {
    const { x } = minimizeLbfgsbSync(
      (at, gradient) => {
        const [score, slope] = program.withGradient(batch(at), models, bases, data);
        gradient.set(slope.data().map((g: number) => -g));
        return -score.item();
      },
      points,
      { lower: 0, upper: 1, maxIterations: settings.steps },
    );
    if (breather.due()) await breather.pause();
    const there = moved(x);
    const score = value(there);
    if (best === undefined || score > best.score) best = { points: there, score };
  }
  return best!.points;
}

function acquisitionData(
  posteriors: readonly SampledPosterior[],
  { x, y }: { readonly x: Tensor; readonly y: readonly (readonly number[])[] },
  { acquisition, beta, reference }: SearchSettings,
): AcquisitionData {
  const m = posteriors.length;
  const scalar = (v: number) => hostTensor(Float64Array.of(v), [], "float64");
  // In the models' units, so that what is found does not depend on those of the objectives.
  const standard = (j: number, value: number) => (value - posteriors[j].offset) / posteriors[j].deviation;
  const boxes = reference === undefined ? [] : boxesOf(posteriors, x, reference);
  const room = Math.max(BOX_ROOM, BOX_ROOM * Math.ceil(boxes.length / BOX_ROOM));
  const sides = (side: "lower" | "upper") => {
    const flat = new Float64Array(room * m);
    boxes.forEach((box, k) => {
      flat.set(
        box[side].map((v, j) => Math.min(standard(j, v), FAR)),
        k * m,
      );
    });
    return hostTensor(flat, [room, m], "float64");
  };
  return {
    best: scalar(standard(0, Math.max(...y.map(([v]) => v)))),
    beta: scalar(beta),
    lower: sides("lower"),
    upper: sides("upper"),
    ...(acquisition === "qNEI" ? contendersOf(posteriors[0], x) : { tried: scalar(0), mask: scalar(0) }),
  };
}

/** Trials one of which is the best so far. */
function contendersOf(posterior: SampledPosterior, x: Tensor): Pick<AcquisitionData, "tried" | "mask"> {
  const [n, d] = x.shape;
  const means = meansAt(posterior, x);
  const kept = Array.from({ length: n }, (_, i) => i)
    .sort((a, b) => means[b] - means[a])
    .slice(0, CONTENDERS);
  const rows = Float64Array.from(
    kept.flatMap((i) => Array.from(x.data().subarray(i * d, (i + 1) * d) as Float64Array)),
  );
  const { x: tried, mask } = withRoom(hostTensor(rows, [kept.length, d], "float64"));
  return { tried, mask };
}

/** The front is that of the posterior's means: observations are noisy. */
function boxesOf(posteriors: readonly SampledPosterior[], x: Tensor, reference: readonly number[]) {
  const means = posteriors.map((posterior) => meansAt(posterior, x));
  const rows = Array.from({ length: x.shape[0] }, (_, i) => means.map((values) => values[i]));
  return nondominatedBoxes(paretoFront(rows), reference);
}

function withRoom(x: Tensor): Padded {
  return padded({ x, y: hostTensor(new Float64Array(x.shape[0]), [x.shape[0]], "float64") });
}

/** Compiled for each number of rows that there is room for, not for each number of trials. */
function meansAt(posterior: SampledPosterior, x: Tensor): Float64Array {
  return Float64Array.from(posterior.mean(withRoom(x).x).data().subarray(0, x.shape[0]));
}
