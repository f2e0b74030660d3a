import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { projections } from "@offprint/solvers";
import {
  add,
  cast,
  checkOptions,
  exp,
  isTensor,
  log1p,
  matmul,
  mean,
  mul,
  neg,
  requireChoice,
  requirePositive,
  ShapeError,
  sigmoid,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  where,
  zeros,
} from "@offprint/tensor-core";

/** Examples of two classes. */
export interface SvmExamples {
  /** `[n, d]` */
  readonly features: TensorLike;
  /** `[n]`, 1 or -1. */
  readonly labels: TensorLike;
}

/** What a support vector machine learns from, and what its costs are judged by. */
export interface SvmData {
  /** The examples that it learns from. */
  readonly train: SvmExamples;
  /** The examples that the costs are chosen by. */
  readonly validation: SvmExamples;
}

/** Options of {@link svmHyperParameters}. */
export interface SvmOptions {
  /** A cost for each training example, which finds wrong labels too, or one for all. Default `example`. */
  readonly per?: "example" | "all";
  /** kappa, > 0: costs are `e^(kappa x)`, so that x moves by less. Default 3. */
  readonly costScale?: number;
  /** Logarithms of costs stay within this of 0, > 0. Default 5. */
  readonly logCostLimit?: number;
  /** Mean validation loss: `log(1 + e^-margin)`, or the paper's bounded one of the margin over |w|. Default `logistic`. */
  readonly loss?: "logistic" | "leaky";
}

/** A support vector machine as a problem: y is `(w, b, xi)`, `[d + 1 + n]`. */
export interface SvmProblem extends ConstrainedBilevelProblem<Tensor, Tensor> {
  /** Takes y apart. */
  split(y: Tensor): { readonly weights: Tensor; readonly bias: Tensor; readonly slacks: Tensor };
  /** `w' a + b` for rows of features, `[n]`. */
  decide(y: Tensor, features: TensorLike): Tensor;
  /** The costs of the training examples, `[n]`. */
  costs(x: Tensor): Tensor;
}

/**
 * Which costs make a support vector machine generalise? x holds their logarithms over kappa; the lower problem is
 * `|w|^2 / 2 + sum of cost_i xi_i^2 / 2` under `xi_i >= 1 - label_i (w' a_i + b)`; the validation examples say how good they
 * are. Pairs are projected exactly: x on its box, y on the set of soft margins.
 * @throws ShapeError, ValueError for data and options that are none.
 * @example
 * const { x, y } = await lvHba(svmHyperParameters({ train, validation }), { maxIterations: 2000 });
 */
export function svmHyperParameters(data: SvmData, options: SvmOptions = {}): SvmProblem {
  const owner = "svmHyperParameters";
  checkOptions(owner, options, ["per", "costScale", "logCostLimit", "loss"]);
  const { per = "example", costScale = 3, logCostLimit = 5, loss = "logistic" } = options;
  requireChoice(owner, "per", per, ["example", "all"]);
  requireChoice(owner, "loss", loss, ["logistic", "leaky"]);
  requirePositive(owner, "costScale", costScale);
  requirePositive(owner, "logCostLimit", logCostLimit);
  const train = readExamples(owner, "train", data?.train);
  const validation = readExamples(owner, "validation", data?.validation);
  const [n, d] = train.features.shape;
  if (validation.features.shape[1] !== d) {
    throw new ShapeError(
      `${owner}: train has ${d} features and validation ${validation.features.shape[1]}; give the same ones to both`,
    );
  }
  const margins = projections.softMarginSet(train);
  const box = projections.box(-logCostLimit / costScale, logCostLimit / costScale);
  const split = (y: Tensor) => ({
    weights: slice(y, [{ stop: d }]),
    bias: slice(y, [{ start: d, stop: d + 1 }]),
    slacks: slice(y, [{ start: d + 1 }]),
  });
  const decide = (y: Tensor, features: TensorLike) => {
    const { weights, bias } = split(y);
    return add(matmul(asRows(features), weights), bias);
  };
  const costs = (x: Tensor) => mul(exp(mul(x, costScale)), tensor(new Float64Array(n).fill(1), { dtype: "float64" }));
  return {
    initial: { x: zeros([per === "all" ? 1 : n], "float64"), y: zeros([d + 1 + n], "float64") },
    upper(_, y) {
      const margin = mul(validation.labels, decide(y, validation.features));
      if (loss === "logistic") return mean(softplus(neg(margin)));
      const length = sqrt(add(sum(square(split(y).weights)), 1e-12));
      const bounded = sub(mul(sigmoid(mul(margin.div(length), -5)), 2), 1);
      return mean(where(bounded.greater(0), bounded, mul(bounded, 0.01)));
    },
    lower(x, y) {
      const { weights, slacks } = split(y);
      return mul(add(sum(square(weights)), sum(mul(costs(x), square(slacks)))), 0.5);
    },
    constraints: (_, y) => sub(sub(1, split(y).slacks), mul(train.labels, decide(y, train.features))),
    project: { x: box },
    projectJointly: (x, y) => ({ x: box(x), y: margins(y) }),
    split,
    decide,
    costs,
  };
}

/** `log(1 + e^v)` without overflow. */
function softplus(v: Tensor): Tensor {
  return add(where(v.greater(0), v, 0), log1p(exp(neg(v.abs()))));
}

function asRows(x: TensorLike): Tensor {
  return isTensor(x) ? x : tensor(x, { dtype: "float64" });
}

function readExamples(owner: string, name: string, examples: SvmExamples | undefined) {
  const { features: given, labels: marks } = examples ?? {};
  if (given === undefined || marks === undefined) {
    throw new ValueError(
      `${owner}: ${name} has no features and labels; give { features: [n, d], labels: [n] of 1 and -1 }`,
    );
  }
  const features = asRows(given);
  const labels = isTensor(marks) ? cast(marks, "float64") : tensor(marks, { dtype: "float64" });
  if (features.rank !== 2 || labels.rank !== 1 || features.shape[0] !== labels.size || labels.size === 0) {
    throw new ShapeError(
      `${owner}: ${name} has features of shape [${features.shape}], labels [${labels.shape}]; give [n, d], [n]`,
    );
  }
  const other = labels.data().find((v: number) => v !== 1 && v !== -1);
  if (other !== undefined) throw new ValueError(`${owner}: ${name} has the label ${other}; labels are 1 and -1`);
  if (!features.data().every((v: number) => Number.isFinite(v))) {
    throw new ValueError(`${owner}: ${name} has features that are not finite; remove or replace them first`);
  }
  return { features, labels };
}
