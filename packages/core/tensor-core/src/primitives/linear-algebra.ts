import { arange, eye, zerosLike } from "../construct.js";
import { allocate } from "../dtype.js";
import { DTypeError, ShapeError, ValueError } from "../errors.js";
import { cholesky, lu, triangularSolve } from "../kernels/index.js";
import { matrixCount, matrixValues, resultTensor, whichMatrix } from "../linalg/host-matrices.js";
import { matrixExponential } from "../linalg/matrix-exponential.js";
import { lowerHalf, matrixTranspose, symmetricPart } from "../linalg/symmetry.js";
import { matmul } from "../ops/contraction.js";
import { add, cast, equal, mul, neg } from "../ops/elementwise.js";
import { tril, triu } from "../ops/matrix-parts.js";
import { broadcastTo, concatenate, expandDims, moveAxis, reshape, slice } from "../ops/movement.js";
import { bind, bindOne, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { formatShape, type Shape, sameShape } from "../shape.js";
import type { Storage } from "../storage.js";
import { hostTensor, type Tensor } from "../tensor.js";

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

function requireSystem(operation: string, a: Spec, b: Spec): Spec[] {
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
      const { factor, failedPivot } = cholesky(matrix, n);
      matrix.set(factor);
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
    const matrix = matrixValues("triangularSolve", "a", a);
    const x = matrixValues("triangularSolve", "b", b);
    const [n, k] = b.shape.slice(-2);
    const count = matrixCount(a.shape);
    const { lower, transposeA, unitDiagonal } = form;
    for (let i = 0; i < count; i++) {
      const one = matrix.subarray(i * n * n, (i + 1) * n * n);
      const zero = unitDiagonal ? -1 : zeroPivot(one, n);
      if (zero >= 0) throw singular("triangularSolve", zero, whichMatrix(i, count));
      const right = x.subarray(i * n * k, (i + 1) * n * k);
      right.set(triangularSolve(one, n, right, k, { lower, transpose: transposeA, unitDiagonal }));
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

/** Whether the transposed matrix is meant. */
export interface SolveParams {
  readonly transposeA: boolean;
}

/** `a^-1 b` (or with the transpose) for general a `[..., n, n]` and b `[..., n, k]`, by LU factors with row exchanges. */
export const solveP: Primitive<SolveParams> = definePrimitive<SolveParams>({
  name: "solve",
  outputs: ([a, b]) => requireSystem("solve", a, b),
  host([a, b], { transposeA }, [spec]) {
    const { values, order, failed } = luFactors("solve", a);
    const right = matrixValues("solve", "b", b);
    const [n, k] = b.shape.slice(-2);
    const count = matrixCount(a.shape);
    const x = new Float64Array(right.length);
    for (let i = 0; i < count; i++) {
      if (failed[i] >= 0) throw singular("solve", failed[i], whichMatrix(i, count));
      const matrix = values.subarray(i * n * n, (i + 1) * n * n);
      const rows = order.subarray(i * n, (i + 1) * n);
      const from = right.subarray(i * n * k, (i + 1) * n * k);
      const to = x.subarray(i * n * k, (i + 1) * n * k);
      const solveWith = (side: Float64Array, lower: boolean) =>
        triangularSolve(matrix, n, side, k, { lower, transpose: transposeA, unitDiagonal: lower });
      if (transposeA) {
        const y = solveWith(solveWith(from, false), true);
        for (let r = 0; r < n; r++) to.set(y.subarray(r * k, (r + 1) * k), rows[r] * k);
      } else {
        for (let r = 0; r < n; r++) to.set(from.subarray(rows[r] * k, (rows[r] + 1) * k), r * k);
        to.set(solveWith(solveWith(to, true), false));
      }
    }
    return [resultTensor(x, spec)];
  },
  vjp([g], { inputs: [a], outputs: [x], params: { transposeA } }) {
    const toB = () => bindOne(solveP, [a, g], { transposeA: !transposeA });
    return [() => neg(transposeA ? matmul(x, matrixTranspose(toB())) : matmul(toB(), matrixTranspose(x))), toB];
  },
  batch: (inputs, batched, params, size) => batchedSystem(solveP, inputs, batched, params, size),
});

/** Sign and logarithm of the magnitude of the determinant; 0 and -Infinity for a singular matrix. */
export const slogdetP: Primitive<null> = definePrimitive<null>({
  name: "slogdet",
  outputs([a]) {
    requireSquare("slogdet", "a", a);
    const shape = a.shape.slice(0, -2);
    return [
      { shape, dtype: a.dtype },
      { shape, dtype: a.dtype },
    ];
  },
  host([a], _, specs) {
    const { values, signs } = luFactors("slogdet", a);
    const n = a.shape[a.rank - 1];
    const logs = new Float64Array(signs.length);
    const determinantSigns = Float64Array.from(signs, (sign, i) => {
      let product = sign;
      for (let j = 0; j < n; j++) {
        const pivot = values[i * n * n + j * n + j];
        product *= Math.sign(pivot);
        logs[i] += Math.log(Math.abs(pivot));
      }
      return product;
    });
    return [resultTensor(determinantSigns, specs[0]), resultTensor(logs, specs[1])];
  },
  vjp: ([, g], { inputs: [a] }) => [
    () => {
      const n = a.shape[a.rank - 1];
      const inverseTransposed = bindOne(solveP, [a, broadcastTo(eye(n, n, a.dtype), a.shape)], { transposeA: true });
      return mul(reshape(g, [...g.shape, 1, 1]), inverseTransposed);
    },
  ],
  batch: ([a]) => bind(slogdetP, [a], null),
});

/**
 * LU factors `a[order] = l u` packed in one matrix (l below the diagonal, with ones on it; u on and above), and the
 * int32 row order `[..., n]`.
 */
export const luP: Primitive<null> = definePrimitive<null>({
  name: "lu",
  outputs([a]) {
    requireSquare("lu", "a", a);
    return [
      { shape: a.shape, dtype: a.dtype },
      { shape: a.shape.slice(0, -1), dtype: "int32" },
    ];
  },
  host([a], _, [packed, order]) {
    const factors = luFactors("lu", a);
    return [resultTensor(factors.values.slice(), packed), hostTensor(factors.order.slice(), order.shape, "int32")];
  },
  vjp: ([g], { inputs: [a], outputs: [packed, order] }) => [
    () => {
      const n = a.shape[a.rank - 1];
      const l = add(tril(packed, -1), eye(n, n, a.dtype));
      const u = triu(packed);
      const inner = add(tril(matmul(matrixTranspose(l), tril(g, -1)), -1), triu(matmul(triu(g), matrixTranspose(u))));
      const left = bindOne(triangularSolveP, [l, inner], { lower: true, transposeA: true, unitDiagonal: true });
      const right = bindOne(triangularSolveP, [u, matrixTranspose(left)], {
        lower: false,
        transposeA: false,
        unitDiagonal: false,
      });
      const exchange = cast(equal(expandDims(order, -1), arange(n)), a.dtype);
      return matmul(matrixTranspose(exchange), matrixTranspose(right));
    },
  ],
  batch: ([a]) => bind(luP, [a], null),
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

interface LuFactors {
  readonly values: Float64Array;
  readonly order: Int32Array;
  readonly signs: Float64Array;
  /** Per matrix the first zero pivot, or -1. */
  readonly failed: Int32Array;
}

/** A matrix is solved with again for its gradient and its determinant, so its factors live as long as it does. */
const factorsOf = new WeakMap<Storage, LuFactors>();

function luFactors(operation: string, a: Tensor): LuFactors {
  const known = factorsOf.get(a.storage);
  if (known !== undefined) return known;
  const values = matrixValues(operation, "a", a);
  const n = a.shape[a.rank - 1];
  const count = matrixCount(a.shape);
  const order = allocate("int32", count * n) as Int32Array;
  const signs = new Float64Array(count);
  const failed = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const matrix = values.subarray(i * n * n, (i + 1) * n * n);
    const result = lu(matrix, n, n);
    matrix.set(result.factors);
    order.set(result.order, i * n);
    signs[i] = result.sign;
    failed[i] = result.singularAt;
  }
  const factors = { values, order, signs, failed };
  factorsOf.set(a.storage, factors);
  return factors;
}

/** The first zero on the diagonal, or -1. */
function zeroPivot(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) if (a[i * n + i] === 0) return i;
  return -1;
}

function singular(operation: string, pivot: number, which: string): ValueError {
  return new ValueError(
    `${operation}: a is singular: pivot ${pivot}${which} is 0; use lstsq or pinv, or add a multiple of the identity`,
  );
}

/** One matrix for the whole batch solves for all right-hand sides side by side; otherwise both carry the batch. */
function batchedSystem<P>(
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
