import type { Kernel } from "@offprint/gaussian-process";
import { adam, type Schedule, trainingStep } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  add,
  checkOptions,
  full,
  jitSync,
  log,
  mean,
  mul,
  NonFiniteError,
  ones,
  random,
  requireChoice,
  requireInteger,
  requirePositive,
  ShapeError,
  softmax,
  stopGradient,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  tree,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { gammaByShape } from "./gamma-gradient.js";
import { balanced, type Examples, examplesOf, oneHot } from "./labelled-examples.js";
import { checkPrior } from "./scale-prior.js";
import { inUnits, type Moments, momentsOf } from "./standard-units.js";
import {
  type ClassifierPrior,
  divergence,
  expectedLoss,
  inducingOf,
  latentDraws,
  latentMarginals,
  type Noise,
  type VariationalParameters,
} from "./variational-objective.js";

/** After a step. */
export interface ClassifierRecord {
  /** From 1. */
  readonly step: number;
  /** The loss of the batch, per point: expected negative log likelihood and divergence / N. */
  readonly loss: number;
}

interface ClassifierPoint {
  readonly parameters: VariationalParameters;
  readonly optimizerState: unknown;
  readonly loss: number | null;
}

/** Options of {@link fitClassifier}. */
export interface ClassifierOptions extends RunOptions<ClassifierRecord, RunState<ClassifierPoint, ClassifierRecord>> {
  /** H. Default inverse gamma with shape and rate 2; `{ kind: "point" }` is a Gaussian process (SVGP). */
  readonly prior?: ClassifierPrior;
  /** M, how many inducing inputs, drawn from the training points in equal numbers of each class (default 200 or all), or `[M, d]`. */
  readonly inducing?: number | TensorLike;
  /** Whether inducing inputs are trained (default true). */
  readonly trainInducing?: boolean;
  /** Whether parameters of the kernel are trained (default false). */
  readonly trainKernel?: boolean;
  /** Whether the classes of a point share a draw of s (default): the model. The authors' code draws them apart. */
  readonly sharedScale?: boolean;
  /** S, draws of the latent functions for each point of a batch (default 100). */
  readonly samples?: number;
  /** Points of a batch (default 100 or all). */
  readonly batchSize?: number;
  /** Updates (default 1000). */
  readonly steps?: number;
  /** Of Adam: a number or a schedule (default 0.01). */
  readonly learningRate?: number | Schedule;
  /** Whether inputs, inducing ones among them, are standardised by the training points' moments (default false). */
  readonly standardize?: boolean;
  /** Added to the diagonal of K_ZZ, as a part of its mean, > 0 (default 1e-6). */
  readonly jitter?: number;
  /** Default 0. */
  readonly seed?: number | string;
}

/** What {@link fitClassifier} gives. */
export interface ClassifierResult {
  /** The classifier. */
  readonly model: SparseClassifier;
  /** How it ended: training has no goal. */
  readonly status: Exclude<Status, "converged">;
  /** Updates made. */
  readonly steps: number;
  /** One record for each. */
  readonly history: readonly ClassifierRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<ClassifierPoint, ClassifierRecord>;
}

const names = [
  ...["prior", "inducing", "trainInducing", "trainKernel", "sharedScale", "samples", "batchSize", "steps"],
  ...["learningRate", "standardize", "jitter", "seed", ...runOptionNames],
];

/**
 * Classification by a sparse variational scale mixture: one latent function for each class, inducing inputs, q(s) an
 * inverse gamma, all trained on batches by Adam (section 5).
 *
 * @param kernel - K of each latent function.
 * @param x - `[N, d]`.
 * @param labels - `[N]` integers from 0.
 * @throws ShapeError, ValueError for what does not fit; NonFiniteError, with the last good state, where it diverges.
 */
export async function fitClassifier(
  kernel: Kernel,
  x: TensorLike,
  labels: TensorLike,
  options: ClassifierOptions = {},
): Promise<ClassifierResult> {
  const owner = "fitClassifier";
  checkOptions(owner, options, names);
  const { prior = { kind: "inverseGamma", shape: 2, rate: 2 }, trainInducing = true, trainKernel = false } = options;
  const { sharedScale = true, samples = 100, steps = 1000, learningRate = 0.01, jitter = 1e-6, seed = 0 } = options;
  const { standardize = false } = options;
  checkPrior(owner, prior);
  requireChoice(owner, "prior.kind", prior.kind, ["inverseGamma", "point"]);
  for (const [name, value] of Object.entries({ trainInducing, trainKernel, sharedScale, standardize })) {
    requireChoice(owner, name, value, [true, false]);
  }
  requireInteger(owner, "samples", samples, 1);
  requireInteger(owner, "steps", steps, 0);
  requirePositive(owner, "jitter", jitter);
  const { points: given, codes, classes } = examplesOf(owner, x, labels);
  const units = standardize ? momentsOf("x", given) : undefined;
  const points = inUnits(units, given);
  const N = points.shape[0];
  const { batchSize = Math.min(100, N) } = options;
  requireInteger(owner, "batchSize", batchSize, 1, N);
  const start = random.rng(seed);
  const data = { points, codes, classes, units };
  const initial: VariationalParameters = startOf(owner, kernel, data, prior, options.inducing, start.fork("inducing"));
  const optimizer = adam({ learningRate });
  const loss = (given: VariationalParameters, batch: Tensor, targets: Tensor, noise: Noise): Tensor => {
    const parameters = {
      ...given,
      inducing: trainInducing ? given.inducing : stopGradient(given.inducing),
      kernel: trainKernel ? given.kernel : tree.map(stopGradient, given.kernel),
    };
    const at = inducingOf(kernel, parameters, jitter);
    const draws = latentDraws(latentMarginals(at, parameters, batch), parameters, prior, noise);
    return add(expectedLoss(draws, targets), mul(1 / N, divergence(at, parameters, prior)));
  };
  const step = jitSync(trainingStep(loss, optimizer));
  const run = await runLoop<ClassifierPoint, ClassifierRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial: () => ({ parameters: initial, optimizerState: optimizer.init(initial), loss: null }),
      step({ parameters, optimizerState }, k) {
        const rng = start.fork(k);
        const rows = batchSize === N ? undefined : rng.choice(N, { shape: [batchSize], replace: false });
        const batch = rows === undefined ? points : take(points, rows);
        const targets = oneHot(rows === undefined ? codes : take(codes, rows), classes);
        const noise = noiseOf(parameters, prior, [samples, batchSize, classes], sharedScale, rng, true);
        const result = step(parameters, optimizerState as never, batch, targets, noise);
        const value = result.loss.item();
        if (!Number.isFinite(value + result.gradientNorm.item())) {
          throw new NonFiniteError(`the loss is ${value}: training diverged; lower learningRate`);
        }
        return { parameters: result.params, optimizerState: result.optimizerState, loss: value };
      },
      record: ({ loss: value }, k) => ({ step: k, loss: value ?? Number.NaN }),
      check({ parameters }) {
        if (parameters?.mean?.shape.join() === initial.mean.shape.join()) return;
        throw new ValueError(
          `${owner}: resume is no state of ${classes} classes and ${initial.mean.shape[1]} inducing inputs`,
        );
      },
    },
    options,
  );
  step.release();
  const { status, iterations, history, last, state } = run;
  const model = new SparseClassifier(kernel, last.parameters, { prior, jitter, sharedScale, units });
  return { model, status, steps: iterations, history, state };
}

interface Description {
  readonly prior: ClassifierPrior;
  readonly jitter: number;
  readonly sharedScale: boolean;
  readonly units: Moments | undefined;
}

/** A trained classifier. */
export class SparseClassifier {
  /** What was learnt; inducing inputs in the units of standardised ones, where inputs were standardised. */
  readonly parameters: VariationalParameters;
  readonly #kernel: Kernel;
  readonly #description: Description;

  /** @internal */
  constructor(kernel: Kernel, parameters: VariationalParameters, description: Description) {
    this.parameters = parameters;
    this.#kernel = kernel;
    this.#description = description;
  }

  /** How many classes there are. */
  get classes(): number {
    return this.parameters.mean.shape[0];
  }

  /** KL of q from the prior. */
  get divergence(): number {
    const { prior, jitter } = this.#description;
    return divergence(inducingOf(this.#kernel, this.parameters, jitter), this.parameters, prior).item();
  }

  /**
   * `[m, C]` probabilities of the classes at the rows of `x` `[m, d]`: the mean over draws of the latent functions.
   * @param options - `samples` (default 1000) and their `seed` (default 0).
   */
  probabilities(x: TensorLike, options: { readonly samples?: number; readonly seed?: number | string } = {}): Tensor {
    const owner = "probabilities";
    checkOptions(owner, options, ["samples", "seed"]);
    const { samples = 1000, seed = 0 } = options;
    requireInteger(owner, "samples", samples, 1);
    const { prior, jitter, sharedScale, units } = this.#description;
    const given = tensor(x, { dtype: "float64" });
    const d = this.parameters.inducing.shape[1];
    if (given.rank !== 2 || given.shape[1] !== d) {
      throw new ShapeError(`${owner}: x has shape [${given.shape}]; it must be [points, ${d}]`);
    }
    const points = inUnits(units, given);
    const at = inducingOf(this.#kernel, this.parameters, jitter);
    const marginals = latentMarginals(at, this.parameters, points);
    const shape = [samples, points.shape[0], this.classes] as const;
    const noise = noiseOf(this.parameters, prior, shape, sharedScale, random.rng(seed), false);
    return mean(softmax(latentDraws(marginals, this.parameters, prior, noise), -1), 0);
  }
}

function startOf(
  owner: string,
  kernel: Kernel,
  { points, codes, classes, units }: Examples & { readonly units: Moments | undefined },
  prior: ClassifierPrior,
  inducing: number | TensorLike | undefined,
  rng: random.Rng,
): VariationalParameters {
  const [N, d] = points.shape;
  let Z: Tensor;
  if (inducing === undefined || typeof inducing === "number") {
    const M = inducing ?? Math.min(200, N);
    requireInteger(owner, "inducing", M, 1, N);
    Z = take(points, balanced(codes.data(), classes, M, rng));
  } else {
    Z = tensor(inducing, { dtype: "float64" });
    if (Z.rank !== 2 || Z.shape[1] !== d || Z.shape[0] < 1 || Z.shape[0] > N) {
      throw new ShapeError(`${owner}: inducing has shape [${Z.shape}]; it must be [1 to ${N}, ${d}]`);
    }
    Z = inUnits(units, Z);
  }
  const M = Z.shape[0];
  const { shape, rate } = prior.kind === "point" ? { shape: 1, rate: 1 } : prior;
  return {
    inducing: Z,
    mean: zeros([classes, M], "float64"),
    logVariance: zeros([classes, M], "float64"),
    logShape: log(full([], shape, "float64")),
    logRate: log(full([], rate, "float64")),
    kernel: kernel.parameters,
  };
}

function noiseOf(
  { logShape }: VariationalParameters,
  prior: ClassifierPrior,
  [S, m, C]: readonly [number, number, number],
  sharedScale: boolean,
  rng: random.Rng,
  slopes: boolean,
): Noise {
  const normal = rng.normal([S, m, C], { dtype: "float64" });
  if (prior.kind === "point") return { normal, gamma: ones([1, 1, 1], "float64"), slope: zeros([1, 1, 1], "float64") };
  const shape = Math.exp(logShape.item());
  const extents = [S, m, sharedScale ? 1 : C];
  const gamma = rng.gamma(extents, { concentration: shape, dtype: "float64" });
  if (!slopes) return { normal, gamma, slope: zeros([1, 1, 1], "float64") };
  const slope = gammaByShape(shape, Float64Array.from(gamma.data()));
  return { normal, gamma, slope: tensor(slope, { dtype: "float64" }).reshape(extents) };
}
