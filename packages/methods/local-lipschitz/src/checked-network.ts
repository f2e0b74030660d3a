import {
  type FeedForward,
  foldLinear,
  type LinearPart,
  layerShapes,
  linearParts,
  type MixedActivation,
  type ScalarActivation,
} from "@offprint/networks";
import { asTensor, type Tensor, transpose, UnsupportedError } from "@offprint/tensor-core";
import { type LinearMap, linearMap } from "./linear-map.js";
import { markOfNetwork } from "./problem-mark.js";
import type { Precision } from "./rounding.js";

/** @internal A linear layer: float64 arrays, and the tensors that compiled functions take. */
export interface CheckedLayer {
  readonly rows: number;
  readonly columns: number;
  /** `[rows, columns]` */
  readonly weight: Float64Array;
  /** `[rows]` */
  readonly bias: Float64Array;
  /** `weight`, and transposed, as tensors. */
  readonly W: Tensor;
  readonly WT: Tensor;
  readonly b: Tensor;
  /** What bounds go through. */
  readonly map: LinearMap;
}

/** @internal A layer's activation: one function, or one for each neuron. */
export type NeuronwiseActivation = ScalarActivation | MixedActivation;

/** @internal Matrices and scalar activations in turn: z_k = W_k h_{k-1} + b_k, h_k = sigma_k(z_k). */
export interface CheckedNetwork {
  readonly layers: readonly CheckedLayer[];
  /** One between any two layers. */
  readonly activations: readonly NeuronwiseActivation[];
  readonly inputs: number;
  readonly outputs: number;
  /** Neurons of the hidden layers. */
  readonly widths: readonly number[];
  /** Tells its weights from others, in few letters. */
  readonly mark: string;
  /** What bounds are computed in. */
  readonly precision: Precision;
}

const known = new WeakMap<FeedForward, CheckedNetwork>();

/** @internal Checks and multiplies out. @throws UnsupportedError for activations that act on groups */
export function checkNetwork(owner: string, network: FeedForward): CheckedNetwork {
  layerShapes(network);
  const mark = markOfNetwork(network);
  const before = known.get(network);
  if (before?.mark === mark) return before;
  const layers: CheckedLayer[] = [];
  const activations: NeuronwiseActivation[] = [];
  const parts = linearParts(network);
  for (const [k, layer] of foldLinear(network).layers.entries()) {
    if (layer.kind === "linear") {
      const W = asTensor(layer.weight, "float64");
      const [rows, columns] = W.shape;
      const b = asTensor(layer.bias ?? new Float64Array(rows), "float64");
      const [weight, bias] = [W.data() as Float64Array, b.data() as Float64Array];
      const map = linearMap(W, parts[k] as LinearPart);
      layers.push({ rows, columns, weight, bias, W, WT: transpose(W), b, map });
    } else if (layer.kind === "scalar" || layer.kind === "mixed") activations.push(layer);
    else {
      throw new UnsupportedError(
        `${owner}: the activation "${layer.kind}" is no scalar function by name; give one, or take lipschitzBound of @offprint/lipsdp`,
      );
    }
  }
  const checked = {
    layers,
    activations,
    inputs: layers[0].columns,
    outputs: layers[layers.length - 1].rows,
    widths: layers.slice(0, -1).map(({ rows }) => rows),
    mark,
    precision: "float64" as const,
  };
  known.set(network, checked);
  return checked;
}
