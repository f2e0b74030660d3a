import { checkOptions } from "./check-options.js";
import { ValueError } from "./errors.js";

/** One axis or several; negative ones count from the end. */
export type Axes = number | readonly number[];

const NONE = {};

/**
 * @internal The options of an operation whose axis is given by position or by name: `f(x, axis)`, `f(x, axis, rest)` or
 * `f(x, { axis, ...rest })`.
 * @throws ValueError for what is neither an axis nor options, and for unknown options.
 */
export function axisOptions<O extends object>(
  owner: string,
  known: readonly string[],
  axis: Axes | O | undefined,
  rest?: object,
): O {
  if (typeof axis === "number" || Array.isArray(axis)) {
    if (rest === undefined) return { axis } as O;
    checkOptions(owner, rest, known);
    return { ...rest, axis } as O;
  }
  if (axis === undefined) {
    if (rest === undefined) return NONE as O;
    checkOptions(owner, rest, known);
    return rest as O;
  }
  if (typeof axis !== "object" || axis === null) {
    throw new ValueError(
      `${owner}: the axis is ${String(axis)}; give an integer, or an object with the options ${known.join(", ")}`,
    );
  }
  if (rest !== undefined) {
    throw new ValueError(
      `${owner}: options are given twice; name the axis in the first of them, or give it as a number`,
    );
  }
  checkOptions(owner, axis, known);
  return axis as O;
}
