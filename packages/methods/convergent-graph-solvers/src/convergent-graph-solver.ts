import type { AttentiveMessagePassingParams, EdgeList } from "@offprint/graph";
import type { FloatType, LinearParams } from "@offprint/nn";
import {
  checkOptions,
  expandDims,
  mean,
  mul,
  type Rng,
  requireChoice,
  requireInteger,
  ShapeError,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { contractingWeights, saturated, type WeightOptions } from "./contracting-weights.js";
import { type ContractionOptions, checkedContraction, contraction } from "./contraction.js";
import { type Decoder, decoder, decoderBy, type OwnDecoder } from "./decoder.js";
import { type EncoderOptions, encoder, encoderOptionNames } from "./encoder.js";
import type { GraphModel, Readout } from "./model.js";

/** What an encoder gives: the maps whose fixed points are sought. */
export interface MapsOfHeads {
  /** `[nodes, heads]` */
  readonly bias: Tensor;
  /** `[edges, heads]` */
  readonly logits: Tensor;
}

/** An encoder of one's own. */
export interface OwnEncoder<E> {
  /** Draws initial parameters, a tree of tensors. */
  init(rng: Rng, dtype?: FloatType): E;
  /** Bias and logits from features, in operations of tensors. */
  apply(params: E, graph: EdgeList, nodes: Tensor, edges: Tensor): MapsOfHeads;
}

/** Options of {@link convergentGraphSolver}. */
export interface ConvergentGraphSolverOptions<E = readonly AttentiveMessagePassingParams[], D = readonly LinearParams[]>
  extends EncoderOptions,
    Omit<ContractionOptions, "activation">,
    Pick<WeightOptions, "squash" | "normalise"> {
  /** Numbers that come out. Default 1. */
  readonly outputs?: number;
  /** Maps that are iterated side by side. Default 16. */
  readonly heads?: number;
  /** Layers of the encoder before its last one. Default 0. */
  readonly hiddenLayers?: number;
  /** Widths of the hidden layers of the decoder, or a decoder of one's own. Default `[64, 32]`. */
  readonly decoder?: readonly number[] | OwnDecoder<D>;
  /** Default `none`: a value for each node. */
  readonly readout?: Readout;
  /** Of the fixed point's map. Default `identity`, the model of the paper. */
  readonly stateActivation?: ContractionOptions["activation"];
  /** In place of the attentive message passing. */
  readonly encoder?: OwnEncoder<E>;
}

/** Parameters of {@link convergentGraphSolver}. */
export interface ConvergentGraphSolverParams<
  E = readonly AttentiveMessagePassingParams[],
  D = readonly LinearParams[],
> {
  /** Of the layers that give bias and logits. */
  readonly encoder: E;
  /** Of what reads the fixed points. */
  readonly decoder: D;
}

const names = [
  ...encoderOptionNames,
  ...["gamma", "flow", "tolerance", "maxIterations", "stopNorm", "allowNonContractive", "squash", "normalise"],
  ...["outputs", "heads", "hiddenLayers", "decoder", "readout", "stateActivation", "encoder"],
];

/**
 * A convergent graph solver: an encoder gives every head a map `T(h) = gamma A h + b` that depends on the graph and
 * contracts by construction; a decoder reads the fixed points. Whatever its weights are, there is one fixed point, found
 * in a number of iterations that does not depend on the size of the graph.
 * @example
 * const model = convergentGraphSolver({ nodeInputs: 2, edgeInputs: 3, gamma: 0.9 });
 * const params = model.init(random.rng(0));
 * @see Park, Choo and Park, ICLR 2022, arXiv 2106.01680
 */
export function convergentGraphSolver<E = readonly AttentiveMessagePassingParams[], D = readonly LinearParams[]>(
  options: ConvergentGraphSolverOptions<E, D>,
): GraphModel<ConvergentGraphSolverParams<E, D>> {
  const owner = "convergentGraphSolver";
  checkOptions(owner, options, names, ["nodeInputs", "edgeInputs"]);
  const { heads = 16, outputs = 1, hiddenLayers = 0, decoder: read = [64, 32], readout = "none" } = options;
  const { squash = "clip", normalise = "degree", activation = "leakyRelu", nodeInputs, edgeInputs } = options;
  requireInteger(owner, "heads", heads, 1);
  requireInteger(owner, "outputs", outputs, 1);
  requireInteger(owner, "hiddenLayers", hiddenLayers, 0);
  requireChoice(owner, "squash", squash, ["clip", "sigmoid"]);
  requireChoice(owner, "normalise", normalise, ["degree", "attention"]);
  requireChoice(owner, "readout", readout, ["none", "sum", "mean", "max"]);
  const { gamma, flow, tolerance, maxIterations, stopNorm, allowNonContractive, stateActivation } = options;
  const settings: ContractionOptions = {
    ...(gamma !== undefined && { gamma }),
    ...(flow !== undefined && { flow }),
    ...(tolerance !== undefined && { tolerance }),
    ...(maxIterations !== undefined && { maxIterations }),
    ...(stopNorm !== undefined && { stopNorm }),
    ...(allowNonContractive !== undefined && { allowNonContractive }),
    ...(stateActivation !== undefined && { activation: stateActivation }),
  };
  checkedContraction(owner, settings, 1);
  const maps = options.encoder ?? (attentive(owner, options, heads) as OwnEncoder<unknown> as OwnEncoder<E>);
  const reading =
    "apply" in read
      ? decoderBy(read, readout)
      : (decoder([heads, ...read, outputs], activation, readout) as Decoder<unknown> as Decoder<D>);
  return {
    name: owner,
    nodeInputs,
    edgeInputs,
    outputs,
    readout,
    init: (rng, dtype) => ({ encoder: maps.init(rng, dtype), decoder: reading.init(rng, dtype) }),
    apply(params, input) {
      const { graph, nodes, edges, masks } = input;
      const { bias, logits } = maps.apply(params.encoder, graph, nodes, edges);
      if (bias.shape.join() !== `${graph.nodes},${heads}` || logits.shape.join() !== `${graph.edges},${heads}`) {
        throw new ShapeError(
          `${owner}: the encoder gave bias [${bias.shape}] and logits [${logits.shape}]; they must be ` +
            `[${graph.nodes}, ${heads}] and [${graph.edges}, ${heads}]`,
        );
      }
      const weights = contractingWeights(graph, logits, {
        squash,
        normalise,
        ...(flow !== undefined && { flow }),
        ...(masks && { edgeMask: masks.edges }),
      });
      const counted = masks === undefined ? bias : mul(bias, expandDims(masks.nodes, 1));
      const { h, iterations, change } = contraction(graph, weights, counted, settings);
      const lost = squash === "clip" && normalise === "degree" ? mean(saturated(logits)) : tensor(0);
      const y = reading.apply(params.decoder, h, input);
      if (y.rank !== 2 || y.shape[1] !== outputs) {
        throw new ShapeError(`${owner}: the decoder gave [${y.shape}]; it must be [rows, ${outputs}], the outputs`);
      }
      return { y, iterations, change, saturated: lost };
    },
  };
}

/** The encoder of the paper. Its perceptrons end linearly where logits go through the logistic function. */
function attentive<E, D>(
  owner: string,
  options: ConvergentGraphSolverOptions<E, D>,
  heads: number,
): OwnEncoder<readonly AttentiveMessagePassingParams[]> {
  const linearOutputs = options.squash === "sigmoid" || options.normalise === "attention";
  const layers = (options.hiddenLayers ?? 0) + 1;
  const stack = encoder(owner, options, { layers, outputs: heads, linearOutputs });
  return {
    init: (rng, dtype) => stack.init(rng, dtype),
    apply(params, graph, nodes, edges) {
      const made = stack.apply(params, nodes, edges, graph);
      return { bias: made.nodes, logits: made.edges };
    },
  };
}
