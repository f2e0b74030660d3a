import { arange, eye } from "../construct.js";
import { allocate } from "../dtype.js";
import { lu, triangularSolve } from "../kernels/index.js";
import { matrixCount, matrixValues, resultTensor, whichMatrix } from "../linalg/host-matrices.js";
import { matrixTranspose } from "../linalg/symmetry.js";
import { matmul } from "../ops/contraction.js";
import { add, cast, equal, mul, neg } from "../ops/elementwise.js";
import { tril, triu } from "../ops/matrix-parts.js";
import { broadcastTo, expandDims, reshape } from "../ops/movement.js";
import { bind, bindOne, definePrimitive, type Primitive } from "../primitive.js";
import type { Storage } from "../storage.js";
import { hostTensor, type Tensor } from "../tensor.js";

import { batchedSystem, requireSquare, requireSystem, singular, triangularSolveP } from "./linear-algebra.js";

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
