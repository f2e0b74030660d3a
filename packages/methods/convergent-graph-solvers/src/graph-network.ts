import type { AttentiveMessagePassingParams } from "@offprint/graph";
import type { LinearParams } from "@offprint/nn";
import { checkOptions, requireChoice, requireInteger, tensor } from "@offprint/tensor-core";
import { decoder } from "./decoder.js";
import { type EncoderOptions, encoder, encoderOptionNames } from "./encoder.js";
import type { GraphModel, Readout } from "./model.js";

/** Options of {@link graphNetwork}. */
export interface GraphNetworkOptions extends EncoderOptions {
  /** Hops that a node sees. Default 3. */
  readonly layers?: number;
  /** Width of the last layer. Default that of the others. */
  readonly width?: number;
  /** Numbers that come out. Default 1. */
  readonly outputs?: number;
  /** Widths of the hidden layers of the decoder. Default `[64, 32]`. */
  readonly decoder?: readonly number[];
  /** Default `none`. */
  readonly readout?: Readout;
}

/** Parameters of {@link graphNetwork}. */
export interface GraphNetworkParams {
  /** Of the layers. */
  readonly encoder: readonly AttentiveMessagePassingParams[];
  /** Of the perceptron behind them. */
  readonly decoder: readonly LinearParams[];
}

/** The baseline GNN(L): the same message passing, L layers with linear outputs, and no fixed point. */
export function graphNetwork(options: GraphNetworkOptions): GraphModel<GraphNetworkParams> {
  const owner = "graphNetwork";
  checkOptions(
    owner,
    options,
    [...encoderOptionNames, "layers", "width", "outputs", "decoder", "readout"],
    ["nodeInputs", "edgeInputs"],
  );
  const { layers = 3, hidden = 64, width = hidden, outputs = 1, decoder: widths = [64, 32] } = options;
  const { readout = "none", activation = "leakyRelu", nodeInputs, edgeInputs } = options;
  requireInteger(owner, "layers", layers, 1);
  requireInteger(owner, "width", width, 1);
  requireInteger(owner, "outputs", outputs, 1);
  requireChoice(owner, "readout", readout, ["none", "sum", "mean", "max"]);
  const stack = encoder(owner, options, { layers, outputs: width, linearOutputs: true });
  const reading = decoder([width, ...widths, outputs], activation, readout);
  return {
    name: owner,
    nodeInputs,
    edgeInputs,
    outputs,
    readout,
    init: (rng, dtype) => ({ encoder: stack.init(rng, dtype), decoder: reading.init(rng, dtype) }),
    apply(params, input) {
      const { nodes } = stack.apply(params.encoder, input.nodes, input.edges, input.graph);
      const y = reading.apply(params.decoder, nodes, input);
      return { y, iterations: tensor(0), change: tensor(0), saturated: tensor(0) };
    },
  };
}
