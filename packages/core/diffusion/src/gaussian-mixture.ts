import {
  add,
  checkOptions,
  div,
  einsum,
  expandDims,
  eye,
  linalg,
  log,
  logSumExp,
  matmul,
  max,
  moveAxis,
  mul,
  onesLike,
  type Rng,
  requireFinite,
  requireObject,
  reshape,
  ShapeError,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { Denoiser } from "./denoiser.js";
import { alongBatch, type LevelTensors } from "./level.js";
import { posteriorComponents } from "./mixture-posterior.js";
import type { NoiseSchedule } from "./schedule.js";

/** A mixture of normal distributions, as numbers. Plain arrays are read as float64. */
export interface MixtureParameters {
  /** `[components, size]`. */
  readonly means: TensorLike;
  /** `[components]`, >= 0; need not sum to 1. Default equal. */
  readonly weights?: TensorLike;
  /** `[components, size, size]`, symmetric and positive semidefinite. */
  readonly covariances?: TensorLike;
  /** Instead: `[components, size]` variances of every entry, or `[components]` or one number for all directions. */
  readonly variances?: TensorLike;
}

/**
 * A mixture of normal distributions as the data of a diffusion model: what a perfect network would say, exactly, at every
 * level. States are `[batch, size]`; `level` is scalars or one level for each sample; everything is operations of tensors.
 * `weights` in place of the mixture's own, `[components]` or `[batch, components]`, are the condition: those of a class.
 */
export interface GaussianMixture {
  /** Number of components. */
  readonly components: number;
  /** Number of entries of a state. */
  readonly size: number;
  /** `[components]`, summing to 1. */
  readonly weights: Tensor;
  /** `[components, size]`. */
  readonly means: Tensor;
  /** `[components, size, size]`. */
  readonly covariances: Tensor;
  /** `log p(z)` of the noisy states, `[batch]`. */
  logDensity(z: Tensor, level: LevelTensors, weights?: Tensor): Tensor;
  /** `log p(z, component)`, `[batch, components]`. */
  logComponents(z: Tensor, level: LevelTensors, weights?: Tensor): Tensor;
  /** `grad log p(z)`, `[batch, size]`. */
  score(z: Tensor, level: LevelTensors, weights?: Tensor): Tensor;
  /** `E[n | z]`, `[batch, size]`. */
  noise(z: Tensor, level: LevelTensors, weights?: Tensor): Tensor;
  /** `E[x0 | z]`, `[batch, size]`. */
  data(z: Tensor, level: LevelTensors, weights?: Tensor): Tensor;
  /** `Cov[x0 | z]`, `[batch, size, size]`. */
  dataCovariance(z: Tensor, level: LevelTensors, weights?: Tensor): Tensor;
  /** Hessian of `log p(z)`, `[batch, size, size]`. */
  hessian(z: Tensor, level: LevelTensors, weights?: Tensor): Tensor;
  /** Draws data, `[count, size]`, and the components that they come from. */
  sample(rng: Rng, count: number, weights?: TensorLike): { x: Tensor; component: Tensor };
  /** The weights that leave only some components, `[components]`: a class. */
  only(components: readonly number[]): Tensor;
  /** The distribution of `x0` given `y = A x0 + noise` with standard deviation `deviation`: again a mixture. `A` is `[rows, size]`. */
  posterior(a: TensorLike, y: TensorLike, deviation: number): GaussianMixture;
  /** The mixture as a perfect denoiser, conditioned by weights. */
  denoiser(schedule: NoiseSchedule): Denoiser<Tensor>;
}

/**
 * A mixture of normal distributions. Covariances are diagonalised once, here.
 * @throws ShapeError for parts that do not fit each other; ValueError for weights and variances that are negative.
 * @example const mixture = gaussianMixture({ means: [[-1, 0], [1, 0]], variances: 0.1 });
 */
export function gaussianMixture(parameters: MixtureParameters): GaussianMixture {
  requireObject("gaussianMixture", "parameters", parameters, "MixtureParameters");
  checkOptions("gaussianMixture", parameters, ["means", "weights", "covariances", "variances"], ["means"]);
  const means = float64(parameters.means);
  requireFinite("gaussianMixture", "means", means);
  if (means.rank !== 2)
    throw new ShapeError(`gaussianMixture: means has shape [${means.shape}]; it must be [components, size]`);
  const [k, d] = means.shape;
  const weights = normalised(parameters.weights === undefined ? new Float64Array(k).fill(1) : parameters.weights, k);
  const { variances, vectors } = spectrum(parameters, k, d);
  return make({ k, d, weights, means, variances, vectors });
}

interface Spectral {
  readonly k: number;
  readonly d: number;
  readonly weights: Tensor;
  readonly means: Tensor;
  /** Eigenvalues of the covariances, `[k, d]`. */
  readonly variances: Tensor;
  /** Their eigenvectors as columns, `[k, d, d]`; none where covariances are diagonal. */
  readonly vectors: Tensor | undefined;
}

function make(spectral: Spectral): GaussianMixture {
  const { k, d, weights, means, variances, vectors } = spectral;
  // One product for all components: [d, k d] there, [k d, d] back.
  const there = vectors && reshape(moveAxis(vectors, 0, 1), [d, k * d]);
  const back = vectors && reshape(moveAxis(vectors, 2, 1), [k * d, d]);
  const centres = vectors ? reshape(matmul(expandDims(means, 1), vectors), [k, d]) : means;
  /** In the axes of every component: `[b, k, d]`. */
  const rotated = (z: Tensor) => (there ? reshape(matmul(z, there), [z.shape[0], k, d]) : expandDims(z, 1));
  /** The sum over components, back in the axes of the data. */
  const gathered = (x: Tensor) => (back ? matmul(reshape(x, [x.shape[0], k * d]), back) : sum(x, 1));
  const parts = (z: Tensor, level: LevelTensors, own: Tensor | undefined) => {
    if (z.rank !== 2 || z.shape[1] !== d) {
      throw new ShapeError(`gaussianMixture: the states have shape [${z.shape}]; they must be [batch, ${d}]`);
    }
    const cube = { rank: 3 } as Tensor;
    const [alpha, sigma] = [alongBatch(level.alpha, cube), alongBatch(level.sigma, cube)];
    const total = add(mul(square(alpha), variances), square(sigma));
    const offset = sub(rotated(z), mul(alpha, centres));
    const misfit = sum(add(div(square(offset), total), log(total)), -1);
    const logWeights = log(own === undefined ? weights : div(own, sum(own, { axis: -1, keepDims: true })));
    const logComponents = sub(logWeights, mul(add(misfit, d * Math.log(2 * Math.PI)), 0.5));
    return { alpha, sigma, total, offset, logComponents };
  };
  const responsibilities = (logComponents: Tensor) => expandDims(softmax(logComponents, -1), 2);
  const score: GaussianMixture["score"] = (z, level, own) => {
    const { total, offset, logComponents } = parts(z, level, own);
    return gathered(mul(responsibilities(logComponents), div(offset, total))).neg();
  };
  const data: GaussianMixture["data"] = (z, level, own) => {
    const { alpha, total, offset, logComponents } = parts(z, level, own);
    const r = responsibilities(logComponents);
    return gathered(mul(r, add(centres, div(mul(mul(alpha, variances), offset), total))));
  };
  /**
   * The mean over components of matrices that are diagonal in their axes, and the covariance over components of vectors in
   * their axes, both `[b, d, d]`.
   */
  const spread = (logComponents: Tensor, diagonal: Tensor, vector: Tensor) => {
    const r = softmax(logComponents, -1);
    const entries = mul(diagonal, onesLike(vector));
    const within = vectors
      ? einsum("bk,kij,bkj,klj->bil", r, vectors, entries, vectors)
      : mul(expandDims(sum(mul(expandDims(r, 2), entries), 1), 2), eye(d, d, "float64"));
    const turned = vectors ? einsum("bkj,kij->bki", vector, vectors) : vector;
    const mean = sum(mul(expandDims(r, 2), turned), 1);
    const centred = sub(turned, expandDims(mean, 1));
    return { within, between: einsum("bk,bki,bkj->bij", r, centred, centred) };
  };
  const dataCovariance: GaussianMixture["dataCovariance"] = (z, level, own) => {
    const { alpha, sigma, total, offset, logComponents } = parts(z, level, own);
    const means = add(centres, div(mul(mul(alpha, variances), offset), total));
    const { within, between } = spread(logComponents, div(mul(variances, square(sigma)), total), means);
    return add(within, between);
  };
  const allCovariances = () =>
    vectors
      ? einsum("kij,kj,klj->kil", vectors, variances, vectors)
      : mul(expandDims(variances, 2), eye(d, d, "float64"));
  let covariances: Tensor | undefined;
  const mixture: GaussianMixture = {
    components: k,
    size: d,
    weights,
    means,
    get covariances() {
      covariances ??= allCovariances();
      return covariances;
    },
    logComponents: (z, level, own) => parts(z, level, own).logComponents,
    logDensity: (z, level, own) => logSumExp(parts(z, level, own).logComponents, -1),
    score,
    data,
    noise: (z, level, own) => mul(score(z, level, own), alongBatch(level.sigma, z)).neg(),
    dataCovariance,
    hessian(z, level, own) {
      // Of the components' scores, not by way of the data's covariance: where there is little noise that would lose all digits.
      const { total, offset, logComponents } = parts(z, level, own);
      const { within, between } = spread(logComponents, div(1, total), div(offset, total));
      return sub(between, within);
    },
    sample(rng, count, own) {
      const probabilities = own === undefined ? weights : normalised(own, k);
      const component = rng.categorical([count], { probabilities });
      const spread = mul(rng.normal([count, d], { dtype: "float64" }), take(variances, component, 0).sqrt());
      const turned = vectors ? reshape(matmul(take(vectors, component, 0), expandDims(spread, 2)), [count, d]) : spread;
      return { x: add(take(means, component, 0), turned), component };
    },
    only(chosen) {
      const kept = new Float64Array(k);
      for (const index of chosen) {
        if (!(Number.isInteger(index) && index >= 0 && index < k)) {
          throw new ValueError(`only: component ${index} is none of 0 to ${k - 1}`);
        }
        kept[index] = weights.data()[index];
      }
      if (!kept.some((w) => w > 0)) throw new ValueError("only: no component is left; name one whose weight is not 0");
      return tensor(kept);
    },
    posterior: (a, y, deviation) => gaussianMixture(posteriorComponents(mixture, float64(a), float64(y), deviation)),
    denoiser: (schedule) => ({
      prediction: "noise",
      schedule,
      predict: (z, level, own) => mixture.noise(z, level, own),
    }),
  };
  return mixture;
}

function float64(x: TensorLike): Tensor {
  return tensor(x, { dtype: "float64" });
}

function normalised(given: TensorLike, k: number): Tensor {
  const weights = float64(given);
  if (weights.shape.join() !== String(k)) {
    throw new ShapeError(
      `gaussianMixture: weights has shape [${weights.shape}]; it must be [${k}], one for each component`,
    );
  }
  const values = weights.data();
  const total = sum(weights).item();
  if (!(values.every((w: number) => w >= 0) && total > 0 && total < Infinity)) {
    throw new ValueError("gaussianMixture: weights must be finite, >= 0, and not all 0");
  }
  return div(weights, total);
}

function spectrum(
  { covariances, variances }: MixtureParameters,
  k: number,
  d: number,
): Pick<Spectral, "variances" | "vectors"> {
  if ((covariances === undefined) === (variances === undefined)) {
    throw new ValueError("gaussianMixture: give covariances or variances, one of them");
  }
  if (variances !== undefined) {
    const given = float64(variances);
    const shaped = given.rank === 1 ? expandDims(given, 1) : given;
    if (given.rank > 2 || shaped.shape.some((n, axis) => n !== 1 && n !== [k, d].slice(-shaped.rank)[axis])) {
      throw new ShapeError(
        `gaussianMixture: variances has shape [${given.shape}]; it must be [${k}, ${d}], [${k}] or one number`,
      );
    }
    return {
      variances: checkedVariances(add(shaped, tensor(new Float64Array(k * d), { shape: [k, d] }))),
      vectors: undefined,
    };
  }
  const full = float64(covariances as TensorLike);
  if (full.shape.join() !== [k, d, d].join()) {
    throw new ShapeError(`gaussianMixture: covariances has shape [${full.shape}]; it must be [${k}, ${d}, ${d}]`);
  }
  const { values, vectors } = linalg.eigh(full);
  // Rounding leaves eigenvalues of a semidefinite matrix a little below 0.
  const scale = 1e-12 * max(values).item();
  return {
    variances: checkedVariances(
      tensor(values.data().map((v: number) => (v < 0 && v > -scale ? 0 : v))).reshape([k, d]),
    ),
    vectors,
  };
}

function checkedVariances(variances: Tensor): Tensor {
  const at = variances.data().findIndex((v: number) => !(v >= 0 && v < Infinity));
  if (at < 0) return variances;
  throw new ValueError(
    `gaussianMixture: a variance is ${variances.data()[at]}; covariances must be positive semidefinite`,
  );
}
