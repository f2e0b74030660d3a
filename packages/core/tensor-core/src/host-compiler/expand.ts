import { traceFlat } from "../compile/trace.js";
import type { Equation } from "../graph/builder.js";
import { Graph } from "../graph/graph.js";
import { bind } from "../primitive.js";
import type { Tensor } from "../tensor.js";

/** The graph with operations that are composed of others written as those, in the bodies of loops and branches too. */
export function expandGraph(graph: Graph): Graph {
  if (!holdsComposed(graph)) return graph;
  const expanded = traceFlat((inputs) => graph.carryOut(inputs, expandEquation), graph.inputs).graph;
  return new Graph(expanded.inputs, expanded.constants, expanded.equations, expanded.outputs);
}

function expandEquation({ primitive, params }: Equation, inputs: readonly Tensor[]): Tensor[] {
  const expanded = primitive.expand?.(inputs, params);
  if (expanded !== undefined) return expanded;
  return bind(primitive, inputs, primitive.opaque ? mapGraphs(params as object, expandGraph) : params);
}

function mapGraphs(params: object, change: (graph: Graph) => Graph): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([key, value]) => [key, value instanceof Graph ? change(value) : value]),
  );
}

function holdsComposed(graph: Graph): boolean {
  return graph.equations.some(
    ({ primitive, params }) =>
      primitive.expand !== undefined ||
      (primitive.opaque === true &&
        Object.values(params as object).some((p) => p instanceof Graph && holdsComposed(p))),
  );
}
