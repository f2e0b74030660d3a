import { adam, type Schedule, trainingStep } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  jitSync,
  logSoftmax,
  matmul,
  mean,
  mul,
  NonFiniteError,
  random,
  requireInteger,
  requireObject,
  ShapeError,
  softmax,
  sqrt,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
  vmap,
} from "@offprint/tensor-core";
import type { ClassifierRecord } from "./classification.js";
import { type DenseArchitecture, type HiddenWeights, hiddenUnits, type Network, networkOf } from "./finite-networks.js";
import { examplesOf, oneHot } from "./labelled-examples.js";
import { checkPrior, drawScale, type ScalePrior } from "./scale-prior.js";

/** Weights of all members, the first axis: in the tangent kernel's parametrisation, standard normal before training. */
export interface EnsembleWeights extends HiddenWeights {
  /** `[members, width, classes]`. */
  readonly last: Tensor;
}

interface EnsemblePoint {
  readonly weights: EnsembleWeights;
  readonly optimizerState: unknown;
  readonly loss: number | null;
}

/** Options of {@link fitEnsemble}. */
export interface EnsembleOptions extends RunOptions<ClassifierRecord, RunState<EnsemblePoint, ClassifierRecord>> {
  /** H, from which each network draws the variance of its last layer's weights. Default inverse gamma with shape and rate 2. */
  readonly prior?: ScalePrior;
  /** Networks, >= 1 (default 8). */
  readonly members?: number;
  /** Units of each hidden layer, >= 1 (default 128). */
  readonly width?: number;
  /** Points of a batch, which all networks share (default 100 or all). */
  readonly batchSize?: number;
  /** Updates (default 300). */
  readonly steps?: number;
  /** Of Adam: a number or a schedule (default 0.01). */
  readonly learningRate?: number | Schedule;
  /** Default 0. */
  readonly seed?: number | string;
}

/** What {@link fitEnsemble} gives. */
export interface EnsembleResult {
  /** The networks. */
  readonly model: NetworkEnsemble;
  /** How it ended: training has no goal. */
  readonly status: Exclude<Status, "converged">;
  /** Updates made. */
  readonly steps: number;
  /** One record for each; the loss is the mean of the networks' own. */
  readonly history: readonly ClassifierRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<EnsemblePoint, ClassifierRecord>;
}

/**
 * The ensemble that the paper compares with: finite networks, each with a variance of its last layer's weights of its own,
 * trained by Adam on the cross-entropy, all of them in one compiled step. Predictions are the mean of their probabilities.
 *
 * @param x - `[N, d]`.
 * @param labels - `[N]` integers from 0.
 * @throws ShapeError, ValueError for what does not fit; UnsupportedError for networks of images; NonFiniteError, with the
 * last good state, where training diverges.
 */
export async function fitEnsemble(
  architecture: DenseArchitecture,
  x: TensorLike,
  labels: TensorLike,
  options: EnsembleOptions = {},
): Promise<EnsembleResult> {
  requireObject("fitEnsemble", "architecture", architecture, "a DenseArchitecture");
  const owner = "fitEnsemble";
  checkOptions(owner, options, [
    ...["prior", "members", "width", "batchSize", "steps", "learningRate", "seed"],
    ...runOptionNames,
  ]);
  const { prior = { kind: "inverseGamma", shape: 2, rate: 2 }, members = 8, width = 128, steps = 300 } = options;
  const { learningRate = 0.01, seed = 0 } = options;
  checkPrior(owner, prior);
  const network = networkOf(owner, architecture);
  requireInteger(owner, "members", members, 1);
  requireInteger(owner, "width", width, 1);
  requireInteger(owner, "steps", steps, 0);
  const { points, codes, classes } = examplesOf(owner, x, labels);
  const [N, d] = points.shape;
  const { batchSize = Math.min(100, N) } = options;
  requireInteger(owner, "batchSize", batchSize, 1, N);
  const start = random.rng(seed);
  const scales = scalesOf(owner, prior, members, start.fork("scales"));
  const optimizer = adam({ learningRate });
  const loss = (weights: EnsembleWeights, batch: Tensor, targets: Tensor): Tensor => {
    const logProbabilities = logSoftmax(latentsOf(network, weights, scales, batch), -1);
    // A sum over members, so that each is trained as it would be alone.
    return mul(-1 / batchSize, sum(mul(logProbabilities, targets)));
  };
  const step = jitSync(trainingStep(loss, optimizer));
  const initial = drawn(network, start.fork("weights"), { members, width, classes, d });
  const { status, iterations, history, last, state } = await runLoop<EnsemblePoint, ClassifierRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial: () => ({ weights: initial, optimizerState: optimizer.init(initial), loss: null }),
      step({ weights, optimizerState }, k) {
        const rows = batchSize === N ? undefined : start.fork(k).choice(N, { shape: [batchSize], replace: false });
        const batch = rows === undefined ? points : take(points, rows);
        const targets = oneHot(rows === undefined ? codes : take(codes, rows), classes);
        const made = step(weights, optimizerState as never, batch, targets);
        const value = made.loss.item() / members;
        if (!Number.isFinite(value + made.gradientNorm.item())) {
          throw new NonFiniteError(`the loss is ${value}: training diverged; lower learningRate`);
        }
        return { weights: made.params, optimizerState: made.optimizerState, loss: value };
      },
      record: ({ loss: value }, k) => ({ step: k, loss: value ?? Number.NaN }),
      check({ weights }) {
        if (weights?.last?.shape.join() === initial.last.shape.join()) return;
        throw new ValueError(
          `${owner}: resume is no state of ${members} networks of ${width} units and ${classes} classes`,
        );
      },
    },
    options,
  );
  step.release();
  return { model: new NetworkEnsemble(network, last.weights, scales), status, steps: iterations, history, state };
}

/** Trained networks. Made by {@link fitEnsemble}. */
export class NetworkEnsemble {
  /** What was learnt. */
  readonly weights: EnsembleWeights;
  /** `[members]` variances of the last layers' weights before training. */
  readonly scales: Tensor;
  readonly #network: Network;

  /** @internal */
  constructor(network: Network, weights: EnsembleWeights, scales: Tensor) {
    this.weights = weights;
    this.scales = scales;
    this.#network = network;
  }

  /** How many classes there are. */
  get classes(): number {
    return this.weights.last.shape[2];
  }

  /** `[members, m, classes]` outputs at the rows of `x` `[m, d]`, before the softmax. */
  latents(x: TensorLike): Tensor {
    const points = tensor(x, { dtype: "float64" });
    const d = this.weights.first.weight.shape[1];
    if (points.rank === 2 && points.shape[1] === d) {
      return latentsOf(this.#network, this.weights, this.scales, points);
    }
    throw new ShapeError(`latents: x has shape [${points.shape}]; it must be [points, ${d}]`);
  }

  /** `[m, classes]` probabilities at the rows of `x` `[m, d]`: the mean of the networks' own. */
  probabilities(x: TensorLike): Tensor {
    return mean(softmax(this.latents(x), -1), 0);
  }
}

function latentsOf(network: Network, weights: EnsembleWeights, scales: Tensor, x: Tensor): Tensor {
  return vmap(({ last, ...hidden }: EnsembleWeights, s: Tensor) => {
    const size = mul(1 / Math.sqrt(last.shape[0]), sqrt(s));
    return mul(size, matmul(hiddenUnits(network, hidden, x), last));
  })(weights, scales) as Tensor;
}

function scalesOf(owner: string, prior: ScalePrior, members: number, rng: random.Rng): Tensor {
  return tensor(
    Float64Array.from({ length: members }, () => drawScale(owner, prior, rng)),
    { dtype: "float64" },
  );
}

interface Sizes {
  readonly members: number;
  readonly width: number;
  readonly classes: number;
  readonly d: number;
}

function drawn({ layers }: Network, rng: random.Rng, { members, width, classes, d }: Sizes): EnsembleWeights {
  const normal = (...shape: number[]) => rng.normal([members, ...shape], { dtype: "float64" });
  const layer = (inner: number) => ({ weight: normal(inner, width), bias: normal(width) });
  return { first: layer(d), later: Array.from({ length: layers }, () => layer(width)), last: normal(width, classes) };
}
