import {
  checkOptions,
  requireFunction,
  requireInteger,
  requireObject,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import { type Asking, answered } from "../run/asking.js";
import { type LineStart, requireDescent } from "./line-point.js";

/** Constants of {@link armijoSearch}. */
export interface ArmijoOptions {
  /** Sufficient decrease: `f <= f0 + decrease * step * slope0`, in (0, 1) (default 1e-4). */
  readonly decrease?: number;
  /** First trial (default 1). */
  readonly firstStep?: number;
  /** Factor of a step that was too long, in (0, 1) (default 0.5). */
  readonly shrink?: number;
  /** Most evaluations (default 40). */
  readonly maxEvaluations?: number;
}

/** A point that {@link armijoSearch} asks for; no derivative is needed. */
export interface ArmijoPoint {
  /** Length of the step. */
  readonly step: number;
  /** The function there. */
  readonly value: number;
}

/**
 * Backtracking: the first of `firstStep`, `shrink firstStep`, ... that lowers the function enough (Armijo 1966).
 *
 * @param evaluate - The function along the direction; its result comes back, with whatever else it carries. A value that
 * is not finite is stepped back from.
 * @returns The point found; undefined where there is none within `maxEvaluations`. A promise where `evaluate` promises.
 * @throws ValueError unless the function descends at 0; NonFiniteError where it is not finite there.
 */
export function armijoSearch<P extends ArmijoPoint>(
  evaluate: (step: number) => Promise<P>,
  start: LineStart,
  options?: ArmijoOptions,
): Promise<P | undefined>;
export function armijoSearch<P extends ArmijoPoint>(
  evaluate: (step: number) => P,
  start: LineStart,
  options?: ArmijoOptions,
): P | undefined;
export function armijoSearch<P extends ArmijoPoint>(
  evaluate: (step: number) => P | Promise<P>,
  start: LineStart,
  options: ArmijoOptions = {},
): P | undefined | Promise<P | undefined> {
  requireFunction("armijoSearch", "evaluate", evaluate);
  requireObject("armijoSearch", "start", start, "a LineStart");
  checkOptions("armijoSearch", options, ["decrease", "firstStep", "shrink", "maxEvaluations"]);
  const { decrease = 1e-4, firstStep = 1, shrink = 0.5, maxEvaluations = 40 } = options;
  requireDescent("armijoSearch", start);
  if (!(decrease > 0 && decrease < 1))
    throw new ValueError(`armijoSearch: decrease is ${decrease}; it must be in (0, 1)`);
  if (!(shrink > 0 && shrink < 1)) throw new ValueError(`armijoSearch: shrink is ${shrink}; it must be in (0, 1)`);
  requirePositive("armijoSearch", "firstStep", firstStep);
  requireInteger("armijoSearch", "maxEvaluations", maxEvaluations, 0);
  return answered(askArmijo<P>(start, options), evaluate);
}

/** @internal {@link armijoSearch} as a computation that asks for points. */
export function* askArmijo<P extends ArmijoPoint>(
  start: LineStart,
  { decrease = 1e-4, firstStep = 1, shrink = 0.5, maxEvaluations = 40 }: ArmijoOptions,
): Asking<number, P, P | undefined> {
  let step = firstStep;
  for (let k = 0; k < maxEvaluations; k++, step *= shrink) {
    const point = yield step;
    const lowest = start.value + decrease * step * start.slope;
    if (Number.isFinite(point.value) && point.value <= lowest) return point;
  }
  return undefined;
}

/**
 * The step that minimises a quadratic function along a direction `d` exactly: `-slope / curvature` with the slope
 * `g . d` and the curvature `d . H d`.
 * @throws ValueError unless the curvature is positive: elsewhere there is no minimum.
 */
export function quadraticStep(slope: number, curvature: number): number {
  if (!(curvature > 0)) {
    throw new ValueError(
      `quadraticStep: the curvature is ${curvature}; the function has no minimum along the direction`,
    );
  }
  return -slope / curvature;
}
