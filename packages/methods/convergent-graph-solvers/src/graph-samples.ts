import type { GraphData as GraphDataSet } from "@offprint/graph";
import { requireObject, tensor, ValueError } from "@offprint/tensor-core";
import type { GraphSample } from "./batches.js";

/**
 * The graphs of a data set to learn from: nodes have their kinds as one-hot features and their numbers beside them, or,
 * where the file has neither, a 1 and their degree over the mean one; edges have their numbers, or a 0; targets are the
 * classes.
 * @param graphData - such as `loadTuDataset(folder)` of `@offprint/graph/node` gives
 * @throws ValueError where there are no graphs.
 */
export function graphSamples(graphData: GraphDataSet): GraphSample[] {
  requireObject("graphSamples", "graphData", graphData, "a GraphData of @offprint/graph");
  const { graphs, features, nodeLabels, edgeFeatures, labels } = graphData;
  if (graphs.length === 0) throw new ValueError("graphSamples: graphData has no graphs; give at least one");
  const kinds = [...new Set(nodeLabels?.flatMap((list) => [...list]))].sort((a, b) => a - b);
  const place = new Map(kinds.map((kind, k) => [kind, k]));
  const nodes = graphs.reduce((total, graph) => total + graph.nodes, 0);
  const inputs = kinds.length + (features === undefined ? 0 : features[0].shape[1]) || 2;
  const meanDegree = graphs.reduce((total, graph) => total + graph.edges, 0) / nodes || 1;
  return graphs.map((graph, g) => {
    const degrees = graph.degree("in");
    const numbers = features?.[g].data();
    const width = features === undefined ? 0 : features[g].shape[1];
    const rowOf = (i: number): number[] => {
      const row = new Array<number>(kinds.length).fill(0);
      const kind = nodeLabels === undefined ? undefined : place.get(nodeLabels[g][i]);
      if (kind !== undefined) row[kind] = 1;
      for (let k = 0; k < width; k++) row.push((numbers as ArrayLike<number>)[i * width + k]);
      return row.length > 0 ? row : [1, degrees[i] / meanDegree];
    };
    const rows = Array.from({ length: graph.nodes }, (_, i) => rowOf(i)).flat();
    return {
      graph,
      nodes: tensor(Float64Array.from(rows), { shape: [graph.nodes, inputs] }),
      edges: edgeFeatures?.[g] ?? tensor(new Float64Array(graph.edges), { shape: [graph.edges, 1] }),
      targets: [labels[g]],
    };
  });
}
