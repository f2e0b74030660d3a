import type { EdgeList } from "@offprint/graph";
import {
  asTensor,
  checkOptions,
  clip,
  div,
  expandDims,
  full,
  greaterEqual,
  lessEqual,
  logicalAnd,
  maximum,
  mul,
  requireChoice,
  ShapeError,
  segmentSoftmax,
  segmentSum,
  sigmoid,
  stopGradient,
  type Tensor,
  type TensorLike,
  take,
  where,
} from "@offprint/tensor-core";

/** Which way the state travels: along the edges, as messages do, or against them, as in the authors' program. */
export type StateFlow = "incoming" | "outgoing";

/** Rows and columns of the matrices A of a graph: row = where the state is put together. */
export function ends(graph: EdgeList, flow: StateFlow): { rows: Int32Array | Tensor; columns: Int32Array | Tensor } {
  const { sources, targets } = graph;
  return flow === "incoming" ? { rows: targets, columns: sources } : { rows: sources, columns: targets };
}

/** Options of {@link contractingWeights}. */
export interface WeightOptions {
  /** How logits come into [0, 1]: cut off, as the authors' program does, or by the logistic function. Default `clip`. */
  readonly squash?: "clip" | "sigmoid";
  /** Divided by the degree of the row (default), or a softmax over the edges of the row. */
  readonly normalise?: "degree" | "attention";
  /** Default `incoming`. */
  readonly flow?: StateFlow;
  /** `[edges]` 1 for edges that count, 0 for others. Default all. */
  readonly edgeMask?: Tensor;
}

/**
 * The entries of the matrices A, one for each head, of which no row sums up to more than 1: `squash(logit) / degree`, or
 * the softmax of the logits. Parallel edges are entries of their own and add up.
 * @param logits `[edges, heads]`
 * @returns `[edges, heads]`
 * @see Park, Choo and Park, arXiv 2106.01680, section 4.2
 */
export function contractingWeights(graph: EdgeList, logits: TensorLike, options: WeightOptions = {}): Tensor {
  const owner = "contractingWeights";
  checkOptions(owner, options, ["squash", "normalise", "flow", "edgeMask"]);
  const { squash = "clip", normalise = "degree", flow = "incoming", edgeMask } = options;
  requireChoice(owner, "squash", squash, ["clip", "sigmoid"]);
  requireChoice(owner, "normalise", normalise, ["degree", "attention"]);
  requireChoice(owner, "flow", flow, ["incoming", "outgoing"]);
  const x = asTensor(logits);
  if (x.rank !== 2 || x.shape[0] !== graph.edges) {
    throw new ShapeError(`${owner}: logits have shape [${x.shape}]; they must be [${graph.edges}, heads]`);
  }
  const { rows } = ends(graph, flow);
  const counted = edgeMask ?? full([graph.edges], 1, x.dtype);
  if (normalise === "attention") return mul(segmentSoftmax(x, rows, graph.nodes), expandDims(counted, 1));
  const degree = take(segmentSum(counted, rows, graph.nodes), rows);
  const share = div(counted, maximum(degree, 1));
  return mul(squash === "clip" ? clipped(x) : sigmoid(x), expandDims(share, 1));
}

/** Cut off to [0, 1]; the slope is 1 inside and at the ends, 0 outside. */
function clipped(x: Tensor): Tensor {
  return where(inside(x), x, stopGradient(clip(x, 0, 1)));
}

function inside(x: Tensor): Tensor {
  return logicalAnd(greaterEqual(x, 0), lessEqual(x, 1));
}

/** Which logits a clip leaves without a gradient: 1 for these, 0 for others. */
export function saturated(logits: Tensor): Tensor {
  return where(inside(logits), 0, full(logits.shape, 1, logits.dtype));
}
