import { type Architecture, type Kernel, nngp, ntk } from "@offprint/gaussian-process";
import {
  add,
  checkOptions,
  diag,
  diagonal,
  full,
  linalg,
  matmul,
  requireChoice,
  requireNonNegative,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  zeros,
} from "@offprint/tensor-core";
import { Prediction } from "./prediction.js";
import { checkInference, scaleBelief } from "./scale-posterior.js";
import { checkPrior, type ScalePrior } from "./scale-prior.js";

/** Which of a network's layers are trained, by gradient flow on the squared loss until it is 0. */
export type Trained = "none" | "last" | "all";

/** What a network is asked for, and trained on. */
export interface NetworkTask {
  /** `[n, d]` training inputs; none for networks that are not trained. */
  readonly x?: TensorLike;
  /** `[n]` their targets. */
  readonly y?: TensorLike;
  /** `[m, d]` where the outputs are looked at. */
  readonly points: TensorLike;
  /** Default `"all"` with training points, else `"none"`. */
  readonly trained?: Trained;
  /** Added to the diagonal of the training points' kernel, >= 0 (default 0). */
  readonly ridge?: number;
}

/** The law of an infinitely wide network's outputs. */
export interface NetworkLaw {
  /** Of each output. */
  readonly marginals: Prediction;
  /** `[m, m]` covariances per unit of s. */
  readonly covariance: Tensor;
}

/** @internal A task, checked. */
export interface CheckedTask {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly points: Tensor;
  readonly trained: Trained;
  readonly ridge: number;
}

/** @internal @throws ShapeError, ValueError */
export function checkTask(owner: string, task: NetworkTask): CheckedTask {
  checkOptions(`${owner}: task`, task, ["x", "y", "points", "trained", "ridge"]);
  const points = tensor(task.points, { dtype: "float64" });
  if (points.rank !== 2)
    throw new ShapeError(`${owner}: points has shape [${points.shape}]; it must be [points, inputs]`);
  const x = task.x === undefined ? zeros([0, points.shape[1]], "float64") : tensor(task.x, { dtype: "float64" });
  const y = task.y === undefined ? zeros([0], "float64") : tensor(task.y, { dtype: "float64" });
  if (x.rank !== 2 || x.shape[1] !== points.shape[1] || y.rank !== 1 || y.size !== x.shape[0]) {
    throw new ShapeError(
      `${owner}: x has shape [${x.shape}] and y [${y.shape}]; they must be [n, ${points.shape[1]}] and [n]`,
    );
  }
  const { trained = y.size === 0 ? "none" : "all", ridge = 0 } = task;
  requireChoice(owner, "trained", trained, ["none", "last", "all"]);
  requireNonNegative(owner, "ridge", ridge);
  if (trained !== "none" && y.size === 0) {
    throw new ShapeError(`${owner}: x has no points to train on; give some, or trained: "none"`);
  }
  return { x, y, points, trained, ridge };
}

/** @internal The kernel whose scale is s: of the last layer with a variance of 1. */
export const unitReadout = (architecture: Architecture): Architecture => ({ ...architecture, readoutVariance: 1 });

/**
 * The law of the outputs of an infinitely wide network whose last layer's weights have a random variance s ~ H: before
 * training, with its last layer trained, or with all trained (section 6). Training does not tell s: its law stays H.
 *
 * @throws ShapeError, ValueError for what does not fit.
 */
export function wideNetworkLaw(architecture: Architecture, prior: ScalePrior, task: NetworkTask): NetworkLaw {
  const owner = "wideNetworkLaw";
  checkPrior(owner, prior);
  const { x, y, points, trained, ridge } = checkTask(owner, task);
  const { law } = scaleBelief(owner, prior, 0, 0, checkInference(owner, {}));
  const K = nngp(unitReadout(architecture));
  const before = K.matrix(points);
  if (trained === "none") {
    return {
      marginals: new Prediction(zeros([points.shape[0]], "float64"), diagonal(before), law),
      covariance: before,
    };
  }
  // A = Theta* Theta^-1; of the last layer alone Theta is K.
  const Theta = trained === "last" ? K : ntk(unitReadout(architecture));
  const A = smoother(Theta, x, points, ridge);
  const cross = matmul(A, K.matrix(x, points));
  const spread = matmul(matmul(A, K.matrix(x)), transpose(A));
  const covariance = sub(add(before, spread), add(cross, transpose(cross)));
  return { marginals: new Prediction(matmul(A, y), diagonal(covariance).maximum(0), law), covariance };
}

function smoother(Theta: Kernel, x: Tensor, points: Tensor, ridge: number): Tensor {
  const K = add(Theta.matrix(x), diag(full([x.shape[0]], ridge, "float64")));
  return transpose(linalg.choleskySolve(linalg.cholesky(K), Theta.matrix(x, points)));
}
