export type { Flow } from "./edge-products.js";
export {
  addRemainingSelfLoops,
  augment,
  batch,
  coalesce,
  filterEdges,
  isUndirected,
  khop,
  removeSelfLoops,
  type Subgraph,
  subgraph,
  withWeights,
} from "./edits.js";
export { type EdgeListOptions, readEdgeList, writeEdgeList } from "./formats/edge-list.js";
export { readGinText } from "./formats/gin-text.js";
export { type GnnBenchmarkOptions, readGnnBenchmark, writeGnnBenchmark } from "./formats/gnn-benchmark.js";
export { fromGraphology, type GraphologyLike, type ImportedGraph } from "./formats/graphology.js";
export { type LinqsOptions, readLinqs } from "./formats/linqs.js";
export { type Pickled, type PickledArray, type PickledCsr, readPickle } from "./formats/pickle.js";
export { type PlanetoidFiles, type PlanetoidOptions, readPlanetoid } from "./formats/planetoid.js";
export type { TextFile } from "./formats/text-lines.js";
export { readTuDataset, type TuFiles } from "./formats/tu-dataset.js";
export {
  type ContextualBlockModelOptions,
  contextualBlockModel,
  stochasticBlockModel,
} from "./generators/block-model.js";
export { type RingMoleculeOptions, ringMolecules } from "./generators/molecules.js";
export { nearestNeighbourGraph } from "./generators/nearest-neighbours.js";
export { barabasiAlbert, erdosRenyi, grid, randomGeometric } from "./generators/random-graphs.js";
export { type Adjacency, directed, type EdgeList, Graph, type GraphOptions, undirected } from "./graph.js";
export { edgeListOf, type GraphTensorOptions, type GraphTensors, graphTensors } from "./graph-tensors.js";
export {
  type AttentiveMessagePassingOptions,
  type AttentiveMessagePassingParams,
  attentiveMessagePassing,
  type EdgeGraphLayer,
  type NodesAndEdges,
} from "./layers/attentive-message-passing.js";
export { type GatLayer, type GatOptions, type GatParams, gat } from "./layers/gat.js";
export { type GcnParams, gcn } from "./layers/gcn.js";
export { type GinOptions, type GinParams, gin } from "./layers/gin.js";
export type { GraphLayer, GraphLayerOptions } from "./layers/graph-layer.js";
export { type SageAggregate, type SageParams, sage } from "./layers/sage.js";
export {
  collect,
  edgeSoftmax,
  edgeSoftmaxBySource,
  gatherSources,
  gatherTargets,
  type Reduction,
  readout,
  type SpmmOptions,
  sampledProduct,
  spmm,
} from "./message-passing.js";
export { averagePrecision, nodeAccuracy, rocAuc } from "./metrics.js";
export type { GraphData, NodeData, NodeSplit } from "./node-data.js";
export {
  adjacency,
  meanAdjacency,
  normalizedAdjacency,
  type Propagation,
  propagate,
  withSelfLoops,
} from "./propagation.js";
export { rowNormalize } from "./row-sums.js";
export {
  type LinkPairs,
  type LinkSplit,
  type LinkSplitOptions,
  linkSplit,
  mask,
  maskIndices,
  type NodeFoldOptions,
  nodeFolds,
  nodeSplit,
  sampleNonLinks,
} from "./splits.js";
