import { type OnnxGraph, type OnnxReadOptions, readOnnxGraph } from "@offprint/onnx-format";
import { checkOptions, FormatError, requireObject, ValueError } from "@offprint/tensor-core";
import type { FeedForward } from "./feed-forward.js";
import { withFloat64 } from "./fold-linear.js";
import { chainOfLayers } from "./onnx/chain-of-layers.js";
import { fileGraph } from "./onnx/file-graph.js";
import { tracedNetwork } from "./onnx/traced-network.js";

/**
 * Reads a feed-forward network from an .onnx file. A graph that is a chain of layers (Gemm, Conv, AveragePool,
 * BatchNormalization, Flatten, scalar activations, ...) keeps them. Any other graph is followed neuron by neuron for one
 * sample: linear operators are multiplied out in float64, maxima over windows become ReLUs, and MaxMin and GroupSort are found however they are written with
 * Max, Min, TopK and movements.
 *
 * @param model the bytes of the file, or a graph from `readOnnxGraph`
 * @param options.externalData bytes of the files beside the model in which its weights lie, as newer PyTorch writes them by
 * default: `{ "model.onnx.data": bytes }`
 * @throws FormatError for bytes that are no ONNX model; UnsupportedError, naming the operator, for anything that is not
 * such a network, and for weights in a file that is not given
 * @example
 * ```ts no-run
 * import { readFile } from "node:fs/promises";
 * import { evaluate, fromOnnx } from "@offprint/networks";
 *
 * const network = fromOnnx(await readFile("model.onnx"));
 * console.log(network.layers.map(({ kind }) => kind));
 * ```
 */
export function fromOnnx(model: Uint8Array | OnnxGraph, options: OnnxReadOptions = {}): FeedForward {
  requireObject("fromOnnx", "model", model, "a Uint8Array or an OnnxGraph");
  checkOptions("fromOnnx", options, ["externalData"]);
  if (!(model instanceof Uint8Array) && options.externalData !== undefined) {
    throw new ValueError(
      "fromOnnx: externalData is for the bytes of a file; give it to readOnnxGraph, whose graph this is",
    );
  }
  const graph = fileGraph(model instanceof Uint8Array ? readOnnxGraph(model, options) : model);
  const network = chainOfLayers(graph) ?? tracedNetwork(graph);
  return { ...network, layers: network.layers.map((layer, k) => checkedLayer(layer, k)) };
}

function checkedLayer(layer: FeedForward["layers"][number], k: number) {
  try {
    return withFloat64(layer, `layer ${k + 1}`);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new FormatError(`fromOnnx: ${error.message}; the file is damaged`);
  }
}
