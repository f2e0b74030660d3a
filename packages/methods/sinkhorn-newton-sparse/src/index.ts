export { approximateSparsity } from "./approximate-sparsity.js";
export { type Assignment, assignment } from "./assignment.js";
export {
  type CompiledSinkhornOptions,
  type CompiledSinkhornRecord,
  type CompiledSinkhornResult,
  type CompiledSinkhornState,
  compiledSinkhorn,
} from "./compiled-sinkhorn.js";
export { costMatrix, type Metric } from "./cost-matrix.js";
export { type EntropicOtLoss, entropicOtLoss, transportLoss } from "./entropic-ot-loss.js";
export {
  type ExactTransportOptions,
  type ExactTransportRecord,
  type ExactTransportResult,
  exactTransport,
} from "./exact-transport.js";
export { lyapunov } from "./lyapunov.js";
export type { SpanningTree } from "./network-simplex.js";
export { type NewtonDirection, type NewtonDirectionOptions, newtonDirection } from "./newton-direction.js";
export type { LinearSolver } from "./newton-system.js";
export type { SnsRecord, SnsStage } from "./record.js";
export type { TransportResult } from "./result.js";
export { type SinkhornOptions, type SinkhornState, sinkhorn } from "./sinkhorn.js";
export { type SnsMethodOptions, type SnsOptions, sinkhornNewtonSparse } from "./sinkhorn-newton-sparse.js";
export type { SnsState } from "./solver-state.js";
export { sparsify } from "./sparsify.js";
export type { Potentials } from "./start.js";
export type { TransportProblem } from "./transport-problem.js";
export { type LineMasses, wasserstein1d } from "./wasserstein1d.js";
