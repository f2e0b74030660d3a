import { dot } from "../linear/vector-arithmetic.js";
import { SmallLu } from "./small-lu.js";

/**
 * Limited-memory BFGS approximation in compact form, `B = theta I - W M transpose(W)` with `W = [Y, theta S]` and
 * `M = inverse([-D, transpose(L); L, theta transpose(S) S])` (Byrd, Nocedal and Schnabel 1994, eq. 3.2).
 */
export class CompactHessian {
  theta = 1;
  /** Pairs in memory, at most `memory`. */
  count = 0;
  private readonly memory: number;
  private readonly steps: Float64Array[];
  private readonly changes: Float64Array[];
  private readonly stepDotStep: Float64Array;
  /** Entry (a, b): step of slot a times gradient change of slot b. */
  private readonly stepDotChange: Float64Array;
  private newest = -1;
  private readonly middle: SmallLu;

  constructor(memory: number, n: number) {
    this.memory = memory;
    this.steps = Array.from({ length: memory }, () => new Float64Array(n));
    this.changes = Array.from({ length: memory }, () => new Float64Array(n));
    this.stepDotStep = new Float64Array(memory * memory);
    this.stepDotChange = new Float64Array(memory * memory);
    this.middle = new SmallLu(2 * memory);
  }

  clear(): void {
    this.count = 0;
    this.newest = -1;
    this.theta = 1;
  }

  /** Columns of `W`. */
  get width(): number {
    return 2 * this.count;
  }

  /** Slot of the pair that is number `k` in order of age, the oldest 0. */
  private slot(k: number): number {
    return (this.newest - (this.count - 1 - k) + 2 * this.memory) % this.memory;
  }

  /** Takes in a pair if its curvature is positive enough; false if it was left out. */
  update(newX: Float64Array, oldX: Float64Array, newGradient: Float64Array, oldGradient: Float64Array): boolean {
    const slot = (this.newest + 1) % this.memory;
    const s = this.steps[slot];
    const y = this.changes[slot];
    for (let i = 0; i < s.length; i++) {
      s[i] = newX[i] - oldX[i];
      y[i] = newGradient[i] - oldGradient[i];
    }
    const curvature = dot(s, y);
    const square = dot(y, y);
    if (!(curvature > 2.2e-16 * square)) return this.recover();
    this.newest = slot;
    this.count = Math.min(this.count + 1, this.memory);
    this.theta = square / curvature;
    for (let k = 0; k < this.count; k++) {
      const other = this.slot(k);
      const m = this.memory;
      this.stepDotStep[slot * m + other] = dot(s, this.steps[other]);
      this.stepDotStep[other * m + slot] = this.stepDotStep[slot * m + other];
      this.stepDotChange[slot * m + other] = dot(s, this.changes[other]);
      this.stepDotChange[other * m + slot] = dot(this.steps[other], y);
    }
    if (!this.factorMiddle()) this.clear();
    return true;
  }

  /** A full memory has just lost its oldest pair to the rejected one. */
  private recover(): boolean {
    if (this.count === this.memory) {
      this.count--;
      if (this.count === 0 || !this.factorMiddle()) this.clear();
    }
    return false;
  }

  private factorMiddle(): boolean {
    const { count, memory, middle } = this;
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        const sa = this.slot(a);
        const sb = this.slot(b);
        middle.set(a, b, a === b ? -this.stepDotChange[sa * memory + sa] : 0);
        middle.set(count + a, b, a > b ? this.stepDotChange[sa * memory + sb] : 0);
        middle.set(b, count + a, a > b ? this.stepDotChange[sa * memory + sb] : 0);
        middle.set(count + a, count + b, this.theta * this.stepDotStep[sa * memory + sb]);
      }
    }
    return middle.factor(2 * count);
  }

  /** `v = M v`. */
  applyMiddle(v: Float64Array): void {
    if (this.count > 0) this.middle.solve(v);
  }

  /** Row `i` of `W` into `out`. */
  row(i: number, out: Float64Array): void {
    for (let k = 0; k < this.count; k++) {
      const slot = this.slot(k);
      out[k] = this.changes[slot][i];
      out[this.count + k] = this.theta * this.steps[slot][i];
    }
  }

  /** `out = transpose(W) x`. */
  applyTransposed(x: Float64Array, out: Float64Array): void {
    for (let k = 0; k < this.count; k++) {
      const slot = this.slot(k);
      out[k] = dot(this.changes[slot], x);
      out[this.count + k] = this.theta * dot(this.steps[slot], x);
    }
  }

  /** Entry `i` of `W v`. */
  rowTimes(i: number, v: Float64Array): number {
    let sum = 0;
    for (let k = 0; k < this.count; k++) {
      const slot = this.slot(k);
      sum += this.changes[slot][i] * v[k] + this.theta * this.steps[slot][i] * v[this.count + k];
    }
    return sum;
  }
}
