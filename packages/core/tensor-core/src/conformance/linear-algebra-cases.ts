import {
  add,
  eye,
  matmul,
  mul,
  type Primitive,
  primitives as p,
  swapAxes,
  type Tensor,
  tensor,
  tril,
  triu,
} from "../index.js";
import type { PrimitiveCase } from "./primitive-case.js";
import { type InputSpec, uniform } from "./sampling.js";

const transposed = (x: Tensor) => swapAxes(x, -1, -2);
const extents = (x: Tensor) => x.shape.slice(-2);

/** The matrix with 1, 2, 3, ... on the diagonal. */
function staircase(x: Tensor): Tensor {
  const [m, n] = extents(x);
  const steps = Float64Array.from({ length: n }, (_, i) => i + 1);
  return mul(eye(m, n, x.dtype), tensor(steps, { dtype: x.dtype }));
}

const positive = (x: Tensor) => add(matmul(x, transposed(x)), mul(eye(x.shape[x.rank - 1], undefined, x.dtype), 2));
const symmetric = (x: Tensor) => add(mul(add(x, transposed(x)), 0.05), staircase(x));
const dominant = (x: Tensor) => add(mul(x, 0.1), staircase(x));

function matrices(
  primitive: Primitive,
  prepare: (x: Tensor) => Tensor,
  shapes: readonly (readonly number[])[],
  params: unknown = null,
): PrimitiveCase[] {
  return shapes.map((shape) => ({
    primitive,
    params,
    inputs: [uniform(shape)],
    prepare: ([x]) => [prepare(x)],
    float32Tolerance: 1e-5,
  }));
}

function systems(primitive: Primitive, prepare: (x: Tensor) => Tensor, params: unknown): PrimitiveCase[] {
  const shapes: [InputSpec, InputSpec][] = [
    [uniform([3, 3]), uniform([3, 2])],
    [uniform([2, 2, 2]), uniform([2, 2, 1])],
    [uniform([21, 21]), uniform([21, 5])],
    [uniform([1, 1]), uniform([1, 1])],
    [uniform([2, 2]), uniform([2, 0])],
    [uniform([0, 0]), uniform([0, 2])],
  ];
  return shapes.map((inputs) => ({
    primitive,
    params,
    inputs,
    prepare: ([a, b]) => [prepare(a), b],
    float32Tolerance: 1e-5,
  }));
}

const SQUARE = [
  [3, 3],
  [2, 2, 2],
  [1, 1],
  [0, 0],
  [0, 2, 2],
  [21, 21],
];
const RECTANGULAR = [[4, 3], [3, 4], [2, 3, 2], ...SQUARE, [0, 3]];
const FLAGS = [false, true];

/** Cases of factorisations and solves, of batches of matrices too. */
export const linearAlgebraCases: readonly PrimitiveCase[] = [
  ...matrices(p.cholesky, positive, SQUARE),
  ...matrices(p.choleskyInverse, (x) => tril(dominant(x)), SQUARE),
  ...matrices(p.eigh, symmetric, SQUARE),
  ...matrices(p.svd, dominant, RECTANGULAR),
  ...matrices(p.qr, dominant, RECTANGULAR),
  ...matrices(p.slogdet, dominant, SQUARE),
  ...matrices(p.lu, dominant, SQUARE),
  ...matrices(p.expm, (x) => mul(x, 0.7), SQUARE),
  ...FLAGS.flatMap((transposeA) => systems(p.solve, dominant, { transposeA })),
  ...FLAGS.flatMap((lower) =>
    FLAGS.flatMap((transposeA) =>
      FLAGS.flatMap((unitDiagonal) =>
        // The other triangle is not read, so it must not have a gradient either.
        systems(p.triangularSolve, (x) => (lower ? tril(dominant(x)) : triu(dominant(x))), {
          lower,
          transposeA,
          unitDiagonal,
        }),
      ),
    ),
  ),
];
