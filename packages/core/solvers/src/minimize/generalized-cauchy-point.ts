import { dot } from "../linear/vector-arithmetic.js";
import type { CompactHessian } from "./compact-hessian.js";

/**
 * The first local minimiser of the quadratic model along the projected gradient path (Byrd, Lu, Nocedal and Zhu 1995,
 * algorithm CP). Holds its work arrays, so that repeated calls allocate nothing.
 */
export class CauchyPoint {
  /** The point found, `[n]`. */
  readonly x: Float64Array;
  /** `transpose(W) (point - start)`. */
  readonly c: Float64Array;
  private readonly direction: Float64Array;
  private readonly breakpoints: Float64Array;
  private readonly heap: Int32Array;
  private readonly p: Float64Array;
  private readonly w: Float64Array;
  private readonly solved: Float64Array;

  constructor(n: number, memory: number) {
    this.x = new Float64Array(n);
    this.c = new Float64Array(2 * memory);
    this.direction = new Float64Array(n);
    this.breakpoints = new Float64Array(n);
    this.heap = new Int32Array(n);
    this.p = new Float64Array(2 * memory);
    this.w = new Float64Array(2 * memory);
    this.solved = new Float64Array(2 * memory);
  }

  compute(x: Float64Array, gradient: Float64Array, lower: Float64Array, upper: Float64Array, b: CompactHessian): void {
    const { direction, breakpoints, heap, p, c, w } = this;
    const width = b.width;
    this.x.set(x);
    c.fill(0);
    let size = this.findBreakpoints(x, gradient, lower, upper);
    b.applyTransposed(direction, p);
    let slope = -dot(direction, direction);
    if (slope === 0) return;
    let curvature = -b.theta * slope - this.middleProduct(b, p, p, width);
    const smallest = 2.2e-16 * Math.abs(curvature);
    let toMinimum = -slope / curvature;
    let t = 0;
    while (size > 0) {
      const i = heap[0];
      const interval = breakpoints[i] - t;
      if (toMinimum < interval) break;
      heap[0] = heap[--size];
      this.sink(0, size);
      t = breakpoints[i];
      // Variable i stops at its bound; the path turns.
      this.x[i] = direction[i] > 0 ? upper[i] : lower[i];
      const g = gradient[i];
      const z = this.x[i] - x[i];
      for (let k = 0; k < width; k++) c[k] += interval * p[k];
      b.row(i, w);
      slope += interval * curvature + g * g + b.theta * g * z - g * this.middleProduct(b, w, c, width);
      curvature -= b.theta * g * g + 2 * g * this.middleProduct(b, w, p, width);
      curvature -= g * g * this.middleProduct(b, w, w, width);
      curvature = Math.max(curvature, smallest);
      for (let k = 0; k < width; k++) p[k] += g * w[k];
      direction[i] = 0;
      toMinimum = -slope / curvature;
    }
    const rest = this.hasDirection(direction) ? Math.max(toMinimum, 0) : 0;
    for (let i = 0; i < x.length; i++) {
      if (direction[i] !== 0) this.x[i] = x[i] + (t + rest) * direction[i];
    }
    for (let k = 0; k < width; k++) c[k] += rest * p[k];
  }

  /** Sets the direction and a heap of the variables that will meet a bound; returns the heap's size. */
  private findBreakpoints(x: Float64Array, gradient: Float64Array, lower: Float64Array, upper: Float64Array): number {
    let size = 0;
    for (let i = 0; i < x.length; i++) {
      const g = gradient[i];
      const bound = g < 0 ? upper[i] : lower[i];
      const time = g === 0 ? Number.POSITIVE_INFINITY : (x[i] - bound) / g;
      this.direction[i] = time > 0 ? -g : 0;
      this.breakpoints[i] = time;
      if (time > 0 && time < Number.POSITIVE_INFINITY) this.heap[size++] = i;
    }
    for (let k = (size >> 1) - 1; k >= 0; k--) this.sink(k, size);
    return size;
  }

  private sink(from: number, size: number): void {
    const { heap, breakpoints } = this;
    let parent = from;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= size) return;
      if (child + 1 < size && breakpoints[heap[child + 1]] < breakpoints[heap[child]]) child++;
      if (breakpoints[heap[parent]] <= breakpoints[heap[child]]) return;
      const held = heap[parent];
      heap[parent] = heap[child];
      heap[child] = held;
      parent = child;
    }
  }

  private hasDirection(direction: Float64Array): boolean {
    for (let i = 0; i < direction.length; i++) if (direction[i] !== 0) return true;
    return false;
  }

  /** `transpose(u) M v`. */
  private middleProduct(b: CompactHessian, u: Float64Array, v: Float64Array, width: number): number {
    if (width === 0) return 0;
    this.solved.set(v);
    b.applyMiddle(this.solved);
    let sum = 0;
    for (let k = 0; k < width; k++) sum += u[k] * this.solved[k];
    return sum;
  }
}
