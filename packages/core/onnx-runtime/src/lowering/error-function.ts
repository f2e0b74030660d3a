import {
  abs,
  add,
  div,
  equal,
  exp,
  floor,
  less,
  log,
  log1p,
  minimum,
  mul,
  neg,
  type PrimitiveName,
  special,
  sqrt,
  sub,
  type Tensor,
  tensor,
  where,
} from "@offprint/tensor-core";
import { chebyshevSeries, evaluateSeries, type Series } from "./chebyshev.js";
import { composedElementwise } from "./composed.js";
import type { Lowering, Lowerings } from "./lowering.js";

/** A series for each element type, made when it is first needed. */
function seriesFor(make: (wide: boolean) => Series): (x: Tensor) => Series {
  const made: { float32?: Series; float64?: Series } = {};
  return ({ dtype }) => (made[dtype as "float32"] ??= make(dtype === "float64"));
}

const onHost = (f: (x: Tensor) => Tensor, x: number) => f(tensor(x, { dtype: "float64" })).item();

/** `e^(x^2) erfc(x)` of a number `x >= 0`. */
function scaledErfc(x: number): number {
  if (x < 26) {
    const high = Math.floor(16 * x) / 16;
    return onHost(special.erfc, x) * Math.exp(high * high) * Math.exp((x - high) * (x + high));
  }
  let term = 1;
  let sum = 0;
  for (let k = 1; k < 12; k++) {
    sum += term;
    term *= -(2 * k - 1) / (2 * x * x);
  }
  return sum / (x * Math.sqrt(Math.PI));
}

const MAP_SCALE = 3.75;
/** `(1 + 2 x) erfcx(x)` of `(x - s) / (x + s)`: the map of Shepherd and Laframboise, Math. Comp. 36 (1981). */
const erfcxSeries = seriesFor((wide) =>
  chebyshevSeries(
    (t) => {
      const x = (MAP_SCALE * (1 + t)) / (1 - t);
      return (1 + 2 * x) * scaledErfc(x);
    },
    -1,
    1,
    wide ? 30 : 12,
  ),
);

/** `e^(x^2) erfc(x)` for `x >= 0`. */
function erfcx(x: Tensor): Tensor {
  const bounded = minimum(x, 1e15);
  const place = div(sub(bounded, MAP_SCALE), add(bounded, MAP_SCALE));
  return div(evaluateSeries(erfcxSeries(x), place), add(mul(bounded, 2), 1));
}

/** `e^(-x^2)` for `x >= 0`; the square is split so that its rounding is not magnified. */
function gaussian(x: Tensor): Tensor {
  const bounded = minimum(x, 40);
  const high = div(floor(mul(bounded, 16)), 16);
  return mul(exp(neg(mul(high, high))), exp(neg(mul(sub(bounded, high), add(bounded, high)))));
}

/** `erf(sqrt s) / sqrt s` for s in [0, 1]. */
const erfSeries = seriesFor((wide) =>
  chebyshevSeries(
    (s) => (s === 0 ? 2 / Math.sqrt(Math.PI) : onHost(special.erf, Math.sqrt(s)) / Math.sqrt(s)),
    0,
    1,
    wide ? 17 : 8,
  ),
);

/** The error function in float64, which ONNX Runtime has in float32 only. */
export const erfOfDoubles: Lowering<unknown> = composedElementwise((x) => {
  const size = abs(x);
  const inner = minimum(size, 1);
  const near = mul(x, evaluateSeries(erfSeries(x), mul(inner, inner)));
  const far = sub(1, mul(gaussian(size), erfcx(size)));
  return where(less(size, 1), near, where(less(x, 0), neg(far), far));
});

function complement(x: Tensor): Tensor {
  const size = abs(x);
  return where(less(x, 0.5), sub(1, special.erf(x)), mul(gaussian(size), erfcx(size)));
}

/** The largest `-ln(1 - x^2)` of a double below 1 is 36.04. */
const LAST = 36.5;
const JOIN = 6;

/** The x with `ln erfc(x) = logQ`, by Newton's method on a concave function. */
function inverseLogErfc(logQ: number): number {
  let x = Math.sqrt(Math.max(0.1, -logQ - 0.5 * Math.log(Math.max(1, -logQ))));
  for (let step = 0; step < 50; step++) {
    const scaled = scaledErfc(Math.max(x, 0));
    const logValue = onHost(special.normalLogCdf, -x * Math.SQRT2) + Math.LN2;
    const change = ((logValue - logQ) * Math.sqrt(Math.PI) * scaled) / 2;
    x = Math.max(0, x + change);
    if (Math.abs(change) < 1e-16 * x) break;
  }
  return x;
}

/** `erfinv(x) / x` as a function of `w = -ln(1 - x^2)`. */
function inverseRatio(w: number): number {
  if (w < 1e-12) return Math.sqrt(Math.PI) / 2;
  const x = Math.sqrt(-Math.expm1(-w));
  if (w < 0.5) return onHost(special.erfinv, x) / x;
  // 1 - x without cancellation.
  return inverseLogErfc(-w - Math.log1p(x)) / x;
}

/** Two pieces as in Giles, "Approximating the erfinv function" (2010): in w, and in its root where w is large. */
const inverseNear = seriesFor((wide) => chebyshevSeries(inverseRatio, 0, JOIN, wide ? 34 : 14));
const inverseFar = seriesFor((wide) =>
  chebyshevSeries((root) => inverseRatio(root * root), Math.sqrt(JOIN), Math.sqrt(LAST), wide ? 30 : 12),
);

function inverse(x: Tensor): Tensor {
  const w = neg(log(mul(sub(1, x), add(x, 1))));
  const near = evaluateSeries(inverseNear(x), minimum(w, JOIN));
  const far = evaluateSeries(inverseFar(x), sqrt(minimum(w, LAST)));
  const atEnd = equal(abs(x), 1);
  const ratio = where(atEnd, Number.POSITIVE_INFINITY, where(less(w, JOIN), near, far));
  return mul(x, ratio);
}

/** `ln Phi(x)` without underflow. */
function normalLogCdf(x: Tensor): Tensor {
  const scaled = mul(x, Math.SQRT1_2);
  const tail = sub(log(mul(erfcx(abs(scaled)), 0.5)), mul(mul(x, x), 0.5));
  return where(less(x, -0.7), tail, log1p(mul(complement(scaled), -0.5)));
}

export const errorFunctionLowerings = {
  erf: (c, equation) => {
    if (equation.inputs[0].dtype === "float64") erfOfDoubles(c, equation);
    else c.define(equation.outputs[0], c.map("Erf", [c.unexpanded(equation.inputs[0])]));
  },
  erfc: composedElementwise(complement),
  erfinv: composedElementwise(inverse),
  normalLogCdf: composedElementwise(normalLogCdf),
} satisfies Partial<Lowerings<PrimitiveName>>;
