import {
  add,
  asTensor,
  averagePool,
  concatenate,
  conv,
  div,
  isTensor,
  matmul,
  maximum,
  minimum,
  mul,
  reshape,
  ShapeError,
  sort,
  split,
  sqrt,
  stack,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  UnsupportedError,
} from "@offprint/tensor-core";
import { type Activation, activationGroups, type MixedActivation, scalarParameters } from "./activation.js";
import { type FeedForward, layerShapes, weightsOf } from "./feed-forward.js";
import type { BatchNormLayer, Layer } from "./layer.js";
import { scalarFunction } from "./scalar-functions.js";

/**
 * Runs a network. Traceable: it can be differentiated by inputs and by weights, compiled and exported.
 *
 * @param x one sample, or samples `[batch, ...]`; plain arrays are read as float64
 * @returns the outputs, with the batch's axis where `x` has one
 * @throws ShapeError for samples of another shape or layers that do not fit; UnsupportedError for an activation of which
 * only slopes are known
 * @example
 * ```ts
 * import { activation, evaluate, perceptron } from "@offprint/networks";
 *
 * const network = perceptron([{ weight: [[1, 2], [0, 1]] }, { weight: [[1, -1]] }], activation("relu"));
 * console.log(String(evaluate(network, [1, 1])));
 * ```
 */
export function evaluate(network: FeedForward, x: TensorLike): Tensor {
  const [shape] = layerShapes(network);
  const inputs = isTensor(x) ? x : asTensor(x, Array.isArray(x) ? "float64" : undefined);
  const single = inputs.rank === shape.length;
  const own = single ? inputs.shape : inputs.shape.slice(1);
  if (own.length !== shape.length || own.some((n, a) => n !== shape[a])) {
    throw new ShapeError(
      `evaluate: x has shape [${inputs.shape}]; the network takes [${shape}] or [batch, ${shape.join(", ")}]`,
    );
  }
  const batch = single ? reshape(inputs, [1, ...shape]) : inputs;
  const outputs = network.layers.reduce((state, layer) => applyLayer(layer, state), batch);
  return single ? reshape(outputs, outputs.shape.slice(1)) : outputs;
}

/** @internal A layer on samples `[batch, ...]`; `homogeneous` leaves biases and shifts out. */
export function applyLayer(layer: Layer, x: Tensor, homogeneous = false): Tensor {
  const shifted = (y: Tensor, bias: TensorLike | undefined): Tensor =>
    bias === undefined || homogeneous ? y : add(y, alongChannels(weightsOf(bias, "a bias"), y.rank));
  switch (layer.kind) {
    case "linear":
      return shifted(matmul(x, transpose(weightsOf(layer.weight, "a weight"))), layer.bias);
    case "convolution": {
      const { kind: _kind, weight, bias, ...options } = layer;
      return shifted(conv(x, weightsOf(weight, "a weight"), options), bias);
    }
    case "averagePool": {
      const { kind: _kind, window, ...options } = layer;
      return averagePool(x, window, options);
    }
    case "batchNorm":
      return normalized(layer, x, homogeneous);
    case "flatten":
      return flattened(x);
    default:
      return applyActivation(layer, x);
  }
}

function flattened(x: Tensor): Tensor {
  return reshape(x, [x.shape[0], x.shape.slice(1).reduce((size, n) => size * n, 1)]);
}

function alongChannels(values: Tensor, rank: number): Tensor {
  return reshape(values, [values.size, ...new Array<number>(rank - 2).fill(1)]);
}

function normalized(layer: BatchNormLayer, x: Tensor, homogeneous: boolean): Tensor {
  const { mean, variance, scale, shift, epsilon = 1e-5 } = layer;
  const deviation = sqrt(add(weightsOf(variance, "a variance"), epsilon));
  const factor = div(scale === undefined ? 1 : weightsOf(scale, "a scale"), deviation);
  const centred = homogeneous ? x : sub(x, alongChannels(weightsOf(mean, "a mean"), x.rank));
  const scaled = mul(centred, alongChannels(factor, x.rank));
  return shift === undefined || homogeneous ? scaled : add(scaled, alongChannels(weightsOf(shift, "a shift"), x.rank));
}

/**
 * An activation on a batch of layers, `[batch, width]`, or `[batch, ...]` for scalar functions and mixtures of them. Traceable.
 *
 * @throws UnsupportedError for an activation of which only slopes are known; ValueError and ShapeError for one that does
 * not fit
 */
export function applyActivation(activation: Activation, x: TensorLike): Tensor {
  const state = asTensor(x);
  if (activation.kind === "scalar") {
    return scalarFunction(activation.name).values(state, scalarParameters(activation));
  }
  if (activation.kind === "slope") {
    throw new UnsupportedError(
      "evaluate: an activation is known by its slopes only; networks that are evaluated have activations by name",
    );
  }
  if (activation.kind === "mixed") return reshape(mixed(activation, flattened(state)), state.shape);
  const [batch, width] = state.shape;
  const { size, vectors } = activationGroups(activation, width, "evaluate: a layer");
  const groups = reshape(state, [batch, width / size, size]);
  return reshape(vectors === undefined ? sorted(groups) : reflected(groups, vectors), [batch, width]);
}

function mixed({ parts }: MixedActivation, x: Tensor): Tensor {
  activationGroups({ kind: "mixed", parts }, x.shape[1], "evaluate: a layer");
  const counts = parts.map(({ count }) => count);
  return concatenate(
    split(x, counts, 1).map((own, k) => applyActivation(parts[k].activation, own)),
    1,
  );
}

function sorted(groups: Tensor): Tensor {
  const [batch, count, size] = groups.shape;
  if (size !== 2) return sort(groups, 2);
  const [a, b] = split(groups, 2, 2).map((half) => reshape(half, [batch, count]));
  return stack([minimum(a, b), maximum(a, b)], 2);
}

/** x - 2 min(v^T x, 0) v */
function reflected(groups: Tensor, vectors: readonly Float64Array[]): Tensor {
  const size = vectors[0].length;
  const v = tensor(Float64Array.from(vectors.flatMap((vector) => [...vector])), { shape: [vectors.length, size] });
  const along = sum(mul(groups, v), 2, { keepDims: true });
  return sub(groups, mul(mul(minimum(along, 0), 2), v));
}
