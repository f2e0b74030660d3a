import type { EdgeList } from "@offprint/graph";
import { implicit } from "@offprint/solvers";
import {
  abs,
  add,
  asTensor,
  checkOptions,
  greater,
  less,
  linalg,
  logicalAnd,
  max,
  maximum,
  minimum,
  mul,
  requireChoice,
  requireInteger,
  requirePositive,
  ShapeError,
  scatterProduct,
  stopGradient,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  whileLoop,
  zerosLike,
} from "@offprint/tensor-core";
import { type ContractionActivation, lipschitzActivation } from "./activations.js";
import { ends, type StateFlow } from "./contracting-weights.js";

/** Options of the iteration. */
export interface ContractionOptions {
  /** Contraction factor, in (0, 1). The farther away information must come from, the nearer to 1. Default 0.5. */
  readonly gamma?: number;
  /** With slopes of at most 1: `identity` (default, the model of the paper), `tanh`, `relu` or one's own. */
  readonly activation?: ContractionActivation;
  /** Which way the state travels. Default `incoming`. */
  readonly flow?: StateFlow;
  /**
   * Converged when an iteration changes the state by less, or by this part of a state of norm below 1: default 1e-6, or
   * what rounding leaves of the state, four units in its last place.
   */
  readonly tolerance?: number;
  /** Iterations at most. Default as many as suffice by the contraction factor for a first change of 1000. */
  readonly maxIterations?: number;
  /** Norm of the change: `frobenius` over all heads and nodes (default, as in the authors' program) or `max`. */
  readonly stopNorm?: "frobenius" | "max";
  /** Whether an activation with steeper slopes is taken, without any guarantee. Default false. */
  readonly allowNonContractive?: boolean;
}

/** @internal */
export const contractionOptionNames = [
  ...["gamma", "activation", "flow", "tolerance", "maxIterations", "stopNorm", "allowNonContractive"],
] as const;

/** A fixed point, and how it was reached. */
export interface Contraction {
  /** `[nodes, heads]`, differentiable by weights and bias to any order. */
  readonly h: Tensor;
  /** Iterations made; a scalar. */
  readonly iterations: Tensor;
  /** Norm of the last change; a scalar. */
  readonly change: Tensor;
}

/** @internal Options with their defaults. */
export interface CheckedContraction {
  readonly gamma: number;
  readonly act: (x: TensorLike) => Tensor;
  readonly flow: StateFlow;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly stopNorm: "frobenius" | "max";
}

/** Iterations in which a factor `gamma` per iteration brings a change down to `reduction` of the first one. */
export function iterationBound(gamma: number, reduction: number): number {
  return Math.max(1, Math.ceil(Math.log(reduction) / Math.log(gamma)));
}

/** First change that the default limit is made for. */
const FIRST_CHANGE = 1000;

/** @internal @throws ValueError */
export function checkedContraction(owner: string, options: ContractionOptions, values: number): CheckedContraction {
  const { gamma = 0.5, activation = "identity", flow = "incoming", tolerance = 1e-6 } = options;
  const { stopNorm = "frobenius", allowNonContractive = false } = options;
  if (!(gamma > 0 && gamma < 1)) {
    throw new ValueError(
      `${owner}: gamma is ${gamma}; it must be above 0 and below 1, so that the iteration contracts`,
    );
  }
  requirePositive(owner, "tolerance", tolerance);
  requireChoice(owner, "flow", flow, ["incoming", "outgoing"]);
  requireChoice(owner, "stopNorm", stopNorm, ["frobenius", "max"]);
  // The Frobenius norm of a change is at most sqrt(values) times its largest entry, which is what contracts.
  const spread = stopNorm === "max" ? 1 : Math.sqrt(Math.max(values, 1));
  const { maxIterations = iterationBound(gamma, (tolerance * (1 - gamma)) / (FIRST_CHANGE * spread)) } = options;
  requireInteger(owner, "maxIterations", maxIterations, 1);
  const act = lipschitzActivation(owner, activation, allowNonContractive);
  return { gamma, act, flow, tolerance, maxIterations, stopNorm };
}

/** @internal Shapes of weights and bias. @throws ShapeError */
export function requireStateShapes(owner: string, graph: EdgeList, weights: Tensor, bias: Tensor): void {
  const heads = weights.shape[1];
  const fits =
    weights.rank === 2 && weights.shape[0] === graph.edges && bias.shape.join() === `${graph.nodes},${heads}`;
  if (fits) return;
  throw new ShapeError(
    `${owner}: weights [${weights.shape}] and bias [${bias.shape}] must be [${graph.edges}, heads] and [${graph.nodes}, heads]`,
  );
}

interface Parameters {
  /** `[edges, heads]` */
  readonly weights: Tensor;
  /** `[nodes, heads]` */
  readonly bias: Tensor;
}

/** @internal The map T(h) = act(gamma A h + b) of all heads. */
export function contractingMap(
  graph: EdgeList,
  { gamma, act, flow }: Pick<CheckedContraction, "gamma" | "act" | "flow">,
): (h: Tensor, parameters: Parameters) => Tensor {
  const { rows, columns } = ends(graph, flow);
  return (h, { weights, bias }) => act(add(bias, mul(scatterProduct(weights, h, rows, columns, graph.nodes), gamma)));
}

/** @internal */
export function normOf(x: Tensor, stopNorm: "frobenius" | "max"): Tensor {
  return stopNorm === "max" ? max(abs(x)) : linalg.norm(x);
}

/** Units in the last place of the state that a change may be for want of precision. */
const ROUNDING = 4;

/** @internal What a change must come down to at a state. */
export function goalAt(h: Tensor, { tolerance, stopNorm }: Pick<CheckedContraction, "tolerance" | "stopNorm">): Tensor {
  const unit = ROUNDING * (h.dtype === "float64" ? 2 ** -52 : 2 ** -23);
  const size = normOf(h, stopNorm);
  return maximum(mul(size, unit), mul(minimum(size, 1), tolerance));
}

/**
 * The fixed points `h = act(gamma A h + b)` of all heads at once, found by iteration from 0. Where no row of A sums up to
 * more than 1, as for the weights of {@link contractingWeights}, T contracts by gamma in the max norm: there is exactly one
 * fixed point, and the number of iterations does not depend on the size of the graph. Its gradient is that of the
 * implicit function theorem, one more fixed point with the transposed matrix, at the same rate; no iterate is kept. In
 * operations of tensors: eager, under `vmap` and inside compiled functions.
 * @param weights `[edges, heads]` entries of the matrices A
 * @param bias `[nodes, heads]`
 * @throws ValueError for a gamma outside (0, 1) and an activation that may not contract.
 * @see Park, Choo and Park, arXiv 2106.01680, section 4.3
 */
export function contraction(
  graph: EdgeList,
  weights: TensorLike,
  bias: TensorLike,
  options: ContractionOptions = {},
): Contraction {
  const owner = "contraction";
  checkOptions(owner, options, contractionOptionNames);
  const parameters = { weights: asTensor(weights), bias: asTensor(bias) };
  requireStateShapes(owner, graph, parameters.weights, parameters.bias);
  const settings = checkedContraction(owner, options, parameters.bias.size);
  const map = contractingMap(graph, settings);
  const found = iterate(map, parameters, settings);
  const solution = implicit.withGradient<Parameters>((h, p) => sub(map(h, p), h), {
    adjoint: "contraction",
    adjointTolerance: settings.tolerance,
    adjointIterations: iterationBound(
      settings.gamma,
      (settings.tolerance * (1 - settings.gamma)) / (2 * Math.sqrt(parameters.bias.size)),
    ),
  });
  return { ...found, h: solution(found.h, parameters) };
}

function iterate(
  map: (h: Tensor, parameters: Parameters) => Tensor,
  parameters: Parameters,
  settings: CheckedContraction,
): Contraction {
  const fixed = { weights: stopGradient(parameters.weights), bias: stopGradient(parameters.bias) };
  const { dtype } = fixed.bias;
  const start = {
    h: zerosLike(fixed.bias),
    change: tensor(Number.POSITIVE_INFINITY, { dtype }),
    count: tensor(0, { dtype: "int32" }),
  };
  const { h, change, count } = whileLoop(
    (state: typeof start) =>
      logicalAnd(greater(state.change, goalAt(state.h, settings)), less(state.count, settings.maxIterations)),
    (state: typeof start) => {
      const next = map(state.h, fixed);
      return { h: next, change: normOf(sub(next, state.h), settings.stopNorm), count: add(state.count, 1) };
    },
    start,
  );
  return { h, change, iterations: count };
}
