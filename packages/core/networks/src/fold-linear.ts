import { isTensor, reshape, type Tensor, tensor, transpose, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { type Activation, isActivation } from "./activation.js";
import { applyLayer } from "./evaluate.js";
import { type FeedForward, layerShapes, weightsOf } from "./feed-forward.js";
import { type Layer, type LinearLayer, linear } from "./layer.js";

/** Most numbers of a matrix or of what it is pushed through, 512 MiB. */
const MOST_NUMBERS = 2 ** 26;

/**
 * The same network with all linear layers in a row multiplied out, in float64: a matrix and a bias, an activation, a matrix,
 * and so on, beginning and ending with a matrix. Convolutions, poolings and batch normalisations become matrices on
 * flattened samples; between activations in a row, and at ends, stand identities.
 *
 * @throws ShapeError for layers that do not fit each other; ValueError for weights that are not finite; UnsupportedError for
 * matrices of more than 2^26 numbers
 * @example
 * ```ts
 * import { activation, convolution, flatten, foldLinear } from "@offprint/networks";
 *
 * const kernel = [[[1, -1]]];
 * const { layers } = foldLinear({ inputShape: [1, 3], layers: [convolution(kernel), activation("relu"), flatten()] });
 * console.log(layers.map(({ kind }) => kind)); // [ 'linear', 'scalar', 'linear' ]
 * ```
 */
export function foldLinear(network: FeedForward): FeedForward {
  const layers = linearParts(network).map((part) => (part.kind === "part" ? multipliedOut(part) : part));
  return { inputShape: [countOf(layerShapes(network)[0])], layers };
}

/** The linear layers between two activations, or before the first or behind the last; there may be none. */
export interface LinearPart {
  /** Tells it from activations. */
  readonly kind: "part";
  /** With weights that are finite float64 tensors. */
  readonly layers: readonly Layer[];
  /** Shapes of a sample before each layer and behind the last. */
  readonly shapes: readonly (readonly number[])[];
}

/**
 * The linear layers of a network as they are, part and activation in turn, beginning and ending with a part: what
 * `foldLinear` multiplies out, for methods to which a convolution is less work than its matrix.
 *
 * @throws ShapeError for layers that do not fit each other; ValueError for weights that are not finite
 * @example
 * ```ts
 * import { activation, applyLinear, linearParts, perceptron } from "@offprint/networks";
 * import { tensor } from "@offprint/tensor-core";
 *
 * const parts = linearParts(perceptron([{ weight: [[1, 2]], bias: [3] }, { weight: [[1], [4]] }], activation("relu")));
 * console.log(parts.map(({ kind }) => kind)); // [ 'part', 'scalar', 'part' ]
 * const [first] = parts;
 * if (first.kind === "part") console.log(String(applyLinear(first.layers, tensor([[1, 1]], { dtype: "float64" }))));
 * ```
 */
export function linearParts(network: FeedForward): (LinearPart | Activation)[] {
  const shapes = layerShapes(network);
  const found: (LinearPart | Activation)[] = [];
  let layers: Layer[] = [];
  for (const [k, layer] of [...network.layers, undefined].entries()) {
    if (layer !== undefined && !isActivation(layer)) {
      layers.push(withFloat64(layer, `layer ${k + 1}`));
      continue;
    }
    found.push({ kind: "part", layers, shapes: shapes.slice(k - layers.length, k + 1) });
    if (layer !== undefined) found.push(layer);
    layers = [];
  }
  return found;
}

/**
 * Linear layers on samples `[batch, ...]`, without their biases and shifts. Traceable.
 *
 * @throws ValueError where layers is no array
 */
export function applyLinear(layers: readonly Layer[], x: Tensor): Tensor {
  if (!Array.isArray(layers)) throw new ValueError("applyLinear: layers is no array; give those of a part");
  return layers.reduce((state, layer) => applyLayer(layer, state, true), x);
}

const countOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);

/** The affine map of some layers, from the images of all unit vectors. */
function multipliedOut({ layers: exact, shapes }: LinearPart): LinearLayer {
  const inputs = countOf(shapes[0]);
  const outputs = countOf(shapes[shapes.length - 1]);
  const numbers = inputs * Math.max(...shapes.map(countOf));
  if (!(numbers <= MOST_NUMBERS)) {
    throw new UnsupportedError(
      `foldLinear: layers of ${inputs} inputs need ${numbers} numbers written out, more than ${MOST_NUMBERS}; only smaller networks are`,
    );
  }
  const [first, ...rest] = exact;
  const byFirst = first?.kind === "linear";
  let columns: Tensor = byFirst ? transpose(first.weight as Tensor) : unitVectors(shapes[0]);
  let zero: Tensor = tensor(new Float64Array(inputs), { shape: [1, ...shapes[0]] });
  if (byFirst) zero = applyLayer(first, zero);
  const remaining = byFirst ? rest : exact;
  columns = applyLinear(remaining, columns);
  for (const layer of remaining) zero = applyLayer(layer, zero);
  return linear(transpose(reshape(columns, [inputs, outputs])), reshape(zero, [outputs]));
}

function unitVectors(shape: readonly number[]): Tensor {
  const n = countOf(shape);
  const values = new Float64Array(n * n);
  for (let i = 0; i < n; i++) values[i * (n + 1)] = 1;
  return tensor(values, { shape: [n, ...shape] });
}

/** @internal A layer with weights that are finite float64 tensors. */
export function withFloat64(layer: Layer, owner: string): Layer {
  if (isActivation(layer)) return layer;
  const entries = Object.entries(layer).map(([key, value]) => {
    if (!weightNames.has(key) || value === undefined) return [key, value];
    const exact = weightsOf(value, `the ${key} of ${owner}`).cast("float64");
    if (isTensor(exact) && !exact.data().every(Number.isFinite)) {
      throw new ValueError(`network: the ${key} of ${owner} holds a value that is not finite`);
    }
    return [key, exact];
  });
  return Object.fromEntries(entries) as Layer;
}

const weightNames = new Set(["weight", "bias", "mean", "variance", "scale", "shift"]);
