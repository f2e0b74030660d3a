import { checkOptions, requireObject, ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";
import { vectorOf } from "./numbers.js";

/**
 * The parts h_i of F(x) = f(x) + sum h_i(x_i): none; `lambda_i |x_i|`; the bounds `lower_i <= x_i <= upper_i` (infinite ones
 * allowed); or `x_i >= 0` with `lambda_i x_i`. Vectors are `[n]`.
 */
export type Composite =
  | { readonly kind: "none" }
  | { readonly kind: "l1"; readonly lambda: number | TensorLike }
  | { readonly kind: "box"; readonly lower: number | TensorLike; readonly upper: number | TensorLike }
  | { readonly kind: "nonneg"; readonly lambda?: number | TensorLike };

/** What is said of each kind, and what must be. */
const fields = {
  none: { known: [], required: [] },
  l1: { known: ["lambda"], required: ["lambda"] },
  box: { known: ["lower", "upper"], required: ["lower", "upper"] },
  nonneg: { known: ["lambda"], required: [] },
} as const;

/** A sum of simple functions of one variable each: slope_i x + weight_i |x| on [lower_i, upper_i]. */
export class Separable {
  /** Whether there is nothing to it. */
  readonly none: boolean;
  /** Whether a kink at zero is there, in place of bounds. */
  readonly kinked: boolean;
  readonly weight: Float64Array;
  readonly slope: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;

  constructor(owner: string, composite: Composite, n: number) {
    requireObject(owner, "composite", composite, '{ kind: "none" | "l1" | "box" | "nonneg" }');
    const { kind } = composite;
    if (kind !== "none" && kind !== "l1" && kind !== "box" && kind !== "nonneg") {
      throw new ValueError(`${owner}: composite.kind is ${String(kind)}; it must be "none", "l1", "box" or "nonneg"`);
    }
    const { known, required } = fields[kind];
    checkOptions(`${owner}: composite "${kind}"`, composite, ["kind", ...known], required);
    this.none = kind === "none";
    this.kinked = kind === "l1";
    const constant = (value: number) => new Float64Array(n).fill(value);
    this.weight = kind === "l1" ? spread(owner, "lambda", composite.lambda, n) : constant(0);
    this.slope = kind === "nonneg" ? spread(owner, "lambda", composite.lambda ?? 0, n) : constant(0);
    this.lower =
      kind === "box" ? spread(owner, "lower", composite.lower, n) : constant(kind === "nonneg" ? 0 : -Infinity);
    this.upper = kind === "box" ? spread(owner, "upper", composite.upper, n) : constant(Infinity);
    for (let i = 0; i < n; i++) {
      const lambda = kind === "l1" ? this.weight[i] : this.slope[i];
      if (!(lambda >= 0 && lambda < Infinity)) {
        throw new ValueError(`${owner}: composite.lambda is ${lambda} at ${i}; it must be finite and >= 0`);
      }
      if (!(this.lower[i] <= this.upper[i]) || this.lower[i] === Infinity || this.upper[i] === -Infinity) {
        throw new ValueError(
          `${owner}: composite.lower is ${this.lower[i]} and composite.upper ${this.upper[i]} at ${i}; ` +
            "bounds must hold a number between them",
        );
      }
    }
  }

  /** @throws ValueError for an x outside the bounds; `what` it is called. */
  requireInside(owner: string, what: string, x: Float64Array): void {
    const { lower, upper } = this;
    const i = x.findIndex((v, k) => !(v >= lower[k] && v <= upper[k]));
    if (i < 0) return;
    throw new ValueError(
      `${owner}: ${what} is ${x[i]} at ${i}, outside [${lower[i]}, ${upper[i]}]; give a point inside the bounds`,
    );
  }

  /** sum h_i(x_i). */
  value(x: Float64Array): number {
    let total = 0;
    if (!this.none) for (let i = 0; i < x.length; i++) total += this.slope[i] * x[i] + this.weight[i] * Math.abs(x[i]);
    return total;
  }

  /** h_i(x + d) - h_i(x) inside the bounds; without cancellation on one side of the kink. */
  rise(i: number, x: number, d: number): number {
    const to = x + d;
    const bend = x >= 0 && to >= 0 ? d : x <= 0 && to <= 0 ? -d : Math.abs(to) - Math.abs(x);
    return this.slope[i] * d + this.weight[i] * bend;
  }

  /** h(x + U_b d) - h(x); inside the bounds. */
  change(x: Float64Array, block: Int32Array, d: Float64Array): number {
    let total = 0;
    if (!this.none) for (let k = 0; k < block.length; k++) total += this.rise(block[k], x[block[k]], d[k]);
    return total;
  }

  /** The minimiser of h_i(u) + (u - v)^2 / (2 step). */
  prox(i: number, v: number, step: number): number {
    const shifted = v - step * this.slope[i];
    const threshold = step * this.weight[i];
    const soft =
      threshold === 0
        ? shifted
        : shifted > threshold
          ? shifted - threshold
          : shifted < -threshold
            ? shifted + threshold
            : 0;
    return Math.min(this.upper[i], Math.max(this.lower[i], soft));
  }

  /** Whether x_i sits on a bound or at a kink, where h_i has more than one subgradient. */
  pinned(i: number, x: number): boolean {
    return x === this.lower[i] || x === this.upper[i] || (this.weight[i] > 0 && x === 0);
  }

  /** How deep `-gradient` lies inside the subdifferential of h_i at a pinned x_i: its distance to the nearer end, or negative. */
  depth(i: number, x: number, gradient: number): number {
    const g = gradient + this.slope[i];
    if (this.weight[i] > 0 && x === 0) return this.weight[i] - Math.abs(g);
    if (this.lower[i] === this.upper[i]) return Infinity;
    return x === this.lower[i] ? g : -g;
  }
}

function spread(owner: string, name: string, given: number | TensorLike, n: number): Float64Array {
  if (typeof given === "number") return new Float64Array(n).fill(given);
  const values = vectorOf(owner, `composite.${name}`, given, { infinite: true });
  if (values.length !== n) {
    throw new ShapeError(
      `${owner}: composite.${name} has ${values.length} values for ${n} variables; give one or ${n}`,
    );
  }
  return values;
}
