import type { ConeScaling } from "./cone-scaling.js";

/** @internal The nonnegative orthant: W = diag(sqrt(s / y)). */
export class OrthantScaling implements ConeScaling {
  readonly degree: number;
  /** Diagonal of W. */
  readonly weights: Float64Array;
  private readonly lambda: Float64Array;

  constructor(
    private readonly start: number,
    length: number,
  ) {
    this.degree = length;
    this.weights = new Float64Array(length).fill(1);
    this.lambda = new Float64Array(length).fill(1);
  }

  addIdentity(factor: number, to: Float64Array): void {
    for (let k = 0; k < this.degree; k++) to[this.start + k] += factor;
  }

  distanceToCone(v: Float64Array): number {
    let distance = -Infinity;
    for (let k = 0; k < this.degree; k++) distance = Math.max(distance, -v[this.start + k]);
    return distance;
  }

  update(s: Float64Array, y: Float64Array, lambda: Float64Array): boolean {
    for (let k = 0, i = this.start; k < this.degree; k++, i++) {
      if (!(s[i] > 0 && y[i] > 0)) return false;
      this.weights[k] = Math.sqrt(s[i] / y[i]);
      lambda[i] = this.lambda[k] = Math.sqrt(s[i] * y[i]);
    }
    return true;
  }

  scale(from: Float64Array, to: Float64Array): void {
    for (let k = 0, i = this.start; k < this.degree; k++, i++) to[i] = this.weights[k] * from[i];
  }

  scaleTransposed(from: Float64Array, to: Float64Array): void {
    this.scale(from, to);
  }

  unscale(from: Float64Array, to: Float64Array): void {
    for (let k = 0, i = this.start; k < this.degree; k++, i++) to[i] = from[i] / this.weights[k];
  }

  unscaleTransposed(from: Float64Array, to: Float64Array): void {
    this.unscale(from, to);
  }

  product(u: Float64Array, v: Float64Array, to: Float64Array): void {
    for (let k = 0, i = this.start; k < this.degree; k++, i++) to[i] = u[i] * v[i];
  }

  divide(v: Float64Array, to: Float64Array): void {
    for (let k = 0, i = this.start; k < this.degree; k++, i++) to[i] = v[i] / this.lambda[k];
  }

  longestStep(v: Float64Array): number {
    let least = 0;
    for (let k = 0; k < this.degree; k++) least = Math.min(least, v[this.start + k] / this.lambda[k]);
    return least < 0 ? -1 / least : Infinity;
  }
}
