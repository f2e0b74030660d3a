import {
  type LinearOperator,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  checkOptions,
  random,
  requireChoice,
  requireFunction,
  requireInteger,
  requireObject,
  ValueError,
} from "@offprint/tensor-core";
import { type BatchLoss, type ComposedLoss, curvature } from "./curvature.js";
import { effectiveBatch } from "./effective-batch.js";
import { krylovSpectrum, randomDirection } from "./krylov.js";
import { type FittedNoise, fitNoise } from "./noise-fit.js";

/** Where the noise of batch Hessians is measured. */
export interface NoiseProblem<P, B> {
  /** The loss: a mean over the samples of the batch. */
  readonly loss: BatchLoss<P, B> | ComposedLoss<P, B>;
  /** The parameters at which it is measured. */
  readonly params: P;
  /** The batch of some samples, by their numbers from 0. */
  readonly sample: (indices: Int32Array) => B;
  /** `N`, the number of samples. */
  readonly samples: number;
}

/**
 * How `Gamma` is measured. `"fit"`: from the batches' top eigenvalues; what counts for step sizes. `"directional"`: the noise
 * along the top eigenvector. `"hutchinson"`: the mean over all directions; far too small for the top of real networks.
 */
export type NoiseMethod = "fit" | "directional" | "hutchinson";

/** What is told of a measurement. */
export interface NoiseRecord {
  /** Measurements made, from 1. */
  readonly iteration: number;
  /** Of what: all samples, batches for the fit, or one of the other two methods. */
  readonly method: "full" | NoiseMethod;
  /** The batch's size. */
  readonly batch: number;
  /** The top eigenvalue, or the estimate of `Gamma`. */
  readonly value: number;
}

/** What was measured so far: a tree. */
export interface NoiseState {
  /** `lambda_1`, `lambda_P` and the top eigenvector of all samples; null before. */
  readonly full: { readonly top: number; readonly bottom: number; readonly vector: Float64Array } | null;
  /** Batches: size, extreme eigenvalues. */
  readonly batches: readonly { readonly batch: number; readonly top: number; readonly bottom: number }[];
  /** Estimates of the isotropic `Gamma`, one a probe. */
  readonly hutchinson: readonly number[];
  /** The directional one; null before. */
  readonly directional: number | null;
}

/** Options of {@link estimateNoise}. */
export interface EstimateNoiseOptions extends RunOptions<NoiseRecord, RunState<NoiseState, NoiseRecord>> {
  /** What is measured (default all three). */
  readonly methods?: readonly NoiseMethod[];
  /** Batch sizes of the fit, two or more (default 8 to 256, doubling, as far as there are samples). */
  readonly batches?: readonly number[];
  /** Batches of each size (default 30; 100 up to a size of 16, where they fluctuate most). */
  readonly repeats?: number;
  /** Size of the batches by which the other two are measured (default 1). With batch normalisation only the fit has a meaning. */
  readonly noiseBatch?: number;
  /** Random directions of `"hutchinson"` (default 3). */
  readonly probes?: number;
  /** Lanczos steps for extreme eigenvalues (default `min(P, 20)`). */
  readonly steps?: number;
  /** Source of batches and directions (default 0). */
  readonly seed?: number | string;
}

/** What {@link estimateNoise} gives. */
export interface NoiseEstimate {
  /** `lambda_1` of all samples; NaN where it was not measured yet. */
  readonly lambda1: number;
  /** `lambda_P`. */
  readonly lambdaP: number;
  /** Isotropic `Gamma`, where it was measured. */
  readonly hutchinson?: number;
  /** `Gamma` along the top eigenvector, where it was measured. */
  readonly directional?: number;
  /** The fit, where it was made. */
  readonly fit?: FittedNoise;
  /** Mean extreme eigenvalues by batch size. */
  readonly byBatch: readonly {
    readonly batch: number;
    readonly effective: number;
    readonly top: number;
    readonly bottom: number;
  }[];
  /** The one to use: of the fit, else directional, else isotropic; at least 0. */
  readonly gamma: number;
  /** Which that is. */
  readonly method: NoiseMethod;
  /** Batch below which the largest eigenvalue drowns in the noise: `Gamma / lambda_1^2`. */
  readonly criticalBatch: number;
  /** How it ended; `limit` where everything was measured. */
  readonly status: Status;
  /** Measurements made. */
  readonly iterations: number;
  /** Their records. */
  readonly history: readonly NoiseRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<NoiseState, NoiseRecord>;
}

type Task =
  | { readonly method: "full" | "directional" }
  | { readonly method: "fit"; readonly batch: number; readonly repeat: number }
  | { readonly method: "hutchinson"; readonly probe: number };

const names = ["methods", "batches", "repeats", "noiseBatch", "probes", "steps", "seed"];

/**
 * Measures `Gamma`, the noise of batch Hessians, at some parameters, and the curvature of all samples.
 *
 * @throws ValueError for options out of range; NonFiniteError where the loss has no finite second derivative.
 */
export async function estimateNoise<P, B>(
  problem: NoiseProblem<P, B>,
  options: EstimateNoiseOptions = {},
): Promise<NoiseEstimate> {
  requireObject("estimateNoise", "problem", problem, "{ loss, params, sample, samples }");
  const owner = "estimateNoise";
  checkOptions(owner, options, [...names, ...runOptionNames]);
  const { loss, params, sample, samples } = problem;
  requireFunction(owner, "sample", sample);
  requireInteger(owner, "samples", samples, 2);
  const measured = curvature(loss);
  const size = measured.sizeOf(params);
  const wanted = read(owner, samples, size, options);
  const tasks = tasksOf(wanted);
  const all = Int32Array.from({ length: samples }, (_, i) => i);
  const at = (indices: Int32Array) => measured.at(params, sample(indices));
  const experiment = { at, all, size, samples, ...wanted };
  try {
    const { last, ...run } = await runLoop<NoiseState, NoiseRecord>(
      {
        owner,
        limit: tasks.length,
        initial: () => ({ full: null, batches: [], hutchinson: [], directional: null }),
        step: (state, k) => carryOut(experiment, tasks[k - 1], state),
        record: (state, iteration) => recordOf(tasks[iteration - 1], state, wanted.noiseBatch, samples, iteration),
      },
      options,
    );
    return { ...conclude(last, samples, wanted.methods), ...run };
  } finally {
    measured.release();
  }
}

type Wanted = Required<Omit<EstimateNoiseOptions, keyof RunOptions<unknown, unknown> | "repeats">> &
  Pick<EstimateNoiseOptions, "repeats">;

function read(owner: string, samples: number, size: number, options: EstimateNoiseOptions): Wanted {
  const doubling = [8, 16, 32, 64, 128, 256].filter((batch) => batch <= samples / 2);
  const { methods = ["fit", "directional", "hutchinson"], batches = doubling, repeats, noiseBatch = 1 } = options;
  const { probes = 3, steps = Math.min(size, 20), seed = 0 } = options;
  requireArray(owner, "methods", methods);
  requireArray(owner, "batches", batches);
  for (const method of methods) requireChoice(owner, "methods", method, ["fit", "directional", "hutchinson"]);
  if (methods.length === 0)
    throw new ValueError(`${owner}: methods is empty; name one of fit, directional, hutchinson`);
  for (const batch of batches) requireInteger(owner, "batches", batch, 1, samples);
  if (methods.includes("fit") && new Set(batches).size < 2) {
    throw new ValueError(`${owner}: batches has ${batches.length} sizes; a fit needs two different ones`);
  }
  if (repeats !== undefined) requireInteger(owner, "repeats", repeats, 1);
  requireInteger(owner, "noiseBatch", noiseBatch, 1, Math.floor(samples / 2));
  requireInteger(owner, "probes", probes, 1);
  requireInteger(owner, "steps", steps, 1, size);
  return { methods, batches, noiseBatch, probes, steps, seed, ...(repeats === undefined ? {} : { repeats }) };
}

function requireArray(owner: string, name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new ValueError(`${owner}: ${name} is ${String(value)}; give an array`);
}

function tasksOf({ methods, batches, repeats, probes }: Wanted): Task[] {
  const tasks: Task[] = [{ method: "full" }];
  if (methods.includes("directional")) tasks.push({ method: "directional" });
  if (methods.includes("hutchinson")) {
    for (let probe = 0; probe < probes; probe++) tasks.push({ method: "hutchinson", probe });
  }
  // Size after size, so that a run with more repeats goes on where one with fewer ended.
  const countOf = (batch: number) => repeats ?? (batch <= 16 ? 100 : 30);
  const fitted = methods.includes("fit") ? batches : [];
  for (let repeat = 0; repeat < Math.max(0, ...fitted.map(countOf)); repeat++) {
    for (const batch of fitted) if (repeat < countOf(batch)) tasks.push({ method: "fit", batch, repeat });
  }
  return tasks;
}

interface Experiment extends Wanted {
  readonly at: (indices: Int32Array) => LinearOperator;
  readonly all: Int32Array;
  readonly size: number;
  readonly samples: number;
}

function carryOut(experiment: Experiment, task: Task, state: NoiseState): NoiseState {
  const { at, all, size, samples, steps, seed, noiseBatch } = experiment;
  const rng = (what: string) => random.rng(`${seed}/${what}`);
  if (task.method === "full") {
    const { nodes, vector } = krylovSpectrum(at(all), randomDirection(rng("full"), size), steps);
    const [top, bottom] = [nodes[nodes.length - 1], nodes[0]];
    return { ...state, full: { top, bottom, vector: vector(nodes.length - 1) } };
  }
  if (task.method === "fit") {
    const own = rng(`fit/${task.batch}/${task.repeat}`);
    const chosen = Int32Array.from(own.permutation(samples).data().slice(0, task.batch));
    const { nodes } = krylovSpectrum(at(chosen), randomDirection(own, size), steps);
    const found = { batch: task.batch, top: nodes[nodes.length - 1], bottom: nodes[0] };
    return { ...state, batches: [...state.batches, found] };
  }
  const order = Int32Array.from(rng(`parts/${task.method}`).permutation(samples).data());
  const parts = Array.from({ length: Math.floor(samples / noiseBatch) }, (_, j) =>
    order.subarray(j * noiseBatch, (j + 1) * noiseBatch),
  );
  if (task.method === "hutchinson") {
    const z = randomDirection(rng(`probe/${task.probe}`), size);
    return { ...state, hutchinson: [...state.hutchinson, isotropicNoise(at, parts, z)] };
  }
  return { ...state, directional: directionalNoise(at, all, parts, state.full!.vector, samples) };
}

/** `B_0 (mean |H_j z|^2 - |mean H_j z|^2) J / (J - 1)` over disjoint batches. */
function isotropicNoise(at: Experiment["at"], parts: readonly Int32Array[], z: Float64Array): number {
  const [product, mean] = [new Float64Array(z.length), new Float64Array(z.length)];
  let squares = 0;
  for (const part of parts) {
    at(part)(z, product);
    squares += squared(product) / parts.length;
    for (let i = 0; i < z.length; i++) mean[i] += product[i] / parts.length;
  }
  // Rounding may take a difference of nothing below zero.
  return (parts[0].length * Math.max(0, squares - squared(mean)) * parts.length) / (parts.length - 1);
}

/** `b E|(I - u u') (H_b - H) u|^2` over disjoint batches, `u` the top eigenvector of all samples. */
function directionalNoise(
  at: Experiment["at"],
  all: Int32Array,
  parts: readonly Int32Array[],
  u: Float64Array,
  samples: number,
): number {
  const [product, full] = [new Float64Array(u.length), new Float64Array(u.length)];
  at(all)(u, full);
  let mean = 0;
  for (const part of parts) {
    at(part)(u, product);
    for (let i = 0; i < u.length; i++) product[i] -= full[i];
    const along = product.reduce((total, x, i) => total + x * u[i], 0);
    mean += (squared(product) - along * along) / parts.length;
  }
  return effectiveBatch(parts[0].length, samples) * mean;
}

function squared(x: Float64Array): number {
  return x.reduce((total, each) => total + each * each, 0);
}

function recordOf(task: Task, state: NoiseState, noiseBatch: number, samples: number, iteration: number): NoiseRecord {
  const { method } = task;
  if (method === "full") return { iteration, method, batch: samples, value: state.full!.top };
  if (method === "fit") return { iteration, method, batch: task.batch, value: state.batches.at(-1)!.top };
  const value = method === "hutchinson" ? state.hutchinson.at(-1)! : state.directional!;
  return { iteration, method, batch: noiseBatch, value };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((total, x) => total + x, 0) / values.length;
}

function conclude(state: NoiseState, samples: number, methods: readonly NoiseMethod[]) {
  const { full, batches, hutchinson, directional } = state;
  const lambda1 = full?.top ?? Number.NaN;
  const byBatch = [...new Set(batches.map(({ batch }) => batch))].map((batch) => {
    const own = batches.filter((each) => each.batch === batch);
    const effective = effectiveBatch(batch, samples);
    return {
      batch,
      effective,
      top: meanOf(own.map(({ top }) => top)),
      bottom: meanOf(own.map(({ bottom }) => bottom)),
    };
  });
  const fit = byBatch.length < 2 ? undefined : fitNoise(byBatch);
  const isotropic = hutchinson.length === 0 ? undefined : meanOf(hutchinson);
  const found: readonly [NoiseMethod, number | undefined][] = [
    ["fit", fit?.gamma],
    ["directional", directional ?? undefined],
    ["hutchinson", isotropic],
  ];
  const [method, gamma] = found.find(([, value]) => value !== undefined) ?? [methods[0], Number.NaN];
  // Where no batch is noisier than another the slope of the fit is 0 but for rounding, of either sign.
  const noise = Math.max(0, gamma as number);
  return {
    lambda1,
    lambdaP: full?.bottom ?? Number.NaN,
    ...(isotropic !== undefined && { hutchinson: isotropic }),
    ...(directional !== null && { directional }),
    ...(fit !== undefined && { fit }),
    byBatch,
    gamma: noise,
    method,
    criticalBatch: noise === 0 ? 0 : noise / lambda1 ** 2,
  };
}
