import type { ConeScaling } from "./cone-scaling.js";

/**
 * @internal A second-order cone: W = beta (2 v v^T - J) with J = diag(1, -1, ..., -1) and the hyperbolic unit vector v, so
 * that W^-1 = (2 J v (J v)^T - J) / beta; W is symmetric.
 */
export class SecondOrderScaling implements ConeScaling {
  readonly degree = 1;
  private readonly v: Float64Array;
  private readonly lambda: Float64Array;
  private readonly work: Float64Array;
  private beta = 1;

  constructor(
    private readonly start: number,
    private readonly length: number,
  ) {
    this.v = new Float64Array(length);
    this.v[0] = 1;
    this.lambda = new Float64Array(length);
    this.lambda[0] = 1;
    this.work = new Float64Array(length);
  }

  addIdentity(factor: number, to: Float64Array): void {
    to[this.start] += factor;
  }

  distanceToCone(v: Float64Array): number {
    return tailNorm(v, this.start, this.length) - v[this.start];
  }

  update(s: Float64Array, y: Float64Array, lambda: Float64Array): boolean {
    const { start, length, v } = this;
    const [sizeS, sizeY] = [hyperbolicNorm(s, start, length), hyperbolicNorm(y, start, length)];
    if (!(sizeS > 0 && sizeY > 0)) return false;
    this.beta = Math.sqrt(sizeS / sizeY);
    // w = (s / |s| + J y / |y|) / (2 gamma) squares to W^2; v = (w + e) / sqrt(2 (w_0 + 1)) is its root.
    let product = 0;
    for (let k = 0; k < length; k++) product += (s[start + k] / sizeS) * (y[start + k] / sizeY);
    const gamma = Math.sqrt((1 + product) / 2);
    for (let k = 0; k < length; k++) {
      const mirrored = (k === 0 ? 1 : -1) * (y[start + k] / sizeY);
      v[k] = (s[start + k] / sizeS + mirrored) / (2 * gamma);
    }
    const root = Math.sqrt(2 * (v[0] + 1));
    v[0] += 1;
    for (let k = 0; k < length; k++) v[k] /= root;
    this.scale(y, lambda);
    for (let k = 0; k < length; k++) this.lambda[k] = lambda[start + k];
    return hyperbolicNorm(this.lambda, 0, length) > 0;
  }

  scale(from: Float64Array, to: Float64Array): void {
    const { start, length, v, beta } = this;
    let inner = 0;
    for (let k = 0; k < length; k++) inner += v[k] * from[start + k];
    to[start] = beta * (2 * inner * v[0] - from[start]);
    for (let k = 1; k < length; k++) to[start + k] = beta * (2 * inner * v[k] + from[start + k]);
  }

  scaleTransposed(from: Float64Array, to: Float64Array): void {
    this.scale(from, to);
  }

  unscale(from: Float64Array, to: Float64Array): void {
    const { start, length, v, beta } = this;
    let inner = v[0] * from[start];
    for (let k = 1; k < length; k++) inner -= v[k] * from[start + k];
    to[start] = (2 * inner * v[0] - from[start]) / beta;
    for (let k = 1; k < length; k++) to[start + k] = (-2 * inner * v[k] + from[start + k]) / beta;
  }

  unscaleTransposed(from: Float64Array, to: Float64Array): void {
    this.unscale(from, to);
  }

  product(u: Float64Array, v: Float64Array, to: Float64Array): void {
    const { start, length, work } = this;
    work.fill(0);
    for (let k = 0; k < length; k++) work[0] += u[start + k] * v[start + k];
    for (let k = 1; k < length; k++) work[k] = u[start] * v[start + k] + v[start] * u[start + k];
    to.set(work, start);
  }

  divide(v: Float64Array, to: Float64Array): void {
    const { start, length, lambda } = this;
    const size = hyperbolicNorm(lambda, 0, length);
    let inner = 0;
    for (let k = 1; k < length; k++) inner += lambda[k] * v[start + k];
    const first = (lambda[0] * v[start] - inner) / (size * size);
    for (let k = 1; k < length; k++) to[start + k] = (v[start + k] - first * lambda[k]) / lambda[0];
    to[start] = first;
  }

  longestStep(v: Float64Array): number {
    const { start, length, lambda } = this;
    const size = hyperbolicNorm(lambda, 0, length);
    // The hyperbolic rotation that takes lambda / size to e takes v to (first, rest).
    let first = (lambda[0] / size) * v[start];
    for (let k = 1; k < length; k++) first -= (lambda[k] / size) * v[start + k];
    const factor = (first + v[start]) / (lambda[0] / size + 1);
    let squares = 0;
    for (let k = 1; k < length; k++) squares += (v[start + k] - (factor * lambda[k]) / size) ** 2;
    const least = (first - Math.sqrt(squares)) / size;
    return least < 0 ? -1 / least : Infinity;
  }
}

function tailNorm(x: Float64Array, start: number, length: number): number {
  let squares = 0;
  for (let k = start + 1; k < start + length; k++) squares += x[k] * x[k];
  return Math.sqrt(squares);
}

/** sqrt(x^T J x), by a product that keeps its digits near the border; NaN or negative outside. */
function hyperbolicNorm(x: Float64Array, start: number, length: number): number {
  const tail = tailNorm(x, start, length);
  return x[start] > tail ? Math.sqrt((x[start] - tail) * (x[start] + tail)) : -1;
}
