import { applyActivation, derivativeAt, derivativeBounds, type ScalarActivation } from "@offprint/networks";
import { hostTensor } from "@offprint/tensor-core";
import type { NeuronwiseActivation } from "./checked-network.js";
import { emptyLines, type Lines } from "./lines.js";
import { above, below, TINY } from "./rounding.js";

type Activation = ScalarActivation;

/** A function that is convex below 0 and concave above, with what its lines need. */
interface Shape {
  readonly value: (x: number) => number;
  /** Inner points at which the derivative is `slope`: there the distance from a line may be extreme. */
  readonly at: (slope: number) => readonly number[];
}

const logistic = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** The functions whose lines are known; of others only the slopes are used. */
function shapeOf(activation: Activation): Shape | undefined {
  switch (activation.name) {
    case "tanh":
      return {
        value: Math.tanh,
        at(slope) {
          if (!(slope > 0 && slope < 1)) return [];
          // Where the slope is small, 1 - slope has no digits of it.
          const z = slope < 0.5 ? Math.acosh(1 / Math.sqrt(slope)) : Math.atanh(Math.sqrt(1 - slope));
          return [-z, z];
        },
      };
    case "sigmoid":
      return {
        value: logistic,
        at(slope) {
          if (!(slope > 0 && slope < 0.25)) return [];
          const root = Math.sqrt(1 - 4 * slope);
          const z = Math.log((1 + root) ** 2 / (4 * slope));
          return [-z, z];
        },
      };
    default:
      return undefined;
  }
}

type Kink = readonly [below: number, above: number];

/** `max(a z, b z)` with a <= b: relu, leaky relu, the absolute value, and what is left as it is. */
export function kinkSlopes(activation: Activation): Kink | undefined {
  if (activation.name === "identity") return [1, 1];
  if (activation.name === "relu") return [0, 1];
  if (activation.name === "abs") return [-1, 1];
  if (activation.name !== "leakyRelu") return undefined;
  const { slope = 0.01 } = activation.parameters ?? {};
  return slope <= 1 ? [slope, 1] : undefined;
}

/** @internal The kinks of a layer: the i-th neuron's is at `i % length`. */
export const kinksOf = (activation: NeuronwiseActivation): readonly (Kink | undefined)[] =>
  unitsOf(activation).map(kinkSlopes);

/** One activation for all neurons, or one for each. */
function unitsOf(activation: NeuronwiseActivation): readonly Activation[] {
  if (activation.kind === "scalar") return [activation];
  return activation.parts.flatMap((part) => new Array<Activation>(part.count).fill(part.activation));
}

/**
 * @internal Lines around activations `h = sigma(z)` with l <= z <= u, `[batch, n]`. For `max(a z, b z)` the chord above and
 * a line through 0 below; for tanh and sigmoid chords and tangents; for others lines of the least slope.
 */
export function activationLines(activation: NeuronwiseActivation, l: Float64Array, u: Float64Array): Lines {
  const lines = emptyLines(l.length);
  const units = unitsOf(activation);
  const n = units.length;
  const own = units.map((unit) => ({ unit, kink: kinkSlopes(unit), shape: shapeOf(unit) }));
  const other = own.some(({ kink, shape }) => kink === undefined && shape === undefined);
  const ends = other
    ? [l, u].map((z) => applyActivation(activation, hostTensor(z, [z.length / n, n], "float64")).data())
    : [];
  for (let i = 0; i < l.length; i++) {
    const { unit, kink, shape } = own[i % n];
    lines.argument[i] = Math.max(Math.abs(l[i]), Math.abs(u[i]));
    if (kink !== undefined) kinkLines(lines, i, kink, l[i], u[i]);
    else if (shape !== undefined) curvedLines(lines, i, unit, shape, l[i], u[i]);
    else slopeLines(lines, i, unit, [l[i], u[i]], [ends[0][i], ends[1][i]]);
  }
  return lines;
}

function kinkLines(out: Lines, i: number, [a, b]: Kink, l: number, u: number): void {
  const at = (z: number) => (z >= 0 ? b * z : a * z);
  if (l >= 0 || u <= 0 || a === b) {
    out.us[i] = l >= 0 ? b : a;
    out.ls[i] = out.us[i];
  } else {
    out.us[i] = (b * u - a * l) / (u - l);
    // A line above both ends is above a convex function: whatever rounding has made of the slope.
    const scale = Math.abs(b * u) + Math.abs(a * l) + Math.abs(out.us[i]) * (u - l);
    out.ui[i] = above(Math.max(at(l) - out.us[i] * l, at(u) - out.us[i] * u), scale);
    out.ls[i] = u > -l ? b : a;
  }
  const [p, q] = [at(l), at(u)];
  out.lo[i] = below(l < 0 && u > 0 ? Math.min(p, q, 0) : Math.min(p, q));
  out.hi[i] = above(l < 0 && u > 0 ? Math.max(p, q, 0) : Math.max(p, q));
}

/** Beyond this the slopes of tanh and sigmoid are 0 in float64. */
const SATURATED = 750;

/** Errors of functions of the platform, relative to 1. */
const functionError = 1e-14;

function curvedLines(out: Lines, i: number, activation: Activation, { value, at }: Shape, l: number, u: number): void {
  const [p, q] = [value(l), value(u)];
  const chord = u - l > 1e-9 ? (q - p) / (u - l) : derivativeAt(activation, l);
  /** The slope of the line through the end `z0` that touches the curve on the other side of 0, or the chord. */
  const tangentFrom = (z0: number, far: number): number => {
    const f0 = value(z0);
    let [inner, outer] = [0, Math.sign(far) * Math.min(Math.abs(far), SATURATED)];
    // Beyond the point of contact the derivative is below the slope of the secant.
    const beyond = (z: number) =>
      derivativeAt(activation, z) * (z - z0) * Math.sign(far) < (value(z) - f0) * Math.sign(far);
    if (!beyond(outer)) return chord;
    for (let k = 0; k < 60; k++) {
      const middle = (inner + outer) / 2;
      if (beyond(middle)) outer = middle;
      else inner = middle;
    }
    return derivativeAt(activation, inner);
  };
  const middle = derivativeAt(activation, (l + u) / 2);
  // Concave where positive: chord below, tangent above; mirrored where negative.
  const [up, low] = l >= 0 ? [middle, chord] : u <= 0 ? [chord, middle] : [tangentFrom(l, u), tangentFrom(u, l)];
  const extreme = (slope: number, sign: number): number => {
    let most = Number.NEGATIVE_INFINITY;
    for (const z of [l, u, ...at(slope).filter((each) => each > l && each < u)]) {
      most = Math.max(most, sign * (value(z) - slope * z));
    }
    return most + functionError * (1 + Math.abs(slope) * Math.max(Math.abs(l), Math.abs(u)));
  };
  out.us[i] = up;
  out.ui[i] = extreme(up, 1);
  out.ls[i] = low;
  out.li[i] = -extreme(low, -1);
  out.lo[i] = p - functionError;
  out.hi[i] = q + functionError;
}

/** Parallel lines of the least slope s: h - s z increases, so its values at the ends bound it. */
function slopeLines(
  out: Lines,
  i: number,
  activation: Activation,
  [l, u]: readonly [number, number],
  [p, q]: readonly [number, number],
): void {
  const { lower: s } = derivativeBounds(activation, l, u);
  const room = functionError * (1 + Math.abs(p) + Math.abs(q) + Math.abs(s) * (Math.abs(l) + Math.abs(u)));
  out.us[i] = s;
  out.ls[i] = s;
  out.ui[i] = q - s * u + room;
  out.li[i] = p - s * l - room;
  const falling = Math.min(0, s * (u - l));
  out.lo[i] = p + falling - room;
  out.hi[i] = q - falling + room;
}

/** @internal Derivatives of a layer's activations lie between these, `[batch, n]`. */
export function slopeIntervals(
  activation: NeuronwiseActivation,
  l: Float64Array,
  u: Float64Array,
  decided: Int8Array | undefined,
): { readonly lo: Float64Array; readonly hi: Float64Array } {
  const lo = new Float64Array(l.length);
  const hi = new Float64Array(l.length);
  const units = unitsOf(activation);
  const kinks = kinksOf(activation);
  for (let i = 0; i < l.length; i++) {
    const kink = kinks[i % kinks.length];
    if (kink !== undefined) {
      const sign = decided?.[i] ?? 0;
      // In Clarke's sense at the corner: an interval that touches 0 has both slopes, unless a branch has decided.
      lo[i] = sign > 0 || l[i] > 0 ? kink[1] : kink[0];
      hi[i] = sign < 0 || u[i] < 0 ? kink[0] : kink[1];
    } else {
      const { lower, upper } = derivativeBounds(units[i % units.length], l[i], u[i]);
      lo[i] = lower - TINY;
      hi[i] = upper + TINY;
    }
  }
  return { lo, hi };
}
