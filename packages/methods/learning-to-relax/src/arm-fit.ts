import { type BoxLeastSquaresResult, minimizeInBox } from "./box-least-squares.js";
import { leastSquares } from "./least-squares.js";
import { count, finiteNumbers, nonNegative, object } from "./saved-state.js";

/** A fit of one arm's costs. */
export interface ArmFit extends BoxLeastSquaresResult {
  /** Whether the bounds took part. */
  readonly constrained: boolean;
}

/**
 * The costs of one arm as the triangular factor of its features, updated by rotations: R [m, m] and z [m] with
 * |F theta - cost|^2 = |R theta - z|^2 + rest. An observation costs O(m^2) and a fit O(m^3), however many there were, and
 * nothing is squared as in the normal equations. Costs enter in the user's unit: a new scale only divides z.
 */
export class ArmData {
  private readonly m: number;
  private readonly triangle: Float64Array;
  private readonly z: Float64Array;
  private rest = 0;
  /** Observations so far. */
  count = 0;

  constructor(m: number) {
    this.m = m;
    this.triangle = new Float64Array(m * m);
    this.z = new Float64Array(m);
  }

  /** Takes in a cost under features `[m]`. */
  add(features: Float64Array, cost: number): void {
    const { m, triangle, z } = this;
    const row = features.slice();
    let value = cost;
    for (let j = 0; j < m; j++) {
      if (row[j] === 0) continue;
      const radius = Math.hypot(triangle[j * m + j]!, row[j]!);
      const [c, s] = [triangle[j * m + j]! / radius, row[j]! / radius];
      for (let k = j; k < m; k++) {
        const upper = triangle[j * m + k]!;
        triangle[j * m + k] = c * upper + s * row[k]!;
        row[k] = c * row[k]! - s * upper;
      }
      [z[j], value] = [c * z[j]! + s * value, c * value - s * z[j]!];
    }
    this.rest += value * value;
    this.count += 1;
  }

  /** Least-squares fit of cost / scale: of least norm, and within the bounds `[m]` where that one violates them. */
  fit(scale: number, bound: Float64Array): ArmFit {
    const { m, triangle } = this;
    const y = this.z.map((v) => v / scale);
    const rest = this.rest / scale ** 2;
    const x = leastSquares(triangle, m, m, y);
    if (x.every((v, j) => Math.abs(v) <= bound[j]!)) {
      // The residual is of no use then.
      return { x, squaredResidual: 0, constrained: false };
    }
    const inBox = minimizeInBox(triangle, m, y, bound, x);
    return { x: inBox.x, squaredResidual: inBox.squaredResidual + rest, constrained: true };
  }

  toJSON(): Record<string, unknown> {
    return { triangle: [...this.triangle], z: [...this.z], rest: this.rest, count: this.count };
  }

  /** Takes over what `toJSON` gave. */
  restore(json: unknown): void {
    const { triangle, z, rest, count: seen } = object(json, "ChebCB: arm");
    this.triangle.set(finiteNumbers(triangle, this.m * this.m, "ChebCB: arm.triangle"));
    this.z.set(finiteNumbers(z, this.m, "ChebCB: arm.z"));
    this.rest = nonNegative(rest, "ChebCB: arm.rest");
    this.count = count(seen, "ChebCB: arm.count");
  }
}
