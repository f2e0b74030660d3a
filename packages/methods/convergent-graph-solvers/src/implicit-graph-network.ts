import type { AttentiveMessagePassingParams } from "@offprint/graph";
import { type LinearParams, linear } from "@offprint/nn";
import { implicit } from "@offprint/solvers";
import {
  abs,
  add,
  arange,
  checkOptions,
  cumSum,
  div,
  expandDims,
  full,
  greater,
  less,
  linalg,
  logicalAnd,
  matmul,
  max,
  maximum,
  mul,
  relu,
  requireChoice,
  requireInteger,
  requirePositive,
  scan,
  scatterProduct,
  sign,
  sort,
  stopGradient,
  sub,
  type Tensor,
  tensor,
  transpose,
  where,
  whileLoop,
  zerosLike,
} from "@offprint/tensor-core";
import { goalAt, normOf } from "./contraction.js";
import { decoder } from "./decoder.js";
import { type EncoderOptions, encoder, encoderOptionNames } from "./encoder.js";
import type { GraphInput, GraphModel, Readout } from "./model.js";

/** Options of {@link implicitGraphNetwork}. */
export interface ImplicitGraphNetworkOptions extends EncoderOptions {
  /** Width of a state. Default 16. */
  readonly heads?: number;
  /** Layers of the encoder before its last one. Default 0. */
  readonly hiddenLayers?: number;
  /** Contraction factor, in (0, 1). Default 0.9. */
  readonly kappa?: number;
  /** Converged when a step changes no state by more, and by more than this part of the largest where that is below 1. Default 3e-6. */
  readonly tolerance?: number;
  /** Steps at most. Default 300. */
  readonly maxIterations?: number;
  /** Numbers that come out. Default 1. */
  readonly outputs?: number;
  /** Widths of the hidden layers of the decoder. Default `[64, 32]`. */
  readonly decoder?: readonly number[];
  /** Default `none`. */
  readonly readout?: Readout;
}

/** Parameters of {@link implicitGraphNetwork}. */
export interface ImplicitGraphNetworkParams {
  /** Of the layers that give U. */
  readonly encoder: readonly AttentiveMessagePassingParams[];
  /** W, `[heads, heads]`. */
  readonly recurrent: Tensor;
  /** Omega. */
  readonly input: LinearParams;
  /** Of the perceptron behind them. */
  readonly decoder: readonly LinearParams[];
}

/**
 * The baseline IGNN: `X = relu(W X A + B)` with `B = Omega (U A)` and U the encoder's output; rows of W are projected onto
 * the l1 ball of radius kappa / rho(A), so that the map is one and the same for every graph but for its radius.
 * @see Gu et al., Implicit Graph Neural Networks, NeurIPS 2020, arXiv 2009.06211
 */
export function implicitGraphNetwork(options: ImplicitGraphNetworkOptions): GraphModel<ImplicitGraphNetworkParams> {
  const owner = "implicitGraphNetwork";
  const own = ["heads", "hiddenLayers", "kappa", "tolerance", "maxIterations", "outputs", "decoder", "readout"];
  checkOptions(owner, options, [...encoderOptionNames, ...own], ["nodeInputs", "edgeInputs"]);
  const { nodeInputs, edgeInputs, heads = 16, hiddenLayers = 0, kappa = 0.9, tolerance = 3e-6 } = options;
  const { maxIterations = 300, outputs = 1, decoder: widths = [64, 32], readout = "none" } = options;
  for (const [key, value] of Object.entries({ heads, maxIterations, outputs })) requireInteger(owner, key, value, 1);
  requireInteger(owner, "hiddenLayers", hiddenLayers, 0);
  requirePositive(owner, "kappa", kappa);
  requirePositive(owner, "tolerance", tolerance);
  requireChoice(owner, "readout", readout, ["none", "sum", "mean", "max"]);
  const stack = encoder(owner, options, { layers: hiddenLayers + 1, outputs: heads, linearOutputs: true });
  const omega = linear({ inputs: heads, outputs: heads });
  const reading = decoder([heads, ...widths, outputs], options.activation ?? "leakyRelu", readout);
  return {
    name: owner,
    nodeInputs,
    edgeInputs,
    outputs,
    readout,
    init: (rng, dtype) => ({
      encoder: stack.init(rng, dtype),
      recurrent: omega.init(rng, dtype).weight,
      input: omega.init(rng, dtype),
      decoder: reading.init(rng, dtype),
    }),
    apply(params, input) {
      const { nodes: u } = stack.apply(params.encoder, input.nodes, input.edges, input.graph);
      const neighbours = adjacencyOf(input);
      const radius = div(kappa, spectralRadius(neighbours, input.graph.nodes, u.dtype));
      const { recurrent } = params;
      // The projection has no gradient of its own, as where weights are overwritten by their projection.
      const w = add(recurrent, stopGradient(sub(ontoL1Ball(recurrent, radius), recurrent)));
      const b = omega.apply(params.input, neighbours(u));
      const map = (x: Tensor, p: { w: Tensor; b: Tensor }) => relu(add(matmul(neighbours(x), transpose(p.w)), p.b));
      const fixed = { w: stopGradient(w), b: stopGradient(b) };
      const start = {
        x: zerosLike(b),
        change: tensor(Number.POSITIVE_INFINITY, { dtype: b.dtype }),
        count: tensor(0, { dtype: "int32" }),
      };
      const { x, change, count } = whileLoop(
        (state: typeof start) =>
          logicalAnd(greater(state.change, goalAt(state.x, { tolerance, stopNorm })), less(state.count, maxIterations)),
        (state: typeof start) => {
          const next = map(state.x, fixed);
          return { x: next, change: normOf(sub(next, state.x), stopNorm), count: add(state.count, 1) };
        },
        start,
      );
      const solution = implicit.withGradient<{ w: Tensor; b: Tensor }>((v, p) => sub(map(v, p), v), {
        adjoint: "contraction",
        adjointTolerance: tolerance,
      });
      const y = reading.apply(params.decoder, solution(x, { w, b }), input);
      return { y, iterations: count, change, saturated: tensor(0) };
    },
  };
}

/** `A x`: the sum over the sources of incoming edges. */
function adjacencyOf({ graph, masks, nodes }: GraphInput): (x: Tensor) => Tensor {
  const counted = expandDims(masks?.edges ?? full([graph.edges], 1, nodes.dtype), 1);
  return (x) => {
    const ones = mul(full([graph.edges, x.shape[1]], 1, x.dtype), counted);
    return scatterProduct(ones, x, graph.targets, graph.sources, graph.nodes);
  };
}

/** The norm of a change that the authors' program stops by. */
const stopNorm = "max";

/** Steps of the power iteration. */
const STEPS = 30;

/**
 * A bound from above for the spectral radius of A, near to it: the largest `(A x)_i / x_i` (Collatz and Wielandt), for the
 * x > 0 that some steps of the power iteration of A + 1 lead to.
 */
function spectralRadius(neighbours: (x: Tensor) => Tensor, nodes: number, dtype: Tensor["dtype"]): Tensor {
  const [x] = scan(
    (v: Tensor) => {
      const next = add(neighbours(v), v);
      return [div(next, linalg.norm(next)), null];
    },
    full([nodes, 1], 1 / Math.sqrt(nodes), dtype),
    arange(STEPS),
  );
  return stopGradient(maximum(max(div(neighbours(x), maximum(x, 1e-30))), 1e-6));
}

/** Rows of w projected onto the l1 ball (Duchi et al. 2008). */
export function ontoL1Ball(w: Tensor, radius: Tensor): Tensor {
  const sizes = abs(w);
  const falling = sort(sizes, { axis: 1, descending: true });
  const counts = arange(1, w.shape[1] + 1, 1, w.dtype);
  const shifts = div(sub(cumSum(falling, { axis: 1 }), radius), counts);
  const shift = maximum(
    max(where(greater(falling, shifts), shifts, Number.NEGATIVE_INFINITY), { axis: 1, keepDims: true }),
    0,
  );
  return mul(sign(w), maximum(sub(sizes, shift), 0));
}
