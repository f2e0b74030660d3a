import { zerosLike } from "../construct.js";
import { DTypeError, ShapeError, ValueError } from "../errors.js";
import { choleskyInPlace, choleskyInverse, triangularSolveInPlace } from "../kernels/index.js";
import { finiteValues, matrixCount, matrixValues, resultTensor, whichMatrix } from "../linalg/host-matrices.js";
import { matrixExponential } from "../linalg/matrix-exponential.js";
import { lowerHalf, matrixTranspose, symmetricPart } from "../linalg/symmetry.js";
import { matmul } from "../ops/contraction.js";
import { add, neg } from "../ops/elementwise.js";
import { tril, triu } from "../ops/matrix-parts.js";
import { broadcastTo, concatenate, moveAxis, reshape, slice } from "../ops/movement.js";
import { bindOne, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { formatShape, type Shape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** Throws unless `x` is a float tensor of matrices. */
export function requireMatrices(operation: string, argument: string, x: Spec): void {
  if (x.dtype !== "float32" && x.dtype !== "float64") {
    throw new DTypeError(`${operation}: ${argument} is ${x.dtype}; cast it to float32 or float64 first`);
  }
  if (x.shape.length < 2) {
    throw new ShapeError(
      `${operation}: ${argument} has shape ${formatShape(x.shape)}; it must be [..., rows, columns]`,
    );
  }
}

/** Throws unless `x` is a float tensor of square matrices. */
export function requireSquare(operation: string, argument: string, x: Spec): number {
  requireMatrices(operation, argument, x);
  const [m, n] = x.shape.slice(-2);
  if (m !== n) {
    throw new ShapeError(`${operation}: ${argument} has shape ${formatShape(x.shape)}; its matrices must be square`);
  }
  return n;
}

/** Shape and dtype of the solution of a system; throws unless its operands fit. */
export function requireSystem(operation: string, a: Spec, b: Spec): Spec[] {
  const n = requireSquare(operation, "a", a);
  requireMatrices(operation, "b", b);
  if (a.dtype !== b.dtype) {
    throw new DTypeError(`${operation}: a is ${a.dtype} and b is ${b.dtype}; cast one of them first`);
  }
  if (b.shape[b.shape.length - 2] !== n || !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))) {
    throw new ShapeError(
      `${operation}: a ${formatShape(a.shape)} and b ${formatShape(b.shape)} do not fit; b needs ${n} rows and the leading axes of a`,
    );
  }
  return [{ shape: b.shape, dtype: b.dtype }];
}

/** The lower Cholesky factor of `[..., n, n]`. Reads the lower triangle; the gradient is that of a symmetric matrix. */
export const choleskyP: Primitive<null> = definePrimitive<null>({
  name: "cholesky",
  outputs([a]) {
    requireSquare("cholesky", "a", a);
    return [{ shape: a.shape, dtype: a.dtype }];
  },
  host([a], _, [spec]) {
    const values = matrixValues("cholesky", "a", a);
    const n = a.shape[a.rank - 1];
    const count = matrixCount(a.shape);
    for (let i = 0; i < count; i++) {
      const matrix = values.subarray(i * n * n, (i + 1) * n * n);
      const failedPivot = choleskyInPlace(matrix, n);
      if (failedPivot >= 0) {
        throw new ValueError(
          `cholesky: a is not positive definite: pivot ${failedPivot}${whichMatrix(i, count)} is not positive; ` +
            "add a multiple of the identity, or use eigh or solve",
        );
      }
    }
    return [resultTensor(values, spec)];
  },
  vjp: ([g], { outputs: [l] }) => [
    () => {
      const inner = lowerHalf(matmul(matrixTranspose(l), g));
      const form = { lower: true, transposeA: true, unitDiagonal: false };
      const left = bindOne(triangularSolveP, [l, inner], form);
      return symmetricPart(matrixTranspose(bindOne(triangularSolveP, [l, matrixTranspose(left)], form)));
    },
  ],
  batch: ([a]) => [bindOne(choleskyP, [a], null)],
});

/** How a triangular matrix is read. */
export interface TriangularForm {
  readonly lower: boolean;
  readonly transposeA: boolean;
  readonly unitDiagonal: boolean;
}

/** `op(a)^-1 b` for triangular a `[..., n, n]` and b `[..., n, k]`; the other triangle of a is not read. */
export const triangularSolveP: Primitive<TriangularForm> = definePrimitive<TriangularForm>({
  name: "triangularSolve",
  outputs: ([a, b]) => requireSystem("triangularSolve", a, b),
  host([a, b], form, [spec]) {
    const matrix = finiteValues("triangularSolve", "a", a);
    const x = matrixValues("triangularSolve", "b", b);
    const [n, k] = b.shape.slice(-2);
    const count = matrixCount(a.shape);
    const { lower, transposeA, unitDiagonal } = form;
    for (let i = 0; i < count; i++) {
      const one = matrix.subarray(i * n * n, (i + 1) * n * n);
      const zero = unitDiagonal ? -1 : zeroPivot(one, n);
      if (zero >= 0) throw singular("triangularSolve", zero, whichMatrix(i, count));
      const right = x.subarray(i * n * k, (i + 1) * n * k);
      triangularSolveInPlace(one, n, right, k, { lower, transpose: transposeA, unitDiagonal });
    }
    return [resultTensor(x, spec)];
  },
  vjp([g], { inputs: [a], outputs: [x], params: form }) {
    const toB = () => bindOne(triangularSolveP, [a, g], { ...form, transposeA: !form.transposeA });
    const toA = () => {
      const h = neg(toB());
      const whole = form.transposeA ? matmul(x, matrixTranspose(h)) : matmul(h, matrixTranspose(x));
      const offset = form.unitDiagonal ? 1 : 0;
      return form.lower ? tril(whole, -offset) : triu(whole, offset);
    };
    return [toA, toB];
  },
  batch: (inputs, batched, form, size) => batchedSystem(triangularSolveP, inputs, batched, form, size),
});

/** `(l l^T)^-1` for lower triangular l `[..., n, n]`, whose other triangle is not read. */
export const choleskyInverseP: Primitive<null> = definePrimitive<null>({
  name: "choleskyInverse",
  outputs([l]) {
    requireSquare("choleskyInverse", "l", l);
    return [{ shape: l.shape, dtype: l.dtype }];
  },
  host([l], _, [spec]) {
    const values = matrixValues("choleskyInverse", "l", l);
    const n = l.shape[l.rank - 1];
    const count = matrixCount(l.shape);
    for (let i = 0; i < count; i++) {
      const matrix = values.subarray(i * n * n, (i + 1) * n * n);
      const zero = zeroPivot(matrix, n);
      if (zero >= 0) throw singular("choleskyInverse", zero, whichMatrix(i, count), "l");
      choleskyInverse(matrix, n);
    }
    return [resultTensor(values, spec)];
  },
  vjp: ([g], { inputs: [l], outputs: [w] }) => [
    () => {
      const right = matmul(add(g, matrixTranspose(g)), w);
      const half = bindOne(triangularSolveP, [l, right], { lower: true, transposeA: false, unitDiagonal: false });
      return tril(neg(matrixTranspose(half)));
    },
  ],
  batch: ([l]) => [bindOne(choleskyInverseP, [l], null)],
});

/** The exponential of square matrices `[..., n, n]`. */
export const expmP: Primitive<null> = definePrimitive<null>({
  name: "expm",
  outputs([a]) {
    requireSquare("expm", "a", a);
    return [{ shape: a.shape, dtype: a.dtype }];
  },
  host([a], _, [spec]) {
    const values = matrixValues("expm", "a", a);
    const n = a.shape[a.rank - 1];
    for (let i = 0; i < matrixCount(a.shape); i++) {
      const matrix = values.subarray(i * n * n, (i + 1) * n * n);
      matrix.set(matrixExponential(matrix, n));
    }
    return [resultTensor(values, spec)];
  },
  // The derivative along g is the upper right block of exp [[a, g], [0, a]]; its transpose takes a^T for a.
  vjp: ([g], { inputs: [a] }) => [
    () => {
      const n = a.shape[a.rank - 1];
      const at = matrixTranspose(a);
      const top = concatenate([at, g], -1);
      const bottom = concatenate([zerosLike(a), at], -1);
      const block = bindOne(expmP, [concatenate([top, bottom], -2)], null);
      const lead = a.shape.slice(0, -2).map(() => null);
      return slice(block, [...lead, { stop: n }, { start: n }]);
    },
  ],
  batch: ([a]) => [bindOne(expmP, [a], null)],
});

/** The first zero on the diagonal, or -1. */
function zeroPivot(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) if (a[i * n + i] === 0) return i;
  return -1;
}

/** The error for a zero pivot. */
export function singular(operation: string, pivot: number, which: string, argument = "a"): ValueError {
  return new ValueError(
    `${operation}: ${argument} is singular: pivot ${pivot}${which} is 0; use lstsq or pinv, or add a multiple of the identity`,
  );
}

/** One matrix for the whole batch solves for all right-hand sides side by side; otherwise both carry the batch. */
export function batchedSystem<P>(
  primitive: Primitive<P>,
  [a, b]: readonly Tensor[],
  [inA, inB]: readonly boolean[],
  params: P,
  size: number,
): Tensor[] {
  if (!inA && a.rank === 2) {
    const [, n, k] = b.shape;
    const x = bindOne(primitive, [a, reshape(moveAxis(b, 0, 1), [n, size * k])], params);
    return [moveAxis(reshape(x, [n, size, k]), 1, 0)];
  }
  const spread = (x: Tensor, inX: boolean) => (inX ? x : broadcastTo(x, [size, ...x.shape] as Shape));
  return [bindOne(primitive, [spread(a, inA), spread(b, inB)], params)];
}
