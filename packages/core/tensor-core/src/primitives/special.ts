import type { DType } from "../dtype.js";
import { DTypeError, UnsupportedError } from "../errors.js";
import * as kernels from "../kernels/special/index.js";
import { add, div, equal, exp, less, log, mul, neg, sigmoid, sub, where } from "../ops/elementwise.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import type { Tensor } from "../tensor.js";
import { binary, elementwise, FLOAT, unary } from "./elementwise.js";
import { mapKernel } from "./loops.js";

const HALF_LOG_TWO_PI = 0.9189385332046728;

/** The error function. */
export const erfP = unary("erf", FLOAT, kernels.erf, (g, [x]) => [() => mul(g, gaussian(x, 2 / Math.sqrt(Math.PI)))]);

/** `1 - erf(x)`, accurate where it is small. */
export const erfcP = unary("erfc", FLOAT, kernels.erfc, (g, [x]) => [
  () => mul(g, gaussian(x, -2 / Math.sqrt(Math.PI))),
]);

/** The inverse of the error function on (-1, 1). */
export const erfinvP = unary("erfinv", FLOAT, kernels.erfinv, (g, _, y) => [
  () => mul(g, mul(exp(mul(y, y)), Math.sqrt(Math.PI) / 2)),
]);

/** `ln |Gamma(x)|`. */
export const lgammaP = unary("lgamma", FLOAT, kernels.lgamma, (g, [x]) => [() => mul(g, polygammaOf(0, x))]);

const polygammaKernels: Record<number, ReturnType<typeof mapKernel>> = {};
const polygammaScalars: Record<number, (x: number) => number> = {};

function polygammaKernel(order: number): ReturnType<typeof mapKernel> {
  return (polygammaKernels[order] ??= mapKernel(polygammaScalar(order) as (...x: number[]) => number, 1));
}

function polygammaScalar(order: number): (x: number) => number {
  return (polygammaScalars[order] ??= (x) => polygammaValue(order, x));
}

function polygammaValue(order: number, x: number): number {
  if (order === 0) return kernels.digamma(x);
  return order === 1 ? kernels.trigamma(x) : kernels.polygamma(order, x);
}

/** The derivative of digamma of the given order; order 0 is digamma. Each is the derivative of the one before. */
export const polygammaP: Primitive<{ order: number }> = definePrimitive<{ order: number }>({
  name: "polygamma",
  outputs: ([x]) => [{ shape: x.shape, dtype: requireFloat("polygamma", x.dtype) }],
  host: (inputs, { order }, [spec]) => [polygammaKernel(order)(inputs, spec)],
  vjp: ([g], { inputs: [x], params: { order } }) => [() => mul(g, polygammaOf(order + 1, x))],
  batch: ([x], _, params) => [bindOne(polygammaP, [x], params)],
  scalar: ({ order }) => polygammaScalar(order),
});

function polygammaOf(order: number, x: Tensor): Tensor {
  return bindOne(polygammaP, [x], { order });
}

function requireFloat(name: string, dtype: DType): DType {
  if (dtype !== "float32" && dtype !== "float64") {
    throw new DTypeError(`${name}: dtype ${dtype} is not supported; cast to float32 or float64 first`);
  }
  return dtype;
}

/** `ln B(a, b)`. */
export const logBetaP = binary("logBeta", FLOAT, kernels.betaln, (g, [a, b]) => {
  const slope = (x: Tensor) => () => mul(g, sub(polygammaOf(0, x), polygammaOf(0, add(a, b))));
  return [slope(a), slope(b)];
});

/** The regularised lower incomplete gamma function P(a, x). */
export const gammaincP = binary("gammainc", FLOAT, kernels.gammainc, (g, [a, x]) => [
  noParameterGradient("gammainc", "a"),
  () => mul(g, gammaDensity(a, x)),
]);

/** The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x). */
export const gammainccP = binary("gammaincc", FLOAT, kernels.gammaincc, (g, [a, x]) => [
  noParameterGradient("gammaincc", "a"),
  () => neg(mul(g, gammaDensity(a, x))),
]);

/** The regularised incomplete beta function I_x(a, b) of (a, b, x). */
export const betaincP = elementwise(
  "betainc",
  3,
  FLOAT,
  kernels.betainc as (...x: number[]) => number,
  (g, [a, b, x]) => [
    noParameterGradient("betainc", "a"),
    noParameterGradient("betainc", "b"),
    () =>
      mul(
        g,
        exp(
          sub(
            add(bindOne(xlogyP, [sub(a, 1), x], null), bindOne(xlogyP, [sub(b, 1), sub(1, x)], null)),
            bindOne(logBetaP, [a, b], null),
          ),
        ),
      ),
  ],
);

/** `x ln y`, and 0 where x is 0. */
export const xlogyP = binary("xlogy", FLOAT, kernels.xlogy, (g, [x, y]) => [
  () => mul(g, log(y)),
  () => {
    const zero = equal(x, 0);
    return mul(g, where(zero, 0, div(x, where(zero, 1, y))));
  },
]);

/** `ln(1 + e^x)` without overflow. */
export const softplusP = unary("softplus", FLOAT, kernels.softplus, (g, [x]) => [() => mul(g, sigmoid(x))]);

/** `ln(e^a + e^b)` without overflow. */
export const logAddExpP = binary("logAddExp", FLOAT, kernels.logaddexp, (g, [a, b]) => {
  // Equal infinities have no difference; they share the gradient.
  const same = equal(a, b);
  const share = (x: Tensor, y: Tensor) => () => mul(g, sigmoid(sub(where(same, 0, x), where(same, 0, y))));
  return [share(a, b), share(b, a)];
});

/** `ln Phi(x)`, the logarithm of the standard normal distribution function. */
export const normalLogCdfP = unary("normalLogCdf", FLOAT, kernels.normalLogCdf, (g, [x], y) => [
  () => mul(g, hazard(x, y)),
]);

const TAIL = -6;
/** Terms of the continued fraction that give float64 from `TAIL` on. */
const TERMS = 20;

/**
 * `phi(x) / Phi(x)`, the slope of `y = ln Phi(x)`. In the tail `x^2 / 2 + y` cancels, and so does `x + hazard`, of
 * which further derivatives are made; Laplace's continued fraction
 * `-x + 1 / (-x + 2 / (-x + 3 / ...))` has no differences.
 */
function hazard(x: Tensor, y: Tensor): Tensor {
  const tail = less(x, TAIL);
  const t = where(tail, neg(x), -TAIL);
  let fraction = t;
  for (let k = TERMS; k >= 1; k--) fraction = add(t, div(k, fraction));
  // Each branch sees a harmless value where the other is taken, so that its gradient is finite there.
  const [near, value] = [where(tail, 0, x), where(tail, -Math.LN2, y)];
  return where(tail, fraction, exp(sub(mul(mul(near, near), -0.5), add(value, HALF_LOG_TWO_PI))));
}

/** `scale e^(-x^2)`. */
function gaussian(x: Tensor, scale: number): Tensor {
  return mul(exp(neg(mul(x, x))), scale);
}

/** `x^(a - 1) e^-x / Gamma(a)`, the derivative of P(a, x) in x. */
function gammaDensity(a: Tensor, x: Tensor): Tensor {
  return exp(sub(sub(bindOne(xlogyP, [sub(a, 1), x], null), x), bindOne(lgammaP, [a], null)));
}

function noParameterGradient(name: string, parameter: string): () => never {
  return () => {
    throw new UnsupportedError(
      `${name}: there is no gradient with respect to ${parameter}, only one with respect to x ` +
        `(hold ${parameter} fixed with stopGradient)`,
    );
  };
}
