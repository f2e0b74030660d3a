import { requireObject, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { type Activation, type ScalarActivation, scalarParameters } from "./activation.js";
import { scalarFunction } from "./scalar-functions.js";

/** An interval. */
export interface Interval {
  /** Its least value. */
  readonly lower: number;
  /** Its largest value. */
  readonly upper: number;
}

/** Rounding errors of a derivative, relative to it and, as gelu's and silu's cancel, to 1. */
const ROUNDOFF = 1e-14;

/**
 * All difference quotients of a scalar activation, or of all neurons of a mixed one, lie between these.
 *
 * @throws UnsupportedError for activations that act on groups
 * @example
 * ```ts
 * import { activation, slopeBounds } from "@offprint/networks";
 *
 * console.log(slopeBounds(activation("sigmoid"))); // { lower: 0, upper: 0.25 }
 * ```
 */
export function slopeBounds(activation: Activation): Interval {
  requireObject("slopeBounds", "activation", activation, "an Activation");
  if (activation.kind === "slope") return { lower: activation.alpha, upper: activation.beta };
  if (activation.kind === "mixed") {
    return activation.parts
      .map((part) => slopeBounds(part.activation))
      .reduce((a, b) => ({ lower: Math.min(a.lower, b.lower), upper: Math.max(a.upper, b.upper) }), {
        lower: Infinity,
        upper: -Infinity,
      });
  }
  requireScalar("slopeBounds", activation);
  const [lower, upper] = scalarFunction(activation.name).slopes(scalarParameters(activation));
  return { lower, upper };
}

/**
 * The derivatives of a scalar activation, in Clarke's sense at corners, on all of `[lower, upper]` lie between these. They
 * are the least and the largest, rounded outwards: an interval that touches the corner of a ReLU has both slopes.
 *
 * @param lower may be -Infinity
 * @param upper may be Infinity; not below `lower`
 * @throws UnsupportedError for activations that act on groups; ValueError for an interval that is none
 * @example
 * ```ts
 * import { activation, derivativeBounds } from "@offprint/networks";
 *
 * console.log(derivativeBounds(activation("relu"), 0.5, 2)); // { lower: 1, upper: 1 }
 * ```
 */
export function derivativeBounds(activation: Activation, lower: number, upper: number): Interval {
  if (!(lower <= upper)) {
    throw new ValueError(`derivativeBounds: [${lower}, ${upper}] is no interval; give lower <= upper`);
  }
  const whole = slopeBounds(activation);
  if (activation.kind !== "scalar") return whole;
  let [least, largest] = [Infinity, -Infinity];
  for (const { from, to, derivative, stationary = [] } of scalarFunction(activation.name).pieces(
    scalarParameters(activation),
  )) {
    const [a, b] = [Math.max(from, lower), Math.min(to, upper)];
    if (a > b) continue;
    if (typeof derivative === "number") {
      least = Math.min(least, derivative);
      largest = Math.max(largest, derivative);
      continue;
    }
    for (const x of [a, b, ...stationary.filter((place) => a < place && place < b)]) {
      const value = derivative(x);
      const room = ROUNDOFF * (whole.lower < 0 ? 1 : Math.abs(value));
      least = Math.min(least, value - room);
      largest = Math.max(largest, value + room);
    }
  }
  return { lower: Math.max(least, whole.lower), upper: Math.min(largest, whole.upper) };
}

/**
 * The derivative of a scalar activation at a point, the one from the left at corners.
 *
 * @throws UnsupportedError for activations that act on groups, or of which only slopes are known
 */
export function derivativeAt(activation: Activation, x: number): number {
  requireObject("derivativeAt", "activation", activation, "an Activation");
  requireScalar("derivativeAt", activation);
  const pieces = scalarFunction(activation.name).pieces(scalarParameters(activation));
  const { derivative } = pieces.find(({ to }) => x <= to) ?? pieces[pieces.length - 1];
  return typeof derivative === "number" ? derivative : derivative(x);
}

function requireScalar(owner: string, activation: Activation): asserts activation is ScalarActivation {
  if (activation.kind === "scalar") return;
  const why =
    activation.kind === "slope"
      ? "is known by its slopes only"
      : activation.kind === "mixed"
        ? "differs by neuron"
        : "acts on groups of neurons";
  throw new UnsupportedError(`${owner}: the activation "${activation.kind}" ${why}; give a scalar function by name`);
}
