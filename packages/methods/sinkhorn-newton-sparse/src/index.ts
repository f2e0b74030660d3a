export { type SinkhornNewtonSparseOptions, sinkhornNewtonSparse } from "./sinkhorn-newton-sparse.js";
