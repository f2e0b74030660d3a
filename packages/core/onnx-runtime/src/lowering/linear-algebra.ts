import {
  abs,
  add,
  arange,
  argMax,
  bind,
  broadcastTo,
  cast,
  ceil,
  diagonal,
  div,
  equal,
  expandDims,
  eye,
  less,
  log,
  logicalAnd,
  matmul,
  max,
  maximum,
  mod,
  moveAxis,
  mul,
  neg,
  ones,
  pow,
  primitives,
  prod,
  reshape,
  scan,
  sign,
  slice,
  sqrt,
  sub,
  sum,
  swapAxes,
  type Tensor,
  takeAlongAxis,
  tril,
  triu,
  where,
  whileLoop,
  zeros,
  zerosLike,
} from "@offprint/tensor-core";
import { composed } from "./composed.js";
import { lowerings } from "./lowering.js";

// Matrices are factored in loops over their columns, each step an update of rank one: ONNX has none of these.

const transposed = (x: Tensor) => swapAxes(x, -1, -2);
const order = (x: Tensor) => x.shape[x.rank - 1];
const indices = (n: number) => arange(0, n, 1, "int32");

/** Entry, row or column `j` (a scalar) along an axis counted from the end. */
function at(x: Tensor, j: Tensor, axis: -1 | -2): Tensor {
  return bind(primitives.take, [x, j], { axis: x.rank + axis })[0];
}

/** Column vectors times row vectors. */
function outer(column: Tensor, row: Tensor): Tensor {
  return mul(expandDims(column, -1), expandDims(row, -2));
}

/** Each matrix of a batch times the number for it. */
const perMatrix = (x: Tensor) => reshape(x, [...x.shape, 1, 1]);

/** Reads the lower triangle. NaN where a matrix is not positive definite. */
function cholesky(a: Tensor): Tensor {
  const rows = indices(order(a));
  const whole = add(tril(a), transposed(tril(a, -1)));
  const [, columns] = scan(
    (rest: Tensor, j: Tensor): [Tensor, Tensor] => {
      const column = at(rest, j, -1);
      const root = sqrt(at(column, j, -1));
      const scaled = where(less(rows, j), 0, div(column, expandDims(root, -1)));
      return [sub(rest, outer(scaled, scaled)), scaled];
    },
    whole,
    rows,
  );
  return moveAxis(columns, 0, -1);
}

/** (l l^T)^-1 for the lower triangle l: the Gram matrix of its inverse. */
function choleskyInverse(l: Tensor): Tensor {
  const identity = broadcastTo(eye(order(l), undefined, l.dtype), l.shape);
  const inverse = triangularSolve(l, identity, { lower: true, transposeA: false, unitDiagonal: false });
  return matmul(transposed(inverse), inverse);
}

interface TriangularForm {
  readonly lower: boolean;
  readonly transposeA: boolean;
  readonly unitDiagonal: boolean;
}

/** Substitution: each unknown, once found, is taken out of the equations that come after it. */
function triangularSolve(a: Tensor, b: Tensor, { lower, transposeA, unitDiagonal }: TriangularForm): Tensor {
  const matrix = transposeA ? transposed(a) : a;
  const downwards = lower !== transposeA;
  const rows = indices(order(a));
  const [, unknowns] = scan(
    (rest: Tensor, i: Tensor): [Tensor, Tensor] => {
      const column = at(matrix, i, -1);
      const right = at(rest, i, -2);
      const x = unitDiagonal ? right : div(right, expandDims(at(column, i, -1), -1));
      const factors = where(downwards ? less(i, rows) : less(rows, i), column, 0);
      return [sub(rest, outer(factors, x)), x];
    },
    b,
    rows,
    { reverse: !downwards },
  );
  return moveAxis(unknowns, 0, -2);
}

/** Packed factors and the order of the rows, the largest of each column becoming its pivot. */
function lu(a: Tensor): [packed: Tensor, order: Tensor] {
  const n = order(a);
  const rows = indices(n);
  const start = broadcastTo(rows, a.shape.slice(0, -1));
  const [[packed, rowOrder]] = scan(
    ([matrix, places]: [Tensor, Tensor], j: Tensor): [[Tensor, Tensor], Tensor[]] => {
      const candidates = where(less(rows, j), -1, abs(at(matrix, j, -1)));
      const pivot = expandDims(argMax(candidates, { axis: -1 }), -1);
      const exchange = where(equal(rows, j), pivot, where(equal(rows, pivot), j, rows));
      const swapped = takeRows(matrix, exchange);
      const row = at(swapped, j, -2);
      const column = at(swapped, j, -1);
      const diagonalEntry = expandDims(at(row, j, -1), -1);
      const below = less(j, rows);
      // A column without a pivot has zeros below the diagonal, and zero factors.
      const factors = where(below, div(column, where(equal(diagonalEntry, 0), 1, diagonalEntry)), 0);
      const reduced = sub(swapped, outer(factors, where(below, row, 0)));
      const stored = logicalAnd(expandDims(below, -1), equal(rows, j));
      const next = where(stored, expandDims(factors, -1), reduced);
      return [[next, bind(primitives.takeAlongAxis, [places, exchange], { axis: places.rank - 1 })[0]], []];
    },
    [a, start] as [Tensor, Tensor],
    rows,
  );
  return [packed, rowOrder];
}

/** Rows of each matrix in the order `[..., n]`. */
function takeRows(x: Tensor, rowOrder: Tensor): Tensor {
  return takeAlongAxis(x, expandDims(rowOrder, -1), { axis: -2 });
}

/** NaN or infinities where a matrix is singular. */
function solve(a: Tensor, b: Tensor, transposeA: boolean): Tensor {
  const [packed, rowOrder] = lu(a);
  const lower = { lower: true, transposeA, unitDiagonal: true };
  const upper = { lower: false, transposeA, unitDiagonal: false };
  if (!transposeA) return triangularSolve(packed, triangularSolve(packed, takeRows(b, rowOrder), lower), upper);
  const y = triangularSolve(packed, triangularSolve(packed, b, upper), lower);
  // Undoes the order of the rows: row i of y belongs where row order[i] was.
  const exchange = cast(equal(expandDims(rowOrder, -1), indices(order(a))), a.dtype);
  return matmul(transposed(exchange), y);
}

function slogdet(a: Tensor): [sign: Tensor, logarithm: Tensor] {
  const lead = a.shape.slice(0, -2);
  if (order(a) === 0) return [ones(lead, a.dtype), zeros(lead, a.dtype)];
  const [packed, rowOrder] = lu(a);
  const pivots = diagonal(packed);
  const inverted = cast(less(expandDims(rowOrder, -2), expandDims(rowOrder, -1)), "int32");
  const inversions = sum(triu(inverted, 1), { axis: [-1, -2] });
  const parity = cast(sub(1, mul(mod(inversions, 2), 2)), a.dtype);
  return [mul(parity, prod(sign(pivots), { axis: -1 })), sum(log(abs(pivots)), { axis: -1 })];
}

/** Householder reflections, then the signs that make the diagonal of r non-negative. */
function qr(a: Tensor): [q: Tensor, r: Tensor] {
  const [m, n] = a.shape.slice(-2);
  const k = Math.min(m, n);
  const rows = indices(m);
  const start = broadcastTo(eye(m, m, a.dtype), [...a.shape.slice(0, -2), m, m]);
  const [[full, triangle]] = scan(
    ([q, r]: [Tensor, Tensor], j: Tensor): [[Tensor, Tensor], Tensor[]] => {
      const column = where(less(rows, j), 0, at(r, j, -1));
      const pivot = expandDims(at(column, j, -1), -1);
      const length = sqrt(sum(mul(column, column), { axis: -1, keepDims: true }));
      const mirror = where(equal(rows, j), add(pivot, where(less(pivot, 0), neg(length), length)), column);
      const weight = sum(mul(mirror, mirror), { axis: -1, keepDims: true });
      const scaled = div(mul(mirror, 2), where(equal(weight, 0), 1, weight));
      const seen = (x: Tensor) => matmul(expandDims(mirror, -2), x);
      const reflect = (x: Tensor) => sub(x, matmul(expandDims(scaled, -1), seen(x)));
      return [[transposed(reflect(transposed(q))), reflect(r)], []];
    },
    [start, a] as [Tensor, Tensor],
    indices(k),
  );
  const lead = a.shape.slice(0, -2).map(() => null);
  const q = slice(full, [...lead, null, { stop: k }]);
  const r = triu(slice(triangle, [...lead, { stop: k }]));
  const signs = where(less(diagonal(r), 0), -1, 1);
  return [mul(q, expandDims(signs, -2)), mul(r, expandDims(signs, -1))];
}

/** Coefficients of the [13/13] Pade approximant and the norm up to which it is exact (Higham 2005). */
const PADE = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
].map((c) => c / 64764752532480000);
const RADIUS = 5.371920351148152;

/** Scaling and squaring. */
function expm(a: Tensor): Tensor {
  const norm = max(sum(abs(a), { axis: -2 }), { axis: -1 });
  const squarings = maximum(ceil(div(log(maximum(div(norm, RADIUS), 1)), Math.LN2)), 0);
  const x = div(a, perMatrix(pow(2, squarings)));
  const identity = eye(order(a), order(a), a.dtype);
  const x2 = matmul(x, x);
  const x4 = matmul(x2, x2);
  const x6 = matmul(x4, x2);
  const combine = (c6: number, c4: number, c2: number, c0: number) =>
    add(add(add(mul(x6, c6), mul(x4, c4)), mul(x2, c2)), mul(identity, c0));
  const high = (from: 12 | 13) => matmul(x6, combine(PADE[from], PADE[from - 2], PADE[from - 4], 0));
  const odd = matmul(x, add(high(13), combine(PADE[7], PADE[5], PADE[3], PADE[1])));
  const even = add(high(12), combine(PADE[6], PADE[4], PADE[2], PADE[0]));
  const approximant = solve(sub(even, odd), add(even, odd), false);
  const last = max(squarings);
  const [, result] = whileLoop(
    ([step]: [Tensor, Tensor]) => less(step, last),
    ([step, y]: [Tensor, Tensor]): [Tensor, Tensor] => [
      add(step, 1),
      where(less(step, perMatrix(squarings)), matmul(y, y), y),
    ],
    [zerosLike(last), approximant] as [Tensor, Tensor],
  );
  return result;
}

export const linearAlgebraLowerings = lowerings({
  cholesky: composed(([a]) => [cholesky(a)]),
  choleskyInverse: composed(([l]) => [choleskyInverse(l)]),
  triangularSolve: composed(([a, b], form) => [triangularSolve(a, b, form)]),
  lu: composed(([a]) => lu(a)),
  solve: composed(([a, b], { transposeA }) => [solve(a, b, transposeA)]),
  slogdet: composed(([a]) => slogdet(a)),
  qr: composed(([a]) => qr(a)),
  expm: composed(([a]) => [expm(a)]),
});
