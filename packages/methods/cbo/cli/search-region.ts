import { exp, mul, sub, type Tensor } from "@offprint/tensor-core";
import { type Curve, curveValues } from "./curve.js";
import type { NaturalScale } from "./natural-scales.js";

/** Limits of a parameter; infinite where there is none. */
export type Bounds = readonly [lower: number, upper: number];

/** Where a parameter is searched for: an interval of a coordinate, and what it stands for. */
export interface Region {
  /** Of the coordinate. */
  readonly interval: Bounds;
  /** The parameter at a coordinate. */
  readonly value: (u: Tensor) => Tensor;
}

/** A scale is searched for among so many times its natural size, of either sign; */
const LARGEST = 100;
/** evenly below so many times of it, and by its logarithm above. */
const SMALL = 0.01;
/** Rates of angles: radians over the whole range of a column up to which they are searched for evenly. */
const SLOW = 10;

/** Where to search for a parameter that is not bounded on both sides. */
function natural({ size, kind, range }: NaturalScale, even: boolean, rows: number): { knee: number; limits: Bounds } {
  if (kind === "location" && range !== undefined) {
    const margin = 0.25 * (range[1] - range[0] || size);
    return { knee: Infinity, limits: [range[0] - margin, range[1] + margin] };
  }
  if (kind === "phase") return { knee: Infinity, limits: [-Math.PI, Math.PI] };
  // Faster ones cannot be told from slower ones by so many rows.
  if (kind === "rate") return { knee: SLOW * size, limits: [0, Math.max(4 * SLOW, Math.PI * rows) * size] };
  return { knee: SMALL * size, limits: [even ? 0 : -LARGEST * size, LARGEST * size] };
}

/** Where to search for a parameter. */
export function regionOf(scale: NaturalScale, [lower, upper]: Bounds, even: boolean, rows: number): Region {
  const linear = (from: number, to: number): Region => ({
    interval: [0, 1],
    value: (u) => mul(u, to - from).add(from),
  });
  if (Number.isFinite(lower) && Number.isFinite(upper)) {
    if (!(lower > 0 && upper > LARGEST * lower)) return linear(lower, upper);
    return { interval: [Math.log(lower), Math.log(upper)], value: (u) => exp(u) };
  }
  const { knee, limits } = natural(scale, even, rows);
  const from = Math.max(limits[0], lower);
  const to = Math.min(limits[1], upper);
  // Bounds beyond what is natural: as wide a region from there on.
  const width = limits[1] - limits[0] + Math.abs(Number.isFinite(lower) ? lower : upper);
  if (!(from < to)) return Number.isFinite(lower) ? linear(lower, lower + width) : linear(upper - width, upper);
  if (knee === Infinity) return linear(from, to);
  const half = knee / 2;
  return {
    interval: [Math.asinh(from / knee), Math.asinh(to / knee)],
    value: (u) => mul(sub(exp(u), exp(mul(u, -1))), half),
  };
}

/** Whether the formula has one value for a parameter and for its negative, as far as some others tell. */
export function isEven(curve: Curve, name: string, scales: Readonly<Record<string, NaturalScale>>): boolean {
  return [0.31, 0.73].every((part, k) => {
    const values = Object.fromEntries(
      Object.entries(scales).map(([each, { size, range }], i) => [
        each,
        range === undefined ? size * (part + 0.17 * ((i + k) % 3)) : range[0] + part * (range[1] - range[0]),
      ]),
    );
    const [one, other] = [1, -1].map((sign) => curveValues(curve, { ...values, [name]: sign * values[name] }).data());
    return Array.from(one as Float64Array).every((v, i) => {
      const w = other?.[i] as number;
      return Math.abs(v - w) <= 1e-9 * (Math.abs(v) + Math.abs(w)) || (Number.isNaN(v) && Number.isNaN(w));
    });
  });
}
