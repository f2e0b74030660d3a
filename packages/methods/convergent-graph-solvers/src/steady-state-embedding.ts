import { collect, gatherSources } from "@offprint/graph";
import { type LinearParams, linear } from "@offprint/nn";
import {
  add,
  checkOptions,
  concatenate,
  expandDims,
  full,
  greater,
  less,
  logicalAnd,
  mul,
  relu,
  requireChoice,
  requireInteger,
  requirePositive,
  stopGradient,
  sub,
  type Tensor,
  tensor,
  tree,
  whileLoop,
  zeros,
} from "@offprint/tensor-core";
import { goalAt, normOf } from "./contraction.js";
import { decoder } from "./decoder.js";
import type { EncoderOptions } from "./encoder.js";
import type { GraphInput, GraphModel, Readout } from "./model.js";

/** Options of {@link steadyStateEmbedding}. */
export interface SteadyStateOptions extends Pick<EncoderOptions, "nodeInputs" | "edgeInputs" | "activation"> {
  /** Width of a state. Default 16. */
  readonly heads?: number;
  /** Width of the map's hidden layer. Default 64. */
  readonly hidden?: number;
  /** Part of the map that a step takes in. Default 0.1. */
  readonly alpha?: number;
  /** Converged when a step changes the states, in the 2-norm, by less, and by less than this part of them where they are below 1. Default 1e-5. */
  readonly tolerance?: number;
  /** Steps at most, without a gradient. Default 20. */
  readonly maxIterations?: number;
  /** Numbers that come out. Default 1. */
  readonly outputs?: number;
  /** Widths of the hidden layers of the decoder. Default `[64, 32]`. */
  readonly decoder?: readonly number[];
  /** Default `none`. */
  readonly readout?: Readout;
}

/** Parameters of {@link steadyStateEmbedding}. */
export interface SteadyStateParams {
  /** W1. */
  readonly inner: LinearParams;
  /** W2. */
  readonly outer: LinearParams;
  /** Of the perceptron behind them. */
  readonly decoder: readonly LinearParams[];
}

/** The norm of a change. */
const stopNorm = "frobenius";

const names = [
  ...["nodeInputs", "edgeInputs", "activation", "heads", "hidden", "alpha", "tolerance", "maxIterations", "outputs"],
  ...["decoder", "readout"],
];

/**
 * The baseline SSE: `h <- (1 - alpha) h + alpha W2 relu(W1 [x_i, sum over e into i of [x_i, z_e, h_source]])`, iterated
 * without a gradient, then once with it. Nothing makes it converge.
 * @see Dai et al., Learning Steady-States of Iterative Algorithms over Graphs, ICML 2018
 */
export function steadyStateEmbedding(options: SteadyStateOptions): GraphModel<SteadyStateParams> {
  const owner = "steadyStateEmbedding";
  checkOptions(owner, options, names, ["nodeInputs", "edgeInputs"]);
  const { nodeInputs, edgeInputs, heads = 16, hidden = 64, alpha = 0.1, tolerance = 1e-5 } = options;
  const { maxIterations = 20, outputs = 1, decoder: widths = [64, 32], readout = "none" } = options;
  for (const [key, value] of Object.entries({ nodeInputs, edgeInputs, heads, hidden, maxIterations, outputs })) {
    requireInteger(owner, key, value, 1);
  }
  requirePositive(owner, "alpha", alpha);
  requirePositive(owner, "tolerance", tolerance);
  requireChoice(owner, "readout", readout, ["none", "sum", "mean", "max"]);
  const inner = linear({ inputs: 2 * nodeInputs + edgeInputs + heads, outputs: hidden });
  const outer = linear({ inputs: hidden, outputs: heads });
  const reading = decoder([heads, ...widths, outputs], options.activation ?? "leakyRelu", readout);
  const mapOf = (input: GraphInput) => {
    const { graph, nodes, edges, masks } = input;
    const counted = expandDims(masks?.edges ?? full([graph.edges], 1, nodes.dtype), 1);
    // What does not depend on the state is put together once.
    const degree = collect(graph, counted);
    const fixed = concatenate([nodes, mul(nodes, degree), collect(graph, mul(edges, counted))], 1);
    return (params: Pick<SteadyStateParams, "inner" | "outer">, h: Tensor): Tensor => {
      const arrived = collect(graph, mul(gatherSources(graph, h), counted));
      const moved = outer.apply(params.outer, relu(inner.apply(params.inner, concatenate([fixed, arrived], 1))));
      return add(mul(h, 1 - alpha), mul(moved, alpha));
    };
  };
  return {
    name: owner,
    nodeInputs,
    edgeInputs,
    outputs,
    readout,
    init: (rng, dtype) => ({
      inner: inner.init(rng, dtype),
      outer: outer.init(rng, dtype),
      decoder: reading.init(rng, dtype),
    }),
    apply(params, input) {
      const map = mapOf(input);
      const fixed = tree.map((x: Tensor) => stopGradient(x), { inner: params.inner, outer: params.outer });
      const { dtype } = params.outer.weight;
      const start = {
        h: zeros([input.graph.nodes, heads], dtype),
        change: tensor(Number.POSITIVE_INFINITY, { dtype }),
        count: tensor(0, { dtype: "int32" }),
      };
      const { h, change, count } = whileLoop(
        (state: typeof start) =>
          logicalAnd(greater(state.change, goalAt(state.h, { tolerance, stopNorm })), less(state.count, maxIterations)),
        (state: typeof start) => {
          const next = map(fixed, state.h);
          return { h: next, change: normOf(sub(next, state.h), stopNorm), count: add(state.count, 1) };
        },
        start,
      );
      const states = map(params, stopGradient(h));
      return { y: reading.apply(params.decoder, states, input), iterations: count, change, saturated: tensor(0) };
    },
  };
}
