export type { ContractionActivation } from "./activations.js";
export type { GraphFeatures, GraphSample } from "./batches.js";
export { contractingWeights, type StateFlow, type WeightOptions } from "./contracting-weights.js";
export { type Contraction, type ContractionOptions, contraction, iterationBound } from "./contraction.js";
export {
  type ConvergentGraphSolverOptions,
  type ConvergentGraphSolverParams,
  convergentGraphSolver,
  type MapsOfHeads,
  type OwnEncoder,
} from "./convergent-graph-solver.js";
export {
  type DecisionGraph,
  type DecisionGraphOptions,
  decisionSample,
  greedyPolicy,
  policyAccuracy,
  policyIteration,
  randomDecisionGraph,
  valueIteration,
} from "./decision-graph.js";
export type { OwnDecoder } from "./decoder.js";
export { delaunayEdges } from "./delaunay.js";
export type { EncoderOptions } from "./encoder.js";
export { type FitOptions, type FitResult, fitGraphModel, type GraphData } from "./fit.js";
export { type GraphNetworkOptions, type GraphNetworkParams, graphNetwork } from "./graph-network.js";
export { graphSamples } from "./graph-samples.js";
export {
  type ImplicitGraphNetworkOptions,
  type ImplicitGraphNetworkParams,
  implicitGraphNetwork,
} from "./implicit-graph-network.js";
export type { GraphInput, GraphModel, GraphOutput, Readout } from "./model.js";
export {
  type HeldNetwork,
  holdPressures,
  type PoreGeometry,
  sampleExtent,
  throatFeatures,
} from "./pore-geometry.js";
export {
  type PoreFlow,
  type PoreNetwork,
  type PoreSample,
  permeability,
  poreSample,
  solvePoreNetwork,
  throatConductance,
} from "./pore-network.js";
export { type Prediction, type PredictOptions, predict } from "./predict.js";
export { type RandomPoreNetwork, type RandomPoreOptions, randomPoreNetwork } from "./random-pore-network.js";
export { readOpenPnm } from "./read-openpnm.js";
export { readStatoil, type StatoilFiles } from "./read-statoil.js";
export {
  type FixedPointOptions,
  type FixedPointPoint,
  type FixedPointRecord,
  type FixedPointResult,
  type FixedPointState,
  solveFixedPoint,
} from "./solve-fixed-point.js";
export {
  type SteadyStateOptions,
  type SteadyStateParams,
  steadyStateEmbedding,
} from "./steady-state-embedding.js";
