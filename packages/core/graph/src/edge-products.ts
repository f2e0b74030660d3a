import {
  bind,
  customVjp,
  definePrimitive,
  mul,
  ShapeError,
  type Spec,
  sum,
  type Tensor,
  type TypedArray,
  take,
  tensor,
  vmap,
} from "@offprint/tensor-core";
import type { Graph } from "./graph.js";
import { paddedEdgeSum } from "./padded-edge-sum.js";

/** Which way messages flow: to the targets of edges, or back to their sources. */
export type Flow = "forward" | "backward";

/** Edges and the way that messages take along them. */
interface FlowParams {
  readonly graph: Graph;
  readonly flow: Flow;
}

function allocateLike(x: Tensor, size: number): Float32Array | Float64Array {
  return x.dtype === "float64" ? new Float64Array(size) : new Float32Array(size);
}

/**
 * `out[i] = sum over edges e into i of values[e] * x[the edge's other end]`, head by head: values `[edges, heads]`, x
 * `[nodes, heads, features]`. Only for values in memory; functions that are traced take `paddedEdgeSum`.
 */
const edgeSumP = definePrimitive<FlowParams>({
  name: "edgeSum",
  outputs: ([, x]) => [{ shape: x.shape, dtype: x.dtype }],
  host([values, x], { graph, flow }) {
    const [, heads, features] = x.shape;
    const out = allocateLike(x, x.size);
    const adjacency = flow === "forward" ? graph.incoming : graph.outgoing;
    sumNeighbours(adjacency, values.data(), x.data(), out, heads, features);
    return [tensor(out, { shape: x.shape })];
  },
  vjp([g], { inputs: [values, x], params: { graph, flow } }) {
    const back = flow === "forward" ? "backward" : "forward";
    const [into, from] = flow === "forward" ? [g, x] : [x, g];
    return [() => edgeDot(graph, into, from), () => edgeSum(graph, values, g, back)];
  },
  batch: (inputs, batched, { graph, flow }) => [
    vmap((values: Tensor, x: Tensor) => paddedEdgeSum(graph, values, x, flow), {
      inAxes: batched.map((is) => (is ? 0 : null)),
    })(...(inputs as [Tensor, Tensor])),
  ],
});

function sumNeighbours(
  { indptr, neighbours, edges }: Graph["incoming"],
  values: TypedArray,
  x: TypedArray,
  out: Float32Array | Float64Array,
  heads: number,
  features: number,
): void {
  const width = heads * features;
  for (let i = 0; i + 1 < indptr.length; i++) {
    const to = i * width;
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const from = neighbours[p] * width;
      const edge = edges[p] * heads;
      for (let h = 0; h < heads; h++) {
        const value = values[edge + h];
        const end = (h + 1) * features;
        for (let k = h * features; k < end; k++) out[to + k] += value * x[from + k];
      }
    }
  }
}

/** `out[e] = into[target of e] . from[source of e]`, head by head: `[nodes, heads, features]` to `[edges, heads]`. */
const edgeDotP = definePrimitive<{ readonly graph: Graph }>({
  name: "edgeDot",
  outputs: ([into], { graph }): Spec[] => [{ shape: [graph.edges, into.shape[1]], dtype: into.dtype }],
  host([into, from], { graph: { edges, sources, targets } }) {
    const [, heads, features] = into.shape;
    const a = into.data();
    const b = from.data();
    const out = allocateLike(into, edges * heads);
    const width = heads * features;
    for (let e = 0; e < edges; e++) {
      for (let h = 0; h < heads; h++) {
        const p = targets[e] * width + h * features;
        const q = sources[e] * width + h * features;
        let total = 0;
        for (let k = 0; k < features; k++) total += a[p + k] * b[q + k];
        out[e * heads + h] = total;
      }
    }
    return [tensor(out, { shape: [edges, heads] })];
  },
  vjp([g], { inputs: [into, from], params: { graph } }) {
    return [() => edgeSum(graph, g, from, "forward"), () => edgeSum(graph, g, into, "backward")];
  },
  batch: (inputs, batched, { graph }) => [
    vmap((into: Tensor, from: Tensor) => composedEdgeDot(graph, into, from), {
      inAxes: batched.map((is) => (is ? 0 : null)),
    })(...(inputs as [Tensor, Tensor])),
  ],
});

/** `edgeDot` out of gathers. Its gradient sums along the edges rather than scattering. */
function composedEdgeDot(graph: Graph, into: Tensor, from: Tensor): Tensor {
  const { sources, targets } = graph;
  const compute = (a: Tensor, b: Tensor) => sum(mul(take(a, targets), take(b, sources)), { axis: -1 });
  return customVjp(
    compute,
    (a: Tensor, b: Tensor) => [compute(a, b), [a, b]],
    ([a, b], g: Tensor) => [edgeSum(graph, g, b, "forward"), edgeSum(graph, g, a, "backward")],
  )(into, from);
}

/** Values in memory take the direct kernels; traced ones are composed of operations that a backend has. */
function inMemory(...tensors: readonly Tensor[]): boolean {
  return tensors.every((x) => x.storage.kind === "host");
}

/** @internal Values `[edges, heads]` and x `[nodes, heads, features]` to `[nodes, heads, features]`. */
export function edgeSum(graph: Graph, values: Tensor, x: Tensor, flow: Flow): Tensor {
  if (x.shape[0] !== graph.nodes || values.shape[0] !== graph.edges || values.shape[1] !== x.shape[1]) {
    throw new ShapeError(
      `edge sums: values of shape [${values.shape}] and x of shape [${x.shape}] do not fit a graph of ${graph.nodes} ` +
        `nodes and ${graph.edges} edges`,
    );
  }
  if (inMemory(values, x)) return bind(edgeSumP, [values, x], { graph, flow })[0];
  return paddedEdgeSum(graph, values, x, flow);
}

/** @internal */
export function edgeDot(graph: Graph, into: Tensor, from: Tensor): Tensor {
  if (inMemory(into, from)) return bind(edgeDotP, [into, from], { graph })[0];
  return composedEdgeDot(graph, into, from);
}
