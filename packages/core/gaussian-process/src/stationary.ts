import {
  add,
  checkOptions,
  customVjp,
  div,
  exp,
  expandDims,
  jitSync,
  lessEqual,
  matmul,
  mean,
  minimum,
  mul,
  neg,
  ones,
  requireChoice,
  ShapeError,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  transpose,
  where,
} from "@offprint/tensor-core";
import { chained } from "./chained.js";
import { type Kernel, positive, positiveKernel } from "./kernel.js";

/** Options of {@link squaredExponential}. */
export interface StationaryOptions {
  /** Length scale, > 0: one for all inputs (default 1), or one for each. */
  readonly length?: TensorLike;
}

/** Options of {@link matern}. */
export interface MaternOptions extends StationaryOptions {
  /** Smoothness nu: 1/2, 3/2 or 5/2 (default). Functions have nu - 1/2 derivatives. */
  readonly smoothness?: 0.5 | 1.5 | 2.5;
}

/** `exp(-r^2 / 2)` of variance 1, r the distance in length scales. */
export function squaredExponential(options: StationaryOptions = {}): Kernel {
  checkOptions("squaredExponential", options, ["length"]);
  return stationary("squaredExponential", options, (r2) => exp(mul(-0.5, r2)), Infinity);
}

/** The Matern kernel of variance 1. With gradients in inputs as far as it has them. */
export function matern(options: MaternOptions = {}): Kernel {
  checkOptions("matern", options, ["length", "smoothness"]);
  const { smoothness = 2.5 } = options;
  requireChoice("matern", "smoothness", smoothness, [0.5, 1.5, 2.5]);
  return stationary("matern", options, profiles[smoothness], 2 * smoothness);
}

/** sqrt with a gradient of 0 at 0; NaN stays NaN. */
function root(x: Tensor): Tensor {
  const none = lessEqual(x, 0);
  return where(none, 0, sqrt(where(none, 1, x)));
}

/** 1 / s, and 0 at 0; NaN stays NaN. */
function inverse(s: Tensor): Tensor {
  const none = lessEqual(s, 0);
  return where(none, 0, div(1, where(none, 1, s)));
}

/** The kernels as functions of r^2, with the derivatives that are finite at 0 and the one after. */
const profiles = {
  0.5: chained([(r2) => exp(neg(root(r2))), (r2) => mul(mul(-0.5, inverse(root(r2))), exp(neg(root(r2))))]),
  1.5: chained([
    (r2) => along(3, r2, (s) => add(1, s)),
    (r2) => along(3, r2, () => -1.5),
    (r2) => along(3, r2, (s) => mul(2.25, inverse(s))),
  ]),
  2.5: chained([
    (r2) => along(5, r2, (s) => add(add(1, s), div(square(s), 3))),
    (r2) => along(5, r2, (s) => mul(-5 / 6, add(1, s))),
    (r2) => along(5, r2, () => 25 / 12),
    (r2) => along(5, r2, (s) => mul(-125 / 24, inverse(s))),
  ]),
};

/** From here on exp(-s) is 0, and s, which may be infinite, has no share in it. */
const FAR = 750;

/** f(s) exp(-s) at s = sqrt(factor r^2). */
function along(factor: number, r2: Tensor, f: (s: Tensor) => TensorLike): Tensor {
  const s = minimum(root(mul(factor, r2)), FAR);
  return mul(f(s), exp(neg(s)));
}

function stationary(
  owner: string,
  { length = 1 }: StationaryOptions,
  profile: (r2: Tensor) => Tensor,
  degreesOfFreedom: number,
): Kernel {
  return positiveKernel(
    { length: positive(owner, "length", length) },
    {
      matrix: (values, x, x2) => profile(squaredDistances(owner, x, x2, values.length)),
      diagonal: (_, x) => ones([x.shape[0]], "float64"),
      spectrum: (values) => ({ kind: "stationary", length: values.length, degreesOfFreedom }),
      radial: ({ length: scales }) => ({ length: scales, profile }),
      ...(degreesOfFreedom > 1 ? {} : { differentiable: false }),
    },
  );
}

/** Entries up to which gradients are those of differences: exact where points coincide. */
const DIFFERENCES = 4096;
/** Entries from which differences are not to be kept: compiled, they never all are. */
const MANY = 2 ** 20;

/** `[n, m]` squared distances in length scales. */
function squaredDistances(owner: string, x: Tensor, x2: Tensor, length: Tensor): Tensor {
  const d = x.shape[x.rank - 1];
  if (x.rank !== 2 || x2.rank !== 2 || x2.shape[1] !== d || (length.rank === 1 && length.shape[0] !== d)) {
    throw new ShapeError(
      `${owner}: inputs have shapes [${x.shape}] and [${x2.shape}], lengths [${length.shape}]; they must agree in the number of inputs`,
    );
  }
  const entries = x.shape[0] * x2.shape[0] * d;
  // About the middle of the points less is lost in gradients.
  const middle = entries <= DIFFERENCES ? 0 : stopGradient(mean(x2, 0));
  const [a, b] = [div(sub(x, middle), length), div(sub(x2, middle), length)];
  return entries <= DIFFERENCES ? differenceSquares(a, b) : manySquares(a, b);
}

/** `|a_i - b_j|^2`: what `|a_i|^2 + |b_j|^2 - 2 a_i . b_j` loses of it would be a distance of 1e-8 `|a_i|` from a point to itself. */
const differenceSquares = (a: Tensor, b: Tensor): Tensor => sum(square(sub(expandDims(a, 1), expandDims(b, 0))), 2);

function withoutKeeping(a: Tensor, b: Tensor): Tensor {
  if (a.shape[0] * b.size <= MANY) return differenceSquares(a, b);
  const compiled = jitSync(differenceSquares);
  const squares = compiled(a, b);
  compiled.release();
  return squares;
}

/** The same with gradients by products of matrices. */
const manySquares = customVjp(
  withoutKeeping,
  (a, b) => [withoutKeeping(a, b), [a, b]],
  ([a, b], g) => {
    const slope = (own: Tensor, others: Tensor, by: Tensor) =>
      mul(2, sub(mul(expandDims(sum(by, 1), 1), own), matmul(by, others)));
    return [slope(a, b, g), slope(b, a, transpose(g))];
  },
);
