import { add, log1p, mul, neg, pow, sin, slice, square, stack, sub, sum, type Tensor } from "@offprint/tensor-core";
import type { EqualityProblem } from "../src/index.js";

/** A problem of the collection, where it begins, and the value of its solution. */
export interface HockSchittkowski {
  /** Its number. */
  readonly number: number;
  /** f and c. */
  readonly problem: Required<EqualityProblem>;
  /** The standard start. */
  readonly start: readonly number[];
  /** f at the solution. */
  readonly least: number;
}

type Expression = (...x: Tensor[]) => Tensor;

/** The sum of the terms; numbers among them may be negative. */
const plus = (...terms: (Tensor | number)[]): Tensor => terms.reduce((a, b) => add(a, b)) as Tensor;
const times = (...factors: (Tensor | number)[]): Tensor => factors.reduce((a, b) => mul(a, b)) as Tensor;
const squared = (...terms: (Tensor | number)[]): Tensor => square(plus(...terms));
const minus = (x: Tensor): Tensor => neg(x);

function define(
  number: number,
  start: readonly number[],
  least: number,
  f: Expression,
  c: readonly Expression[],
): HockSchittkowski {
  const parts = (x: Tensor) => start.map((_, i) => slice(x, [i]));
  const problem = {
    objective: (x: Tensor) => f(...parts(x)),
    constraints: (x: Tensor) => stack(c.map((each) => each(...parts(x)))),
  };
  return { number, problem, start, least };
}

/** The equality-constrained problems of Hock and Schittkowski (1981) with 2 to 5 variables. */
export const hockSchittkowski: readonly HockSchittkowski[] = [
  define(6, [-1.2, 1], 0, (a) => squared(1, minus(a)), [(a, b) => times(10, sub(b, square(a)))]),
  define(7, [2, 2], -Math.sqrt(3), (a, b) => sub(log1p(square(a)), b), [
    (a, b) => plus(squared(1, square(a)), square(b), -4),
  ]),
  define(28, [-4, 1, 1], 0, (a, b, c) => plus(squared(a, b), squared(b, c)), [
    (a, b, c) => plus(a, times(2, b), times(3, c), -1),
  ]),
  define(39, [2, 2, 2, 2], -1, (a) => minus(a), [
    (a, b, c) => plus(b, minus(pow(a, 3)), minus(square(c))),
    (a, b, _, d) => plus(square(a), minus(b), minus(square(d))),
  ]),
  define(40, [0.8, 0.8, 0.8, 0.8], -0.25, (a, b, c, d) => times(-1, a, b, c, d), [
    (a, b) => plus(pow(a, 3), square(b), -1),
    (a, _, c, d) => sub(times(square(a), d), c),
    (_, b, __, d) => sub(square(d), b),
  ]),
  define(
    42,
    [1, 1, 1, 1],
    28 - 10 * Math.SQRT2,
    (a, b, c, d) => plus(squared(a, -1), squared(b, -2), squared(c, -3), squared(d, -4)),
    [(a) => sub(a, 2), (_, __, c, d) => plus(square(c), square(d), -2)],
  ),
  define(
    48,
    [3, 5, -3, 2, -2],
    0,
    (a, b, c, d, e) => plus(squared(a, -1), squared(b, minus(c)), squared(d, minus(e))),
    [(a, b, c, d, e) => plus(a, b, c, d, e, -5), (_, __, c, d, e) => plus(c, times(-2, plus(d, e)), 3)],
  ),
  define(
    50,
    [35, -31, 11, 5, -5],
    0,
    (a, b, c, d, e) => plus(squared(a, minus(b)), squared(b, minus(c)), pow(sub(c, d), 4), squared(d, minus(e))),
    [
      (a, b, c) => plus(a, times(2, b), times(3, c), -6),
      (_, b, c, d) => plus(b, times(2, c), times(3, d), -6),
      (_, __, c, d, e) => plus(c, times(2, d), times(3, e), -6),
    ],
  ),
  define(
    51,
    [2.5, 0.5, 2, -1, 0.5],
    0,
    (a, b, c, d, e) => plus(squared(a, minus(b)), squared(b, c, -2), squared(d, -1), squared(e, -1)),
    [(a, b) => plus(a, times(3, b), -4), (_, __, c, d, e) => plus(c, d, times(-2, e)), (_, b, __, ___, e) => sub(b, e)],
  ),
  define(
    52,
    [2, 2, 2, 2, 2],
    1859 / 349,
    (a, b, c, d, e) => plus(squared(times(4, a), minus(b)), squared(b, c, -2), squared(d, -1), squared(e, -1)),
    [(a, b) => plus(a, times(3, b)), (_, __, c, d, e) => plus(c, d, times(-2, e)), (_, b, __, ___, e) => sub(b, e)],
  ),
  define(
    77,
    [2, 2, 2, 2, 2],
    0.24150513,
    (a, b, c, d, e) => plus(squared(a, -1), squared(a, minus(b)), squared(c, -1), pow(sub(d, 1), 4), pow(sub(e, 1), 6)),
    [
      (a, _, __, d, e) => plus(times(square(a), d), sin(sub(d, e)), -2 * Math.SQRT2),
      (_, b, c, d) => plus(b, times(pow(c, 4), square(d)), -8 - Math.SQRT2),
    ],
  ),
  define(78, [-2, 1.5, 2, -1, -1], -2.91970041, (a, b, c, d, e) => times(a, b, c, d, e), [
    (...x) => sub(sum(square(stack(x))), 10),
    (_, b, c, d, e) => sub(times(b, c), times(5, d, e)),
    (a, b) => plus(pow(a, 3), pow(b, 3), 1),
  ]),
  define(
    79,
    [2, 2, 2, 2, 2],
    0.0787768209,
    (a, b, c, d, e) =>
      plus(squared(a, -1), squared(a, minus(b)), squared(b, minus(c)), pow(sub(c, d), 4), pow(sub(d, e), 4)),
    [
      (a, b, c) => plus(a, square(b), pow(c, 3), -2 - 3 * Math.SQRT2),
      (_, b, c, d) => plus(b, minus(square(c)), d, 2 - 2 * Math.SQRT2),
      (a, _, __, ___, e) => sub(times(a, e), 2),
    ],
  ),
];
