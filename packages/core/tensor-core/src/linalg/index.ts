export { cholesky, choleskyInverse, choleskySolve } from "./cholesky.js";
export { det, type SignedLogDeterminant, slogdet } from "./determinant.js";
export { eigh, eigvalsh, qr, svd, svdvals } from "./factorise.js";
export { expm, matrixPower } from "./matrix-functions.js";
export { cond, matrixRank, type NormOptions, type NormOrder, norm } from "./norm.js";
export { lstsq, type PseudoInverseOptions, pinv } from "./pseudo-inverse.js";
export { inverse, luFactor, solve, type TriangularOptions, triangularSolve } from "./solve.js";
