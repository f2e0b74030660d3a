import type { CompactHessian } from "./compact-hessian.js";
import type { CauchyPoint } from "./generalized-cauchy-point.js";
import { SmallLu } from "./small-lu.js";

/**
 * Minimises the quadratic model over the variables that are free at the Cauchy point (direct primal method of Byrd, Lu,
 * Nocedal and Zhu 1995, section 5.1), then returns to the box: by projection if that still descends (Morales and Nocedal
 * 2011), else by cutting the step short.
 */
export class SubspaceMinimum {
  private readonly free: Int32Array;
  private readonly reduced: Float64Array;
  private readonly step: Float64Array;
  private readonly v: Float64Array;
  private readonly row: Float64Array;
  private readonly gram: Float64Array;
  private readonly system: SmallLu;
  private readonly column: Float64Array;
  private readonly capacity: number;

  constructor(n: number, memory: number) {
    this.capacity = 2 * memory;
    this.free = new Int32Array(n);
    this.reduced = new Float64Array(n);
    this.step = new Float64Array(n);
    this.v = new Float64Array(this.capacity);
    this.row = new Float64Array(this.capacity);
    this.column = new Float64Array(this.capacity);
    this.gram = new Float64Array(this.capacity * this.capacity);
    this.system = new SmallLu(this.capacity);
  }

  /** Writes the minimiser into `out`, `[n]`. */
  compute(
    x: Float64Array,
    gradient: Float64Array,
    lower: Float64Array,
    upper: Float64Array,
    b: CompactHessian,
    cauchy: CauchyPoint,
    out: Float64Array,
  ): void {
    out.set(cauchy.x);
    let count = 0;
    for (let i = 0; i < x.length; i++) if (out[i] > lower[i] && out[i] < upper[i]) this.free[count++] = i;
    if (count === 0 || b.width === 0) return;
    this.reducedGradient(x, gradient, b, cauchy, count);
    if (!this.solve(b, count)) return;

    for (let k = 0; k < count; k++) {
      const i = this.free[k];
      out[i] = Math.min(Math.max(cauchy.x[i] + this.step[k], lower[i]), upper[i]);
    }
    let slope = 0;
    for (let i = 0; i < x.length; i++) slope += (out[i] - x[i]) * gradient[i];
    if (slope < 0) return;
    this.truncate(lower, upper, cauchy, count, out);
  }

  /** Gradient of the model at the Cauchy point, free part. */
  private reducedGradient(
    x: Float64Array,
    gradient: Float64Array,
    b: CompactHessian,
    cauchy: CauchyPoint,
    count: number,
  ): void {
    this.v.set(cauchy.c);
    b.applyMiddle(this.v);
    for (let k = 0; k < count; k++) {
      const i = this.free[k];
      this.reduced[k] = gradient[i] + b.theta * (cauchy.x[i] - x[i]) - b.rowTimes(i, this.v);
    }
  }

  /** Newton step in the free variables, by the Sherman-Morrison-Woodbury formula. */
  private solve(b: CompactHessian, count: number): boolean {
    const { v, row, gram, column, system, capacity } = this;
    const width = b.width;
    v.fill(0);
    gram.fill(0);
    for (let k = 0; k < count; k++) {
      b.row(this.free[k], row);
      for (let p = 0; p < width; p++) {
        v[p] += row[p] * this.reduced[k];
        for (let q = 0; q < width; q++) gram[p * capacity + q] += row[p] * row[q];
      }
    }
    b.applyMiddle(v);
    // (I - M transpose(W) Z transpose(Z) W / theta) v' = v
    for (let q = 0; q < width; q++) {
      for (let p = 0; p < width; p++) column[p] = gram[p * capacity + q] / b.theta;
      b.applyMiddle(column);
      for (let p = 0; p < width; p++) system.set(p, q, (p === q ? 1 : 0) - column[p]);
    }
    if (!system.factor(width)) return false;
    system.solve(v);
    for (let k = 0; k < count; k++) {
      this.step[k] = -(this.reduced[k] + b.rowTimes(this.free[k], v) / b.theta) / b.theta;
      if (!Number.isFinite(this.step[k])) return false;
    }
    return true;
  }

  private truncate(
    lower: Float64Array,
    upper: Float64Array,
    cauchy: CauchyPoint,
    count: number,
    out: Float64Array,
  ): void {
    let fraction = 1;
    for (let k = 0; k < count; k++) {
      const i = this.free[k];
      const step = this.step[k];
      if (step > 0) fraction = Math.min(fraction, (upper[i] - cauchy.x[i]) / step);
      else if (step < 0) fraction = Math.min(fraction, (lower[i] - cauchy.x[i]) / step);
    }
    for (let k = 0; k < count; k++) {
      const i = this.free[k];
      out[i] = Math.min(Math.max(cauchy.x[i] + fraction * this.step[k], lower[i]), upper[i]);
    }
  }
}
