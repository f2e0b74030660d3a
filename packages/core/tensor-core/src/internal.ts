/**
 * What other packages of Offprint build on and no user needs: kernels of sparse solvers, and how dense operands are
 * read. No part of the public interface: it changes without notice.
 *
 * @module
 */
export {
  type CgState,
  cholesky,
  congruence,
  type RelaxationMatrix,
  relax,
  sparseCg,
  triangularSolve,
} from "./kernels/index.js";
export { readMatrix, readVector } from "./sparse/dense-operand.js";
