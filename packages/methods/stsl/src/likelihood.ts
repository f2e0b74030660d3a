import { type LevelTensors, predictAs } from "@offprint/diffusion";
import {
  add,
  checkOptions,
  div,
  einsum,
  expandDims,
  eye,
  isTensor,
  linalg,
  log,
  matmul,
  matrixTrace,
  max,
  mul,
  requireNonNegative,
  requireObject,
  requirePositive,
  reshape,
  square,
  sub,
  swapAxes,
  type Tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { missedBy, tweedie } from "./correction.js";
import { perSample, sampleJacobian, tweedieCovariance } from "./hessian-trace.js";
import { isTraced, type LatentModel } from "./latent-model.js";
import { applied, type MeasurementLike } from "./measurement.js";

/** Options of {@link surrogateLogLikelihood}. */
export interface LogLikelihoodOptions<C = Tensor> {
  /** Standard deviation of the noise of the measurements, > 0. */
  readonly deviation: number;
  /** The factor lambda of the trace of the covariance, >= 0. Default, for every sample, the largest eigenvalue of `H_A^T H_A`, which makes it a bound. */
  readonly lambda?: number;
  /** Handed to the denoiser. */
  readonly condition?: C;
}

/** `log p(y | z)` in several approximations, `[batch]` each; all but the first in float64 cost one derivative for each entry of a latent. */
export interface LogLikelihoods {
  /** With the predicted data put in: what first-order methods ascend. */
  readonly firstOrder: Tensor;
  /** Jensen's lower bound, with `tr(H_A Cov H_A^T)`; exact for linear decoders. */
  readonly jensen: Tensor;
  /** The paper's surrogate, with `lambda tr(Cov)`. */
  readonly surrogate: Tensor;
  /**
   * Of a normal posterior with the full covariance, `log N(y; A D(z0), H_A Cov H_A^T + deviation^2 I)`: what TMPD ascends. Made when
   * it is read, as the Hessian of a network need not give a covariance.
   */
  readonly normal: Tensor;
}

/** What a state says of the measurements, linearised: `H_A = A J_D` at the predicted data. */
export interface Linearised {
  /** `y - A D(z0)`, `[batch, rows]`. */
  readonly missed: Tensor;
  /** `H_A`, `[batch, rows, size]`. */
  readonly jacobian: Tensor;
  /** `Cov[z0 | z]`, `[batch, size, size]`. */
  readonly covariance: Tensor;
  /** `E[z0 | z]`. */
  readonly data: Tensor;
  /** The predicted noise. */
  readonly noise: Tensor;
}

/** Linearises a measurement around what is predicted; traceable. @throws UnsupportedError for black boxes. */
export function linearised<C>(
  owner: string,
  model: LatentModel<C>,
  apply: (images: Tensor) => Tensor,
  y: Tensor,
  z: Tensor,
  level: LevelTensors,
  condition: C | undefined,
): Linearised {
  if (!isTraced(model)) {
    throw new UnsupportedError(
      `${owner}: the model is external; give one in operations of tensors, as its covariance is differentiated`,
    );
  }
  const count = z.shape[0];
  const size = z.size / count;
  const decoded = (latents: Tensor): Tensor => {
    const image = model.decode(latents);
    if (isTensor(image)) return image;
    throw new ValueError(`${owner}: decode answered with a promise; set external: true`);
  };
  const noise = predictAs(model.denoiser, "noise", z, level, condition);
  const data = tweedie(z, noise, level);
  const missed = missedBy(apply, y, decoded(data));
  const rows = missed.size / count;
  const columns = reshape(
    sampleJacobian((latents) => apply(decoded(latents)), data),
    [size, count, rows],
  );
  return {
    missed: reshape(missed, [count, rows]),
    jacobian: columns.transpose([1, 2, 0]),
    covariance: tweedieCovariance(model.denoiser, z, level, condition),
    data,
    noise,
  };
}

/** `H_A Cov H_A^T + deviation^2 I`, `[batch, rows, rows]`. */
export function measuredCovariance({ jacobian, covariance }: Linearised, deviation: number): Tensor {
  const spread = einsum("bri,bij,bsj->brs", jacobian, covariance, jacobian);
  const rows = jacobian.shape[1];
  return add(spread, mul(eye(rows, rows, "float64").cast(spread.dtype), deviation ** 2));
}

/**
 * The likelihood of measurements given noisy latents, as the paper bounds it and as first-order methods take it. Traceable, so
 * that `grad` of one of them is a drift.
 * @param z noisy latents, `[batch, ...]`
 * @throws UnsupportedError for black boxes.
 */
export function surrogateLogLikelihood<C = Tensor>(
  model: LatentModel<C>,
  measurement: MeasurementLike,
  y: Tensor,
  z: Tensor,
  level: LevelTensors,
  options: LogLikelihoodOptions<C>,
): LogLikelihoods {
  requireObject("surrogateLogLikelihood", "model", model, "a LatentModel");
  requireObject("surrogateLogLikelihood", "y", y, "a tensor");
  requireObject("surrogateLogLikelihood", "z", z, "a tensor");
  requireObject("surrogateLogLikelihood", "level", level, "LevelTensors");
  const owner = "surrogateLogLikelihood";
  checkOptions(owner, options, ["deviation", "lambda", "condition"], ["deviation"]);
  const { deviation, lambda, condition } = options;
  requirePositive(owner, "deviation", deviation);
  if (lambda !== undefined) requireNonNegative(owner, "lambda", lambda);
  const found = linearised(owner, model, applied(owner, measurement), y, z, level, condition);
  const { missed, jacobian, covariance } = found;
  const rows = missed.shape[1];
  const constant = -0.5 * rows * Math.log(2 * Math.PI * deviation ** 2);
  const squared = perSample(square(missed));
  const withSpread = (spread: Tensor) => sub(constant, div(add(squared, spread), 2 * deviation ** 2));
  const factor = lambda ?? max(linalg.eigvalsh(matmul(swapAxes(jacobian, 1, 2), jacobian)), 1);
  return {
    firstOrder: withSpread(mul(squared, 0)),
    jensen: withSpread(matrixTrace(einsum("bri,bij,bsj->brs", jacobian, covariance, jacobian))),
    surrogate: withSpread(mul(matrixTrace(covariance), factor)),
    get normal() {
      return normalLogLikelihood(owner, missed, measuredCovariance(found, deviation));
    },
  };
}

/** `log N(missed; 0, total)`. @throws ValueError where the Hessian of a network makes it no covariance. */
function normalLogLikelihood(owner: string, missed: Tensor, total: Tensor): Tensor {
  const rows = missed.shape[1];
  const root = choleskyOf(owner, total);
  const white = linalg.triangularSolve(root, expandDims(missed, 2));
  const unit = eye(rows, rows, "float64");
  const logDeterminant = mul(matrixTrace(log(add(mul(root, unit), sub(1, unit)))), 2);
  return mul(add(add(perSample(square(white)), logDeterminant), rows * Math.log(2 * Math.PI)), -0.5);
}

function choleskyOf(owner: string, total: Tensor): Tensor {
  try {
    return linalg.cholesky(total);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError(
      `${owner}: normal needs a positive definite H_A Cov H_A^T + deviation^2 I, which this denoiser does not give here; take jensen or surrogate, or a larger deviation`,
      { cause: error },
    );
  }
}
