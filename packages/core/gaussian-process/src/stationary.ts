import {
  add,
  checkOptions,
  div,
  exp,
  expandDims,
  lessEqual,
  matmul,
  maximum,
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

/** Entries up to which differences are formed: they are exact where points coincide, as gradients at them must be. */
const DIFFERENCES = 4096;

/** `[n, m]` squared distances in length scales. */
function squaredDistances(owner: string, x: Tensor, x2: Tensor, length: Tensor): Tensor {
  const d = x.shape[x.rank - 1];
  if (x.rank !== 2 || x2.rank !== 2 || x2.shape[1] !== d || (length.rank === 1 && length.shape[0] !== d)) {
    throw new ShapeError(
      `${owner}: inputs have shapes [${x.shape}] and [${x2.shape}], lengths [${length.shape}]; they must agree in the number of inputs`,
    );
  }
  if (x.shape[0] * x2.shape[0] * d <= DIFFERENCES) {
    return sum(square(div(sub(expandDims(x, 1), expandDims(x2, 0)), length)), 2);
  }
  // About the middle of the points less is lost in the differences of squares.
  const middle = stopGradient(mean(x2, 0));
  const [a, b] = [div(sub(x, middle), length), div(sub(x2, middle), length)];
  const squares = add(expandDims(sum(square(a), 1), 1), expandDims(sum(square(b), 1), 0));
  return maximum(sub(squares, mul(2, matmul(a, transpose(b)))), 0);
}
