import { checkOptions, requireFunction, requireObject } from "@offprint/tensor-core";
import { type Asking, answered } from "../run/asking.js";
import { type LinePoint, type LineStart, requireDescent } from "./line-point.js";

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
  /** Relative size of rounding errors of `f` (default 4e-15, for float64). */
  readonly rounding?: number;
}

/**
 * A step that meets the strong Wolfe conditions, by bracketing and safeguarded cubic interpolation (Nocedal and Wright
 * 2006, alg. 3.5 and 3.6). Where rounding hides the decrease, the approximate conditions of Hager and Zhang (2005)
 * count. At `maxStep` sufficient decrease alone is enough.
 *
 * @param evaluate - The function along the direction; its result comes back, with whatever else it carries. A value that
 * is not finite is stepped back from.
 * @returns The point found; undefined where no step lowers the function. A promise where `evaluate` promises.
 * @throws ValueError unless the function descends at 0; NonFiniteError where it is not finite there.
 */
export function wolfeSearch<P extends LinePoint>(
  evaluate: (step: number) => Promise<P>,
  start: LineStart,
  options?: WolfeOptions,
): Promise<P | undefined>;
export function wolfeSearch<P extends LinePoint>(
  evaluate: (step: number) => P,
  start: LineStart,
  options?: WolfeOptions,
): P | undefined;
export function wolfeSearch<P extends LinePoint>(
  evaluate: (step: number) => P | Promise<P>,
  start: LineStart,
  options: WolfeOptions = {},
): P | undefined | Promise<P | undefined> {
  requireFunction("wolfeSearch", "evaluate", evaluate);
  requireObject("wolfeSearch", "start", start, "a LineStart");
  checkOptions("wolfeSearch", options, ["decrease", "curvature", "firstStep", "maxStep", "maxEvaluations", "rounding"]);
  requireDescent("wolfeSearch", start);
  return answered(askWolfe<P>(start, options), evaluate);
}

/** @internal {@link wolfeSearch} as a computation that asks for points. */
export function askWolfe<P extends LinePoint>(
  start: LineStart,
  options: WolfeOptions,
): Asking<number, P, P | undefined> {
  return new WolfeSearch<P>(start, options).run();
}

class WolfeSearch<P extends LinePoint> {
  private readonly start: LineStart;
  private readonly decrease: number;
  private readonly curvature: number;
  private readonly firstStep: number;
  private readonly maxStep: number;
  private evaluationsLeft: number;
  private readonly rounding: number;

  constructor(start: LineStart, options: WolfeOptions) {
    this.start = start;
    this.decrease = options.decrease ?? 1e-4;
    this.curvature = options.curvature ?? 0.9;
    this.maxStep = options.maxStep ?? Number.POSITIVE_INFINITY;
    this.firstStep = Math.min(options.firstStep ?? 1, this.maxStep);
    this.evaluationsLeft = options.maxEvaluations ?? 40;
    this.rounding = (options.rounding ?? 4e-15) * Math.abs(start.value);
  }

  *run(): Asking<number, P, P | undefined> {
    let before: LinePoint = { step: 0, ...this.start };
    let best: P | undefined;
    let step = this.firstStep;
    let short = 0;
    while (this.evaluationsLeft > 0) {
      const point = yield* this.ask(step);
      if (this.accepts(point)) return point;
      // So short a step that rounding hides what the value does, and the slope is as it was: on, and fast.
      const hidden = (before.step - step) * before.slope <= this.rounding && point.slope <= (1 - 1e-6) * before.slope;
      const rises = hidden ? point.value > before.value : point.value >= before.value;
      if (!this.decreases(point) || (before.step > 0 && rises)) {
        return yield* this.zoom(before, best, point);
      }
      if (point.slope >= 0) return yield* this.zoom(point, point, before);
      if (step >= this.maxStep) return point;
      const trial = hidden ? Number.POSITIVE_INFINITY : cubicMinimum(before, point);
      const low = step + 0.1 * (step - before.step);
      const high = step + 4 ** hastened(short) * (step - before.step);
      short = trial <= high ? 0 : short + 1;
      before = best = point;
      step = Math.min(this.maxStep, trial > low ? Math.min(trial, high) : trial <= low ? low : high);
    }
    return best;
  }

  private *ask(step: number): Asking<number, P, P> {
    this.evaluationsLeft--;
    const point = yield step;
    if (Number.isFinite(point.value) && Number.isFinite(point.slope)) return point;
    return { ...point, value: Number.POSITIVE_INFINITY };
  }

  private decreases(point: LinePoint): boolean {
    return point.value <= this.start.value + this.decrease * point.step * this.start.slope;
  }

  private accepts(point: LinePoint): boolean {
    const { value, slope } = this.start;
    if (Math.abs(point.slope) <= -this.curvature * slope && this.decreases(point)) return true;
    const flat = point.slope >= this.curvature * slope && point.slope <= (2 * this.decrease - 1) * slope;
    return flat && point.value <= value + this.rounding;
  }

  /**
   * Shrinks the interval between `low` (sufficient decrease, lowest value) and `high` around a good step. `best` is
   * `low` unless that is where the search began.
   */
  private *zoom(low: LinePoint, best: P | undefined, high: LinePoint): Asking<number, P, P | undefined> {
    let width = Math.abs(high.step - low.step);
    let long = 0;
    const narrow = (point: P): void => {
      if (!this.decreases(point) || point.value >= low.value) {
        high = point;
        return;
      }
      if (point.slope * (high.step - low.step) >= 0) high = low;
      low = best = point;
    };
    while (this.evaluationsLeft > 0 && width > 1e-16 * Math.max(low.step, high.step)) {
      const trial = cubicMinimum(low, high);
      const [left, right] = low.step < high.step ? [low.step, high.step] : [high.step, low.step];
      const [near, far] = [0.1 ** hastened(long) * (right - left), 0.1 * (right - left)];
      const usable = Number.isFinite(high.value) && trial >= left && trial <= right;
      const half = 0.5 ** hastened(long) * (right - left);
      const step = usable ? Math.min(Math.max(trial, left + near), right - far) : left + half;
      const point = yield* this.ask(step);
      if (this.accepts(point)) return point;
      narrow(point);
      const tooLong = low.step === left && !(usable && trial > left + near) && high.value - low.value > this.rounding;
      long = tooLong ? long + 1 : 0;
      // Interpolation that shrinks too little is followed by a bisection.
      if (Math.abs(high.step - low.step) > 0.66 * width && this.evaluationsLeft > 0) {
        const middle = yield* this.ask((low.step + high.step) / 2);
        if (this.accepts(middle)) return middle;
        narrow(middle);
      }
      width = Math.abs(high.step - low.step);
    }
    return best;
  }
}

/**
 * A power to raise the safeguard of steps to, where `times` of them in a row met it: a function of another unit is within
 * reach then, however large or small that is.
 */
function hastened(times: number): number {
  return 2 ** Math.min(4, Math.max(0, times - 3));
}

/** Minimiser of the cubic with the values and slopes of both points; `NaN` if there is none. */
function cubicMinimum(a: LinePoint, b: LinePoint): number {
  const length = b.step - a.step;
  const mean = (3 * (b.value - a.value)) / length;
  // A power of two, which rounds nothing: the squares of slopes neither overflow nor vanish.
  const unit = 2 ** Math.floor(Math.log2(Math.max(Math.abs(a.slope), Math.abs(b.slope), Math.abs(mean))));
  const [before, after] = [a.slope / unit, b.slope / unit];
  const d1 = before + after - mean / unit;
  const discriminant = d1 * d1 - before * after;
  if (!(discriminant >= 0)) return Number.NaN;
  const d2 = Math.sign(length) * Math.sqrt(discriminant);
  return b.step - (length * (after + d2 - d1)) / (after - before + 2 * d2);
}
