import {
  asTensor,
  checkOptions,
  requireNonNegative,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type Activation, activationGroups, isActivation } from "./activation.js";
import type { BatchNormLayer, Layer } from "./layer.js";
import { windowedShape } from "./windowed-shape.js";

/** A network without branches: each layer takes what the one before it gives. */
export interface FeedForward {
  /** Shape of one sample, `[features]` or `[channels, ...spatial]`. Default: the columns of a first linear layer. */
  readonly inputShape?: readonly number[];
  /** At least one. */
  readonly layers: readonly Layer[];
}

/** Weights of a linear layer. */
export interface Affine {
  /** `[out, in]` */
  readonly weight: TensorLike;
  /** `[out]`; default 0. */
  readonly bias?: TensorLike;
}

/**
 * A network of linear layers with an activation between any two.
 *
 * @param activations one for all hidden layers, or one for each
 * @throws ValueError where their numbers do not fit
 * @example
 * ```ts
 * import { activation, perceptron } from "@offprint/networks";
 *
 * const network = perceptron([{ weight: [[1, 2], [0, 1]] }, { weight: [[1, -1]] }], activation("relu"));
 * console.log(network.layers.length); // 3
 * ```
 */
export function perceptron(layers: readonly Affine[], activations: Activation | readonly Activation[]): FeedForward {
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new ValueError("perceptron: there are no layers; give at least one with a weight");
  }
  const each = Array.isArray(activations)
    ? (activations as readonly Activation[])
    : layers.slice(1).map(() => activations as Activation);
  if (each.length !== layers.length - 1) {
    throw new ValueError(
      `perceptron: ${each.length} activations for ${layers.length - 1} hidden layers; give one for each, or one for all`,
    );
  }
  return {
    layers: layers.flatMap(({ weight, bias }, k): Layer[] => [
      ...(k === 0 ? [] : [each[k - 1]]),
      { kind: "linear", weight, ...(bias === undefined ? {} : { bias }) },
    ]),
  };
}

/** @internal Weights as tensors; plain numbers keep their float64 digits. */
export function weightsOf(x: TensorLike, name: string): Tensor {
  if (x === undefined || x === null) throw new ValueError(`network: ${name} is missing`);
  return asTensor(x, Array.isArray(x) ? "float64" : undefined);
}

/**
 * The shapes of one sample between the layers of a network: what each takes, and at the end what the last one gives.
 *
 * @throws ShapeError for layers that do not fit each other; ValueError for what is no network
 */
export function layerShapes(network: FeedForward): number[][] {
  if (!Array.isArray(network?.layers) || network.layers.length === 0) {
    throw new ValueError("network: layers is empty; give at least one");
  }
  checkOptions("network", network, ["layers", "inputShape"]);
  const shapes = [inputShapeOf(network)];
  for (const [k, layer] of network.layers.entries()) shapes.push(outputShape(layer, shapes[k], `layer ${k + 1}`));
  return shapes;
}

/** Most axes of a sample: channels and three of space. */
const LARGEST_RANK = 4;

function inputShapeOf({ inputShape, layers }: FeedForward): number[] {
  const [first] = layers;
  if (inputShape === undefined) {
    if (first?.kind !== "linear") {
      throw new ValueError(
        `network: the first layer is "${first?.kind}", which takes samples of any shape; give inputShape`,
      );
    }
    return [matrixShape(first.weight, "the weight of layer 1")[1]];
  }
  if (
    !Array.isArray(inputShape) ||
    inputShape.length < 1 ||
    inputShape.length > LARGEST_RANK ||
    !inputShape.every((n) => Number.isSafeInteger(n) && n >= 1)
  ) {
    throw new ShapeError(
      `network: inputShape is [${String(inputShape)}]; give [features] or [channels, ...spatial] of integers >= 1`,
    );
  }
  return [...inputShape];
}

/** What layers hold, by kind; a field of another name would do nothing. */
const fields: Readonly<Record<string, readonly string[]>> = {
  linear: ["weight", "bias"],
  convolution: ["weight", "bias", "strides", "padding", "dilation", "groups"],
  averagePool: ["window", "strides", "padding", "countIncludePad"],
  batchNorm: ["mean", "variance", "scale", "shift", "epsilon"],
  flatten: [],
  scalar: ["name", "parameters"],
  slope: ["alpha", "beta"],
  maxmin: [],
  groupsort: ["groupSize"],
  fullsort: [],
  householder: ["v"],
  mixed: ["parts"],
} satisfies Readonly<Record<Layer["kind"], readonly string[]>>;

function outputShape(layer: Layer, shape: readonly number[], owner: string): number[] {
  const known = Object.hasOwn(fields, String(layer?.kind)) ? fields[layer.kind] : undefined;
  if (known !== undefined) checkOptions(`network: ${owner}`, layer, ["kind", ...known]);
  switch (layer?.kind) {
    case "linear": {
      const [rows, columns] = matrixShape(layer.weight, `the weight of ${owner}`);
      if (shape.length !== 1) {
        throw new ShapeError(`network: ${owner} is linear and takes vectors, got shape [${shape}]; flatten before it`);
      }
      if (columns !== shape[0]) {
        throw new ShapeError(`network: ${owner} takes ${columns} values, and ${shape[0]} come before it`);
      }
      requireLength(layer.bias, rows, `the bias of ${owner}`);
      return [rows];
    }
    case "convolution": {
      const weight = weightsOf(layer.weight, `the weight of ${owner}`);
      requireLength(layer.bias, weight.shape[0], `the bias of ${owner}`);
      return windowedShape(layer, shape, weight.shape, owner);
    }
    case "averagePool":
      return windowedShape(layer, shape, undefined, owner);
    case "batchNorm":
      for (const name of ["mean", "variance", "scale", "shift"] as const) {
        if (name === "mean" || name === "variance") weightsOf(layer[name] as TensorLike, `the ${name} of ${owner}`);
        requireLength(layer[name], shape[0], `the ${name} of ${owner}`);
      }
      requireVariances(layer, owner);
      return [...shape];
    case "flatten":
      return [shape.reduce((size, n) => size * n, 1)];
    case undefined:
      throw new ValueError(`network: ${owner} has no kind; make layers by linear, convolution, activation, ...`);
    default: {
      if (!isActivation(layer)) {
        throw new ValueError(
          `network: ${owner} has the kind "${String((layer as Layer).kind)}"; layers are linear, convolution, averagePool, batchNorm, flatten or activations`,
        );
      }
      // Parts of a mixed activation are counted along the flattened sample.
      const width = layer.kind === "mixed" ? shape.reduce((size, n) => size * n, 1) : shape[0];
      const { size } = activationGroups(layer, width, `network: ${owner}`);
      if (size > 1 && shape.length > 1) {
        throw new ShapeError(`network: ${owner} acts on parts of a vector, got shape [${shape}]; flatten before it`);
      }
      return [...shape];
    }
  }
}

function requireVariances({ variance, epsilon = 1e-5 }: BatchNormLayer, owner: string): void {
  const values = weightsOf(variance, `the variance of ${owner}`);
  requireNonNegative(`network: ${owner}`, "epsilon", epsilon);
  // Those of a network that is traced cannot be looked into.
  if (values.storage.kind !== "host" || values.data().every((v: number) => v + epsilon > 0)) return;
  throw new ValueError(
    `network: ${owner} has a variance that is not positive with its epsilon ${epsilon}; give variances`,
  );
}

function matrixShape(x: TensorLike, name: string): readonly [number, number] {
  const { rank, size, shape } = weightsOf(x, name);
  if (rank !== 2 || size === 0) {
    throw new ShapeError(`network: ${name} must be a matrix that is not empty, got shape [${shape}]`);
  }
  return [shape[0], shape[1]];
}

function requireLength(x: TensorLike | undefined, length: number, name: string): void {
  if (x === undefined) return;
  const { rank, shape } = weightsOf(x, name);
  if (rank !== 1 || shape[0] !== length) {
    throw new ShapeError(`network: ${name} must have shape [${length}], got [${shape}]`);
  }
}
