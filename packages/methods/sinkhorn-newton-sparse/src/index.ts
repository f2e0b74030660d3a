export type { SnsRecord, SnsStage } from "./record.js";
export type { TransportResult, TransportStatus } from "./result.js";
export { type SnsOptions, sinkhornNewtonSparse } from "./sinkhorn-newton-sparse.js";
export { sparsify } from "./sparsify.js";
export type { TransportProblem } from "./transport-problem.js";
