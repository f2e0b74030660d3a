import { dot } from "../linear/vector-arithmetic.js";
import type { CurvaturePair } from "./curvature-pair.js";
import { SmallLu } from "./small-lu.js";

/** Pairs, the oldest first, and their inner products: all that {@link CompactHessian} is made of. */
export interface CurvatureMemory {
  readonly pairs: readonly CurvaturePair[];
  /** `[pairs, pairs]`: products of steps. */
  readonly stepDotStep: Float64Array;
  /** `[pairs, pairs]`: entry (a, b) is step `a` times gradient change `b`. */
  readonly stepDotChange: Float64Array;
}

/** Memory of nothing: the Hessian is the identity. */
export const noCurvature: CurvatureMemory = {
  pairs: [],
  stepDotStep: new Float64Array(0),
  stepDotChange: new Float64Array(0),
};

/** The memory with one more pair, the oldest left out where there are more than `most`. */
export function remember(memory: CurvatureMemory, pair: CurvaturePair, most: number): CurvatureMemory {
  const pairs = [...memory.pairs, pair].slice(-most);
  const size = pairs.length;
  const before = memory.pairs.length;
  const dropped = before + 1 - size;
  const stepDotStep = new Float64Array(size * size);
  const stepDotChange = new Float64Array(size * size);
  const last = size - 1;
  for (let a = 0; a < last; a++) {
    for (let b = 0; b < last; b++) {
      const from = (a + dropped) * before + b + dropped;
      stepDotStep[a * size + b] = memory.stepDotStep[from];
      stepDotChange[a * size + b] = memory.stepDotChange[from];
    }
    stepDotStep[a * size + last] = dot(pairs[a].step, pair.step);
    stepDotStep[last * size + a] = stepDotStep[a * size + last];
    stepDotChange[a * size + last] = dot(pairs[a].step, pair.change);
    stepDotChange[last * size + a] = dot(pair.step, pairs[a].change);
  }
  stepDotStep[last * size + last] = dot(pair.step, pair.step);
  stepDotChange[last * size + last] = pair.curvature;
  return { pairs, stepDotStep, stepDotChange };
}

/**
 * Limited-memory BFGS approximation in compact form, `B = theta I - W M transpose(W)` with `W = [Y, theta S]` and
 * `M = inverse([-D, transpose(L); L, theta transpose(S) S])` (Byrd, Nocedal and Schnabel 1994, eq. 3.2).
 */
export class CompactHessian {
  readonly theta: number;
  /** Columns of `W`. */
  readonly width: number;
  private readonly pairs: readonly CurvaturePair[];
  private readonly middle: SmallLu;

  private constructor(pairs: readonly CurvaturePair[]) {
    this.pairs = pairs;
    this.width = 2 * pairs.length;
    this.middle = new SmallLu(this.width);
    const newest = pairs[pairs.length - 1];
    this.theta = newest === undefined ? 1 : newest.square / newest.curvature;
  }

  /** The approximation that a memory makes; that of no memory where its middle matrix is singular. */
  static of(memory: CurvatureMemory): CompactHessian {
    const hessian = new CompactHessian(memory.pairs);
    return hessian.factorMiddle(memory) ? hessian : new CompactHessian([]);
  }

  private factorMiddle({ pairs, stepDotStep, stepDotChange }: CurvatureMemory): boolean {
    const count = pairs.length;
    const { middle, theta } = this;
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        const lower = a > b ? stepDotChange[a * count + b] : 0;
        middle.set(a, b, a === b ? -stepDotChange[a * count + a] : 0);
        middle.set(count + a, b, lower);
        middle.set(b, count + a, lower);
        middle.set(count + a, count + b, theta * stepDotStep[a * count + b]);
      }
    }
    return middle.factor(2 * count);
  }

  /** `v = M v`. */
  applyMiddle(v: Float64Array): void {
    if (this.width > 0) this.middle.solve(v);
  }

  /** Row `i` of `W` into `out`. */
  row(i: number, out: Float64Array): void {
    const { pairs, theta } = this;
    for (let k = 0; k < pairs.length; k++) {
      out[k] = pairs[k].change[i];
      out[pairs.length + k] = theta * pairs[k].step[i];
    }
  }

  /** `out = transpose(W) x`. */
  applyTransposed(x: Float64Array, out: Float64Array): void {
    const { pairs, theta } = this;
    for (let k = 0; k < pairs.length; k++) {
      out[k] = dot(pairs[k].change, x);
      out[pairs.length + k] = theta * dot(pairs[k].step, x);
    }
  }

  /** Entry `i` of `W v`. */
  rowTimes(i: number, v: Float64Array): number {
    const { pairs, theta } = this;
    let sum = 0;
    for (let k = 0; k < pairs.length; k++) {
      sum += pairs[k].change[i] * v[k] + theta * pairs[k].step[i] * v[pairs.length + k];
    }
    return sum;
  }
}
