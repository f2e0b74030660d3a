import {
  abs,
  add,
  asTensor,
  cast,
  checkOptions,
  equal,
  exp,
  IndexError,
  log1p,
  logSoftmax,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  oneHot,
  requirePositive,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { isPlain } from "./parameter-leaves.js";

/** Options of every loss. */
export interface LossOptions {
  /** What to do with the losses of the examples. Default `mean`, a scalar. */
  reduction?: "mean" | "sum" | "none";
}

function reduced(owner: string, losses: Tensor, options: LossOptions, more: readonly string[] = []): Tensor {
  checkOptions(owner, options, ["reduction", ...more]);
  switch (options.reduction ?? "mean") {
    case "mean":
      return mean(losses);
    case "sum":
      return sum(losses);
    case "none":
      return losses;
    default:
      throw new ValueError(`${owner}: reduction is ${options.reduction}; it must be mean, sum or none`);
  }
}

/** Prediction and target in the dtype of the prediction. A target of another shape is more often a bug than meant. */
function paired(name: string, prediction: TensorLike, target: TensorLike): [Tensor, Tensor] {
  const x = asTensor(prediction);
  const y = cast(asTensor(target), x.dtype);
  if (x.shape.join() !== y.shape.join()) {
    throw new ShapeError(`${name}: the prediction has shape [${x.shape}], the target [${y.shape}]; make them equal`);
  }
  return [x, y];
}

/** Mean squared error `(prediction - target)^2`, over all elements. */
export function meanSquaredError(prediction: TensorLike, target: TensorLike, options: LossOptions = {}): Tensor {
  const [x, y] = paired("meanSquaredError", prediction, target);
  return reduced("meanSquaredError", square(sub(x, y)), options);
}

/** Huber loss: half the squared error up to `delta` (> 0, default 1), a straight line beyond. */
export function huberLoss(
  prediction: TensorLike,
  target: TensorLike,
  options: LossOptions & { delta?: number } = {},
): Tensor {
  const { delta = 1 } = options;
  requirePositive("huberLoss", "delta", delta);
  const [x, y] = paired("huberLoss", prediction, target);
  const error = abs(sub(x, y));
  const near = minimum(error, delta);
  return reduced("huberLoss", add(mul(square(near), 0.5), mul(sub(error, near), delta)), options, ["delta"]);
}

/** Hinge loss `max(0, 1 - label * score)` for labels -1 and 1. */
export function hingeLoss(scores: TensorLike, labels: TensorLike, options: LossOptions = {}): Tensor {
  const [x, y] = paired("hingeLoss", scores, labels);
  return reduced("hingeLoss", maximum(sub(1, mul(x, y)), 0), options);
}

/**
 * Cross-entropy of Bernoulli probabilities given as logits, without overflow: targets in [0, 1].
 */
export function binaryCrossEntropy(logits: TensorLike, targets: TensorLike, options: LossOptions = {}): Tensor {
  const [x, y] = paired("binaryCrossEntropy", logits, targets);
  return reduced("binaryCrossEntropy", add(sub(maximum(x, 0), mul(x, y)), log1p(exp(neg(abs(x))))), options);
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** Part in [0, 1) of the probability that is spread evenly over the classes. Default 0. */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of softmax probabilities.
 * @param logits `[..., classes]`
 * @param labels int32 classes `[...]`, or probabilities (one-hot for one) `[..., classes]`
 * @throws ShapeError where the shapes do not fit; IndexError for a class outside the range, from the compiled function too.
 */
export function crossEntropy(logits: TensorLike, labels: TensorLike, options: CrossEntropyOptions = {}): Tensor {
  const { labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new ValueError(`crossEntropy: labelSmoothing is ${labelSmoothing}; it must be in [0, 1)`);
  }
  const x = asTensor(logits);
  const y = asTensor(labels);
  const byClass = y.dtype === "int32" && y.rank === x.rank - 1;
  const expected = byClass ? x.shape.slice(0, -1) : x.shape;
  if (x.rank === 0 || y.shape.join() !== expected.join()) {
    throw new ShapeError(
      `crossEntropy: logits have shape [${x.shape}], labels [${y.shape}] of dtype ${y.dtype}; ` +
        "give int32 classes without the last axis, or probabilities of the shape of the logits",
    );
  }
  const logProbabilities = logSoftmax(x);
  let losses = neg(
    byClass
      ? sum(where(isClass(y, x.shape[x.rank - 1]), logProbabilities, 0), { axis: -1 })
      : sum(mul(cast(y, logProbabilities.dtype), logProbabilities), { axis: -1 }),
  );
  if (labelSmoothing > 0) {
    losses = sub(mul(losses, 1 - labelSmoothing), mul(mean(logProbabilities, { axis: -1 }), labelSmoothing));
  }
  return reduced("crossEntropy", losses, options, ["labelSmoothing"]);
}

/** `[..., classes]`: whether each class is the label. Labels that are not known yet are checked where they are: in the compiled function. */
function isClass(labels: Tensor, classes: number): Tensor {
  if (isPlain(labels)) {
    const bad = (labels.data() as Int32Array).find((label) => label < 0 || label >= classes);
    if (bad !== undefined) {
      throw new IndexError(`crossEntropy: label ${bad} is not one of ${classes} classes; labels count from 0`);
    }
  }
  return oneHot(labels, classes, { dtype: "bool" });
}

/**
 * Part of the predictions that are right: the largest of `[..., classes]` against int32 labels `[...]`.
 * @throws ShapeError where there is not one label for each prediction.
 */
export function accuracy(logits: TensorLike, labels: TensorLike): Tensor {
  const [x, y] = [asTensor(logits), asTensor(labels)];
  const found = x.argMax({ axis: -1 });
  if (found.shape.join() !== y.shape.join()) {
    throw new ShapeError(
      `accuracy: logits have shape [${x.shape}], labels [${y.shape}]; give one label for each, of shape [${found.shape}]`,
    );
  }
  return mean(cast(equal(found, y), "float32"));
}
