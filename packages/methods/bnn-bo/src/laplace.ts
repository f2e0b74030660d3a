import { brentMinimize } from "@offprint/solvers";
import {
  add,
  concatenate,
  diag,
  diagonal,
  dot,
  expandDims,
  eye,
  full,
  grad,
  hostTensor,
  jitSync,
  linalg,
  matmul,
  maximum,
  mul,
  random,
  requireChoice,
  requireObject,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  vmap,
} from "@offprint/tensor-core";
import { halfSquares, type MapTraining, mapTraining } from "./map-training.js";
import { checkNetwork, type NetworkOptions, shapeFor } from "./network-surrogates.js";
import type { BoSurrogate, ModelTree, SampledPosterior, Sampler } from "./posterior.js";
import { type NetworkShape, type RegressionNetwork, regressionNetwork } from "./regression-network.js";
import { type Padded, padded, type Standardised, standardised } from "./standardise.js";
import { tunedVariances, type Variances } from "./tuned-variances.js";

/** How the curvature of the log density is approximated. */
export type LaplaceStructure = "full" | "kron" | "last-layer";

/** Options of {@link laplace}. */
export interface LaplaceOptions extends NetworkOptions {
  /** All weights (`"full"`, default), Kronecker factors of each layer (`"kron"`), or the last layer alone. */
  readonly structure?: LaplaceStructure;
  /** Whether the prior variance is then the one of the largest marginal likelihood. Default true. */
  readonly tunePrior?: boolean;
}

/** Adam on the mean squared error with decayed weights. */
const TRAINING = { learningRate: 0.1, decay: 1e-3 };
/** Added to covariances of points that are drawn together. */
const JITTER = 1e-4;
/** Logarithms of prior variances that are searched. */
const PRIORS = [Math.log(1e-4), Math.log(1e4)] as const;

interface FlatModel {
  readonly weights: Tensor;
  /** `[n, P]` Jacobian at the observations, zero rows where there is room. */
  readonly J: Tensor;
  /** Of J J^T + noise / prior. */
  readonly factor: Tensor;
  readonly prior: Tensor;
}

interface KroneckerLayer {
  /** Eigenvectors of the inputs' second moments and of the outputs' curvature. */
  readonly inputs: Tensor;
  readonly outputs: Tensor;
  /** `[inputs, outputs]` variances in that basis. */
  readonly variances: Tensor;
}

interface KroneckerModel {
  readonly weights: Tensor;
  readonly layers: readonly KroneckerLayer[];
}

/** Programs of a network and a structure. */
interface Programs {
  readonly network: RegressionNetwork;
  readonly training: (steps: number) => MapTraining<Padded>;
  readonly outputs: (weights: Tensor, x: Tensor) => Tensor;
  readonly jacobian: (weights: Tensor, x: Tensor) => Tensor;
  readonly moments: (model: ModelTree, points: Tensor) => { mean: Tensor; covariance: Tensor };
  readonly sampler: Sampler;
}

/** What a linearised network's layers multiply: inputs with a 1, and slopes of the output. */
function layerParts(network: RegressionNetwork, J: Tensor, weights: Tensor, x: Tensor) {
  let from = 0;
  return network.layers(weights, x).map(({ inputs }, l) => {
    const [width, outputs] = [network.sizes[l], network.sizes[l + 1]];
    from += width * outputs;
    const slopes = slice(J, [
      { start: 0, stop: x.shape[0] },
      { start: from, stop: from + outputs },
    ]);
    from += outputs;
    return { inputs: concatenate([inputs, full([x.shape[0], 1], 1, "float64")], 1), slopes };
  });
}

const made = new Map<string, Programs>();

function programsFor(d: number, shape: NetworkShape, structure: LaplaceStructure): Programs {
  const key = JSON.stringify([d, shape, structure]);
  const known = made.get(key);
  if (known !== undefined) return known;
  const network = regressionNetwork(d, shape);
  const slope = grad((weights: Tensor, row: Tensor) => sum(network.apply(weights, expandDims(row, 0)))) as (
    weights: Tensor,
    row: Tensor,
  ) => Tensor;
  const all = (weights: Tensor, x: Tensor) => vmap((row: Tensor) => slope(weights, row))(x) as Tensor;
  const jacobian = (weights: Tensor, x: Tensor): Tensor =>
    structure === "last-layer"
      ? concatenate([network.features(weights, x), full([x.shape[0], 1], 1, "float64")], 1)
      : all(weights, x);
  const flat = ({ weights, J, factor, prior }: FlatModel, points: Tensor): Tensor => {
    const own = jacobian(weights, points);
    const half = linalg.triangularSolve(factor, matmul(J, transpose(own)));
    return mul(prior, sub(matmul(own, transpose(own)), matmul(transpose(half), half)));
  };
  const kronecker = ({ weights, layers }: KroneckerModel, points: Tensor): Tensor =>
    layerParts(network, all(weights, points), weights, points)
      .map(({ inputs, slopes }, l) => {
        const [a, g] = [matmul(inputs, layers[l].inputs), matmul(slopes, layers[l].outputs)];
        // Rows are the layer's Jacobian in the eigenbasis.
        const rows = mul(expandDims(a, 2), expandDims(g, 1)).reshape([points.shape[0], a.shape[1] * g.shape[1]]);
        return matmul(mul(rows, layers[l].variances.reshape([rows.shape[1]])), transpose(rows));
      })
      .reduce((x, y) => add(x, y));
  const moments = (model: ModelTree, points: Tensor) => ({
    mean: network.apply((model as unknown as FlatModel).weights, points),
    covariance:
      structure === "kron"
        ? kronecker(model as unknown as KroneckerModel, points)
        : flat(model as unknown as FlatModel, points),
  });
  const sampler: Sampler = {
    values(model, points, base) {
      const { mean, covariance } = moments(model, points);
      const q = points.shape[0];
      const factor = linalg.cholesky(add(covariance, mul(JITTER, eye(q, q, "float64"))));
      return add(mean, matmul(base, transpose(factor)));
    },
    base: (_, rng, count, q) => rng.normal([count, q], { dtype: "float64" }),
    moments,
  };
  const trainings = new Map<number, MapTraining<Padded>>();
  const loss = (weights: Tensor, { x, y, mask }: Padded) => {
    const misfit = sum(mul(mask, square(sub(y, network.apply(weights, x))))).div(sum(mask));
    return add(misfit, mul(TRAINING.decay, halfSquares(weights)));
  };
  const programs: Programs = {
    network,
    training(steps) {
      const found = trainings.get(steps) ?? mapTraining(loss, TRAINING.learningRate, Math.max(1, steps));
      trainings.set(steps, found);
      return found;
    },
    outputs: jitSync(network.apply),
    jacobian: jitSync(jacobian),
    moments: jitSync(moments as never) as unknown as Programs["moments"],
    sampler,
  };
  made.set(key, programs);
  return programs;
}

/** The prior variance of the largest marginal likelihood: of weights theta and eigenvalues e of the data's curvature. */
function mostLikelyPrior(squares: number, eigenvalues: readonly number[]): number {
  const objective = (logPrior: number) => {
    const prior = Math.exp(logPrior);
    return squares / (2 * prior) + eigenvalues.reduce((total, e) => total + Math.log1p(Math.max(0, e) * prior), 0) / 2;
  };
  return Math.exp(brentMinimize(objective, PRIORS[0], PRIORS[1], { tolerance: 1e-6 }).x);
}

const scalar = (value: number): Tensor => hostTensor(Float64Array.of(value), [], "float64");

/** A Laplace approximation around trained weights: Gaussian in the network linearised there. */
export function laplacePosterior(
  weights: TensorLike,
  data: Pick<Standardised, "x" | "y" | "offset" | "deviation">,
  variances: Variances,
  shape: NetworkShape,
  { structure = "full", tunePrior = true }: Pick<LaplaceOptions, "structure" | "tunePrior"> = {},
): SampledPosterior {
  requireObject("laplacePosterior", "data", data, "{ y, x, offset, deviation }");
  requireObject("laplacePosterior", "variances", variances, "Variances");
  requireObject("laplacePosterior", "shape", shape, "a NetworkShape");
  const { prior: given, noise } = variances;
  const theta = tensor(weights, { dtype: "float64" });
  const programs = programsFor(data.x.shape[1], shape, structure);
  const model =
    structure === "kron"
      ? kroneckerModel(programs, theta, data.x, given, noise, tunePrior)
      : flatModel(programs, theta, data, structure, given, noise, tunePrior);
  const { offset, deviation } = data;
  const at = (x: TensorLike) => programs.moments(model as unknown as ModelTree, tensor(x, { dtype: "float64" }));
  return {
    model: model as unknown as ModelTree,
    sampler: programs.sampler,
    ...{ offset, deviation },
    mean: (x) => at(x).mean.mul(deviation).add(offset),
    variance: (x) => maximum(diagonal(at(x).covariance), 0).mul(deviation ** 2),
    covariance: (x) => at(x).covariance.mul(deviation ** 2),
  };
}

function flatModel(
  { jacobian, network }: Programs,
  theta: Tensor,
  data: Pick<Standardised, "x" | "y">,
  structure: LaplaceStructure,
  given: number,
  noise: number,
  tune: boolean,
): FlatModel {
  const { x, mask } = padded(data);
  const J = mul(jacobian(theta, x), expandDims(mask, 1));
  const products = matmul(J, transpose(J));
  const P = network.size;
  const own = structure === "full" ? theta : theta.slice([{ start: P - J.shape[1], stop: P }]);
  const eigenvalues = tune ? Array.from(linalg.eigvalsh(products).data(), (e: number) => e / noise) : [];
  const prior = tune ? mostLikelyPrior(dot(own, own).item(), eigenvalues) : given;
  const n = x.shape[0];
  const factor = linalg.cholesky(add(products, diag(full([n], noise / prior, "float64"))));
  return { weights: theta, J, factor, prior: scalar(prior) };
}

function kroneckerModel(
  { jacobian, network }: Programs,
  theta: Tensor,
  x: Tensor,
  given: number,
  noise: number,
  tune: boolean,
): KroneckerModel {
  const n = x.shape[0];
  const factors = layerParts(network, jacobian(theta, x), theta, x).map(({ inputs, slopes }) => {
    const A = linalg.eigh(matmul(transpose(inputs), inputs).div(n));
    const G = linalg.eigh(matmul(transpose(slopes), slopes).div(noise));
    return { A, G };
  });
  const eigenvalues = factors.flatMap(({ A, G }) =>
    Array.from(A.values.data() as Float64Array).flatMap((a) => Array.from(G.values.data(), (g: number) => a * g)),
  );
  const prior = tune ? mostLikelyPrior(dot(theta, theta).item(), eigenvalues) : given;
  return {
    weights: theta,
    layers: factors.map(({ A, G }) => ({
      inputs: A.vectors,
      outputs: G.vectors,
      variances: add(mul(expandDims(A.values, 1), expandDims(G.values, 0)), 1 / prior).pow(-1),
    })),
  };
}

/** A network trained by Adam, with the uncertainty of its curvature there. */
export function laplace(options: LaplaceOptions = {}): BoSurrogate {
  checkNetwork("laplace", options, ["structure", "tunePrior"]);
  const { structure = "full", trainingSteps = 1000 } = options;
  requireChoice("laplace", "structure", structure, ["full", "kron", "last-layer"]);
  return {
    name: structure === "full" ? "laplace" : `laplace, ${structure}`,
    async fit(x, y, { rng = random.rng(0), memory, signal } = {}) {
      const data = standardised("laplace", x, y);
      const d = data.x.shape[1];
      const shape = shapeFor(d, options);
      const { network, training } = programsFor(d, shape, structure);
      const learn = async (seen: Standardised, variances: Variances) => {
        const start = network.initial(rng.fork("weights"));
        const weights = await training(trainingSteps).run(start, padded(seen), trainingSteps, signal);
        return laplacePosterior(weights, seen, variances, shape, options);
      };
      const variances = await tunedVariances(options, memory, data, learn);
      return { ...(await learn(data, variances)), memory: variances };
    },
  };
}
