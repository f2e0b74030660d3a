/** A function of the step length along a direction, and where it was last evaluated. */
export interface LineFunction {
  /** Value at the step last evaluated. */
  value: number;
  /** Derivative with respect to the step there. */
  slope: number;
  /** Evaluates at `step` and sets `value` and `slope`. */
  evaluate(step: number): void;
}

/** Constants of {@link wolfeSearch}. */
export interface WolfeOptions {
  /** Sufficient decrease: `f <= f0 + decrease * step * slope0` (default 1e-4). */
  readonly decrease?: number;
  /** Curvature: `|slope| <= curvature * |slope0|` (default 0.9). */
  readonly curvature?: number;
  /** First trial (default 1). */
  readonly firstStep?: number;
  /** Longest step allowed (default unlimited). */
  readonly maxStep?: number;
  /** Most evaluations (default 40). */
  readonly maxEvaluations?: number;
}

interface Point {
  step: number;
  value: number;
  slope: number;
}

/**
 * A step that meets the strong Wolfe conditions, by bracketing and safeguarded cubic interpolation (Nocedal and Wright
 * 2006, alg. 3.5 and 3.6). Where rounding hides the decrease, the approximate conditions of Hager and Zhang (2005)
 * count. At `maxStep` sufficient decrease alone is enough.
 *
 * @param line - Must descend at 0 (`slope0 < 0`). On return its last evaluation is at the step returned.
 * @returns The step, or 0 if none was found.
 */
export function wolfeSearch(line: LineFunction, value0: number, slope0: number, options: WolfeOptions = {}): number {
  return new WolfeSearch(line, value0, slope0, options).run();
}

class WolfeSearch {
  private readonly line: LineFunction;
  private readonly value0: number;
  private readonly slope0: number;
  private readonly decrease: number;
  private readonly curvature: number;
  private readonly firstStep: number;
  private readonly maxStep: number;
  private evaluationsLeft: number;
  private readonly rounding: number;
  private lastStep = 0;

  constructor(line: LineFunction, value0: number, slope0: number, options: WolfeOptions) {
    this.line = line;
    this.value0 = value0;
    this.slope0 = slope0;
    this.decrease = options.decrease ?? 1e-4;
    this.curvature = options.curvature ?? 0.9;
    this.maxStep = options.maxStep ?? Number.POSITIVE_INFINITY;
    this.firstStep = Math.min(options.firstStep ?? 1, this.maxStep);
    this.evaluationsLeft = options.maxEvaluations ?? 40;
    this.rounding = 4e-15 * Math.abs(value0);
  }

  run(): number {
    let before: Point = { step: 0, value: this.value0, slope: this.slope0 };
    let step = this.firstStep;
    while (this.evaluationsLeft > 0) {
      const point = this.evaluate(step);
      if (this.accepts(point)) return step;
      if (!this.decreases(point) || (before.step > 0 && point.value >= before.value)) return this.zoom(before, point);
      if (point.slope >= 0) return this.zoom(point, before);
      if (step >= this.maxStep) return step;
      const trial = cubicMinimum(before, point);
      const low = step + 0.1 * (step - before.step);
      const high = step + 4 * (step - before.step);
      before = point;
      step = Math.min(this.maxStep, trial > low ? Math.min(trial, high) : trial <= low ? low : high);
    }
    return this.settle(before);
  }

  private evaluate(step: number): Point {
    this.line.evaluate(step);
    this.evaluationsLeft--;
    this.lastStep = step;
    return { step, value: this.line.value, slope: this.line.slope };
  }

  private decreases(point: Point): boolean {
    return point.value <= this.value0 + this.decrease * point.step * this.slope0;
  }

  private accepts(point: Point): boolean {
    if (Math.abs(point.slope) <= -this.curvature * this.slope0 && this.decreases(point)) return true;
    const flat = point.slope >= this.curvature * this.slope0 && point.slope <= (2 * this.decrease - 1) * this.slope0;
    return flat && point.value <= this.value0 + this.rounding;
  }

  /** Shrinks the interval between `low` (sufficient decrease, lowest value) and `high` around a good step. */
  private zoom(low: Point, high: Point): number {
    let width = Math.abs(high.step - low.step);
    while (this.evaluationsLeft > 0 && width > 1e-16 * Math.max(low.step, high.step)) {
      const trial = cubicMinimum(low, high);
      const [left, right] = low.step < high.step ? [low.step, high.step] : [high.step, low.step];
      const margin = 0.1 * (right - left);
      const usable = Number.isFinite(high.value) && trial >= left && trial <= right;
      const step = usable ? Math.min(Math.max(trial, left + margin), right - margin) : (left + right) / 2;
      const point = this.evaluate(step);
      if (this.accepts(point)) return step;
      if (!this.decreases(point) || point.value >= low.value) {
        high = point;
      } else {
        if (point.slope * (high.step - low.step) >= 0) high = low;
        low = point;
      }
      const next = Math.abs(high.step - low.step);
      // Interpolation that shrinks too little is followed by a bisection.
      if (next > 0.66 * width && this.evaluationsLeft > 0) {
        const middle = this.evaluate((low.step + high.step) / 2);
        if (this.accepts(middle)) return middle.step;
        if (!this.decreases(middle) || middle.value >= low.value) high = middle;
        else {
          if (middle.slope * (high.step - low.step) >= 0) high = low;
          low = middle;
        }
      }
      width = Math.abs(high.step - low.step);
    }
    return this.settle(low);
  }

  /** The best point found meets the decrease at least; 0 stands for no progress. */
  private settle(point: Point): number {
    if (point.step !== this.lastStep) this.line.evaluate(point.step);
    return point.step;
  }
}

/** Minimiser of the cubic with the values and slopes of both points; `NaN` if there is none. */
function cubicMinimum(a: Point, b: Point): number {
  const length = b.step - a.step;
  const d1 = a.slope + b.slope - (3 * (b.value - a.value)) / length;
  const discriminant = d1 * d1 - a.slope * b.slope;
  if (!(discriminant >= 0)) return Number.NaN;
  const d2 = Math.sign(length) * Math.sqrt(discriminant);
  return b.step - (length * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2);
}
