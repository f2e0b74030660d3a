import type { MultiBlockBilevelProblem } from "@offprint/bilevel";
import {
  add,
  arange,
  asTensor,
  broadcastTo,
  checkOptions,
  concatenate,
  div,
  expandDims,
  eye,
  matmul,
  mean,
  mul,
  ones,
  type Rng,
  requireInteger,
  requirePositive,
  ShapeError,
  sigmoid,
  special,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { requireFiniteRows } from "./finite-rows.js";

/** Examples of two classes. */
export interface BinaryExamples {
  /** `[n, p]` */
  readonly inputs: TensorLike;
  /** `[n]`, -1 or 1. */
  readonly labels: TensorLike;
}

/** Options of {@link multiScaleLogistic}. */
export interface MultiScaleLogisticOptions {
  /** The scales that margins are divided by, one for each block, > 0. Default 100, equally spaced from 1 to 11. */
  readonly scales?: readonly number[];
  /** lambda: weight of half the squared norm of the parameters, > 0. Default 0.01. */
  readonly weightDecay?: number;
  /** B: rows that each block draws, with replacement; `"all"` for every row. Default 32. */
  readonly batchSize?: number | "all";
}

/** A multi-scale problem and its models. */
export interface MultiScaleLogistic extends MultiBlockBilevelProblem<Tensor, Tensor> {
  /** The scale of each block. */
  readonly scales: readonly number[];
  /** Margins `[n]` of the model `w` `[p + 1]` of one block: positive for the class 1. */
  margins(w: Tensor, inputs: TensorLike): Tensor;
}

/**
 * Which training examples are to be trusted, whatever the scale of the loss? x has a number p_j for each, its weight is
 * `sigmoid(p_j)`; block i learns a linear model with the loss `log(1 + exp(-b w'a / scale_i))`; the mean of the losses of clean
 * validation examples over all scales says how good the weights are. Inputs get a leading 1.
 * @throws ShapeError, ValueError for data and options that are none.
 */
export function multiScaleLogistic(
  data: { readonly train: BinaryExamples; readonly validation: BinaryExamples },
  options: MultiScaleLogisticOptions = {},
): MultiScaleLogistic {
  const owner = "multiScaleLogistic";
  checkOptions(owner, options, ["scales", "weightDecay", "batchSize"]);
  const { scales = Array.from({ length: 100 }, (_, i) => 1 + (10 * i) / 99), weightDecay = 0.01 } = options;
  const { batchSize = 32 } = options;
  if (!Array.isArray(scales) || scales.length === 0)
    throw new ValueError(`${owner}: scales is empty; give at least one`);
  for (const scale of scales) requirePositive(owner, "scales", scale);
  requirePositive(owner, "weightDecay", weightDecay);
  if (batchSize !== "all") requireInteger(owner, "batchSize", batchSize, 1);
  const train = readExamples(owner, "train", data?.train);
  const validation = readExamples(owner, "validation", data?.validation);
  const [n, width] = train.inputs.shape;
  if (validation.inputs.shape[1] !== width) {
    throw new ShapeError(`${owner}: train has ${width - 1} columns and validation ${validation.inputs.shape[1] - 1}`);
  }
  const allScales = tensor(scales, { dtype: "float64" });
  // rows [I, B] of the examples, models [I, p + 1]
  const losses = (w: Tensor, blocks: Tensor, rows: Tensor, { inputs, labels }: typeof train) => {
    const margins = sum(mul(take(inputs, rows), w.reshape([w.shape[0], 1, width])), -1);
    return special.softplus(div(mul(mul(take(labels, rows), margins), -1), take(allScales, blocks).reshape([-1, 1])));
  };
  /** `mean of sigmoid(p) q (1 - q) a a' / scale^2 + lambda I`, q the chance of the label. */
  const curvature = (p: Tensor, w: Tensor, blocks: Tensor, rows: Tensor) => {
    const inputs = take(train.inputs, rows);
    const scale = take(allScales, blocks).reshape([-1, 1]);
    const chance = sigmoid(div(sum(mul(inputs, w.reshape([w.shape[0], 1, width])), -1), scale));
    const weights = div(mul(sigmoid(take(p, rows)), mul(chance, sub(1, chance))), mul(square(scale), rows.shape[1]));
    const products = matmul(swapAxes(mul(inputs, expandDims(weights, -1)), -1, -2), inputs);
    return add(products, mul(eye(width, width, "float64"), weightDecay));
  };
  const everyRow = (blocks: Tensor, count: number) => broadcastTo(arange(count), [blocks.size, count]);
  const full = (blocks: Tensor) => ({
    upper: everyRow(blocks, validation.labels.size),
    lower: everyRow(blocks, n),
  });
  return {
    scales,
    margins: (w, inputs) => sum(mul(withOne(asTensor(inputs, "float64")), w), -1),
    blocks: scales.length,
    initial: { x: zeros([n], "float64"), y: zeros([scales.length, width], "float64") },
    upper: (_, w, blocks, rows) => mean(losses(w, blocks, rows, validation), 1),
    lower: (p, w, blocks, rows) =>
      add(
        mean(mul(sigmoid(take(p, rows)), losses(w, blocks, rows, train)), 1),
        mul(sum(square(w), 1), weightDecay / 2),
      ),
    lowerHessian: curvature,
    full,
    ...(batchSize !== "all" && {
      sample: (rng: Rng, blocks: Tensor) => ({
        upper: rng.randint([blocks.size, batchSize], { high: validation.labels.size }),
        lower: rng.randint([blocks.size, batchSize], { high: n }),
      }),
    }),
  };
}

function withOne(inputs: Tensor): Tensor {
  return concatenate([ones([inputs.shape[0], 1], "float64"), inputs], 1);
}

function readExamples(owner: string, name: string, examples: BinaryExamples | undefined) {
  if (examples?.inputs === undefined || examples.labels === undefined) {
    throw new ValueError(`${owner}: ${name} has no inputs and labels; give { inputs: [n, p], labels: [n] }`);
  }
  const [inputs, labels] = [asTensor(examples.inputs, "float64"), asTensor(examples.labels, "float64")];
  if (inputs.rank !== 2 || labels.rank !== 1 || labels.size !== inputs.shape[0] || labels.size === 0) {
    throw new ShapeError(
      `${owner}: ${name} has inputs [${inputs.shape}] and labels [${labels.shape}]; give [n, p] and [n]`,
    );
  }
  requireFiniteRows(owner, name, inputs);
  const wrong = labels.data().find((label: number) => label !== 1 && label !== -1);
  if (wrong !== undefined) throw new ValueError(`${owner}: ${name} has the label ${wrong}; labels are -1 and 1`);
  return { inputs: withOne(inputs), labels };
}
