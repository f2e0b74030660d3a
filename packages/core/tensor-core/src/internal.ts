/**
 * What other packages of Offprint build on and no user needs: kernels of sparse solvers, how dense operands are read, room
 * for the rows of loops, and trees as bytes, on their way or in a file. No part of the public interface: it changes without notice.
 *
 * @module
 */
export {
  type CgState,
  cholesky,
  congruence,
  type RelaxationMatrix,
  relax,
  rowProducts,
  sparseCg,
  triangularSolve,
} from "./kernels/index.js";
export { unwritten } from "./primitives/unwritten.js";
export { readMatrix, readVector } from "./sparse/dense-operand.js";
export { decodeFrame, encodeFrame } from "./tree-frame.js";
