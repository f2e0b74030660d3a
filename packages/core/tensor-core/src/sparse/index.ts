export { add, prune, scale, scaleColumns, scaleRows } from "./arithmetic.js";
export { CholeskyFactorization, cholesky, choleskyNumeric } from "./cholesky-factorization.js";
export { diagonal, diagonalOf, entryAt, fromDense, fromTriplets, identity } from "./construct.js";
export { CooMatrix } from "./coo-matrix.js";
export { CscMatrix } from "./csc-matrix.js";
export { CsrMatrix } from "./csr-matrix.js";
export type { DenseMatrix, MatrixLike, VectorLike } from "./dense-operand.js";
export { LdlFactorization, ldl, ldlNumeric, type PivotOptions } from "./ldl-factorization.js";
export { type MatrixMarketContent, parseMatrixMarket } from "./matrix-market-reader.js";
export { formatMatrixMarket, type MatrixMarketFormatOptions } from "./matrix-market-writer.js";
export { approximateMinimumDegree } from "./minimum-degree.js";
export { columnNorms, frobeniusNorm, type NormOrder, rowNorms } from "./norms.js";
export {
  denseMultiply,
  multiplyDense,
  multiplyTransposedDense,
  multiplyTransposedVector,
  multiplyVector,
} from "./product.js";
export { permute, selectColumns, selectRows, sliceColumns, sliceRows, submatrix } from "./slice.js";
export { isSparseMatrix, type SparseMatrix, toCoo, toCsc, toCsr, toDense, transpose } from "./sparse-matrix.js";
export { gram, multiply } from "./sparse-product.js";
export { block, hstack, kron, vstack } from "./stack.js";
export {
  type AnalyzeOptions,
  analyzePattern,
  analyzingPattern,
  type SymbolicFactorization,
} from "./symbolic-factorization.js";
export { type TriangularSolveOptions, triangularSolve } from "./triangular-solve.js";
