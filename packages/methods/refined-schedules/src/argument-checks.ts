import { ShapeError, ValueError } from "@offprint/tensor-core";

/** A copy; throws a ValueError unless it is an array of numbers, which may be NaN, and has at least one. */
export function readNumbers(owner: string, name: string, x: ArrayLike<number>): Float64Array {
  const given: unknown = x;
  if (!Array.isArray(given) && !(ArrayBuffer.isView(given) && !(given instanceof DataView))) {
    throw new ValueError(`${owner}: ${name} must be an array of numbers, got ${typeof given}`);
  }
  if (x.length === 0) throw new ValueError(`${owner}: ${name} is empty; give one value per step`);
  const wrong = Array.from(x).findIndex((value) => typeof value !== "number");
  if (wrong >= 0) throw new ValueError(`${owner}: ${name}[${wrong}] is a ${typeof x[wrong]}; it must be a number`);
  return Float64Array.from(x);
}

/** A copy of gradient norms; throws a ValueError unless there is at least one and all are finite and >= 0. */
export function readNorms(owner: string, norms: ArrayLike<number>): Float64Array {
  if (norms?.length === 0) throw new ValueError(`${owner}: there are no gradient norms; record one per step`);
  const copy = readNumbers(owner, "norms", norms);
  const bad = copy.findIndex((g) => !(g >= 0 && g < Infinity));
  if (bad >= 0) {
    throw new ValueError(
      `${owner}: the gradient norm at index ${bad} is ${copy[bad]}; norms are finite and >= 0 (dropNonFinite of ` +
        "refineSchedule leaves out what a logger could not record)",
    );
  }
  return copy;
}

/** Throws a ValueError naming the first norm that is zero, as the formulas divide by them. */
export function requirePositiveNorms(owner: string, norms: Float64Array): void {
  const zero = norms.indexOf(0);
  if (zero >= 0) {
    throw new ValueError(
      `${owner}: the gradient norm at index ${zero} is 0, whose weight would be infinite; refinement needs gradients ` +
        "that do not vanish (a model that interpolates its data is no case for it), or a floor > 0",
    );
  }
}

/** A copy of step sizes or weights; throws a ValueError unless all are finite and > 0 (or >= 0 where zero is allowed). */
export function readSteps(owner: string, name: string, x: ArrayLike<number>, zeroAllowed = false): Float64Array {
  const copy = readNumbers(owner, name, x);
  const bad = copy.findIndex((v) => !(v < Infinity && (zeroAllowed ? v >= 0 : v > 0)));
  if (bad >= 0) {
    const allowed = zeroAllowed ? ">= 0" : "> 0";
    throw new ValueError(`${owner}: ${name}[${bad}] is ${copy[bad]}; it must be a finite number ${allowed}`);
  }
  return copy;
}

/** Throws a ShapeError unless both have one entry per step. */
export function requireSameLength(owner: string, name: string, x: ArrayLike<number>, norms: ArrayLike<number>): void {
  if (x.length !== norms.length) {
    throw new ShapeError(
      `${owner}: ${name} has ${x.length} entries and there are ${norms.length} norms; give one per step`,
    );
  }
}

/** Throws a ValueError unless the distance `D` to a minimiser is a finite number > 0. */
export function requireDistance(owner: string, distance: number): void {
  if (!(distance > 0 && distance < Infinity)) {
    throw new ValueError(`${owner}: the distance D is ${distance}; it must be a finite number > 0`);
  }
}

/** Throws a ValueError unless `T` is an integer >= 1. */
export function requireStepCount(owner: string, steps: number, name = "T"): void {
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new ValueError(`${owner}: ${name} is ${steps}; the number of steps is an integer >= 1`);
  }
}
