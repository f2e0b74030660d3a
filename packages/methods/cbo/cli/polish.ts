import { levenbergMarquardt } from "@offprint/solvers";
import { add, div, mul, sin, square, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { byName, type Curve, curveValues } from "./curve.js";
import type { Bounds } from "./search-region.js";

/** Parameters where squares are least nearby. */
export interface Polished {
  /** By name. */
  readonly values: Readonly<Record<string, number>>;
  /** Sum of squares of what is left, over the square of the target's unit. */
  readonly squares: number;
  /** Those that stand at a bound. */
  readonly atBound: readonly string[];
  /** Whether no step lowers the squares any more. */
  readonly settled: boolean;
}

/** How near to a bound, in parts of what is between both or of the size, a parameter may belong upon it. */
const NEAR = 1e-3;

/**
 * Goes downhill from a point that a search has found, by Levenberg and Marquardt's method. A parameter that comes near to
 * a bound is put upon it where squares do not grow by that.
 * @param sizes - Of the parameters, for those that begin at 0.
 * @param unit - Size of the target.
 */
export async function polish(
  curve: Curve,
  start: Readonly<Record<string, number>>,
  bounds: Readonly<Record<string, Bounds>>,
  sizes: Readonly<Record<string, number>>,
  unit: number,
): Promise<Polished> {
  let best = await descend(curve, start, bounds, sizes, unit, {});
  for (let round = 0; round < curve.parameters.length; round++) {
    const upon = nearBounds(best.values, bounds, best.atBound, sizes);
    if (Object.keys(upon).length === 0) break;
    const held = { ...Object.fromEntries(best.atBound.map((name) => [name, best.values[name]])), ...upon };
    const next = await descend(curve, best.values, bounds, sizes, unit, held);
    if (!(next.squares <= best.squares * (1 + 1e-9))) break;
    best = next;
  }
  return best;
}

function nearBounds(
  values: Readonly<Record<string, number>>,
  bounds: Readonly<Record<string, Bounds>>,
  already: readonly string[],
  sizes: Readonly<Record<string, number>>,
): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, limits] of Object.entries(bounds)) {
    if (already.includes(name)) continue;
    const width = limits[1] - limits[0];
    const near = NEAR * (width < Infinity ? width : Math.max(sizes[name], Math.abs(values[name])));
    const limit = limits.find((each) => Math.abs(values[name] - each) <= near);
    if (limit !== undefined) found[name] = limit;
  }
  return found;
}

async function descend(
  curve: Curve,
  start: Readonly<Record<string, number>>,
  bounds: Readonly<Record<string, Bounds>>,
  sizes: Readonly<Record<string, number>>,
  unit: number,
  held: Readonly<Record<string, number>>,
): Promise<Polished> {
  const names = curve.parameters.filter((name) => !Object.hasOwn(held, name));
  const coordinates = names.map((name) =>
    coordinateOf(start[name], bounds[name] ?? [-Infinity, Infinity], sizes[name]),
  );
  const valuesAt = (q: Tensor): Record<string, Tensor> => {
    const each = byName(names, q);
    return Object.fromEntries(names.map((name, i) => [name, coordinates[i].value(each[name])]));
  };
  const left = (values: Readonly<Record<string, Tensor | number>>) =>
    div(mul(sub(curveValues(curve, values), curve.target), curve.weights), unit);
  const residuals = (q: Tensor) => left({ ...held, ...valuesAt(q) });
  const q0 = tensor(
    coordinates.map(({ at }) => at),
    { dtype: "float64" },
  );
  const atBound = Object.keys(held);
  if (names.length === 0) {
    return { values: held, squares: square(left(held)).sum().item(), atBound, settled: true };
  }
  const { x, objective, status } = await levenbergMarquardt(residuals, q0, {
    gradientTolerance: 1e-15,
    stepTolerance: 1e-11,
    maxIterations: 2000,
    compile: true,
  });
  const found = valuesAt(x as Tensor);
  const free = Object.fromEntries(names.map((name) => [name, found[name].item()]));
  const values = Object.fromEntries(curve.parameters.map((name) => [name, free[name] ?? held[name]]));
  return { values, squares: 2 * objective, atBound, settled: status !== "limit" };
}

/** A coordinate without bounds, of size about 1, for a parameter with bounds. */
function coordinateOf(start: number, [lower, upper]: Bounds, size: number) {
  const width = upper - lower;
  if (width < Infinity) {
    const inside = Math.min(1 - NEAR, Math.max(NEAR - 1, (2 * (start - lower)) / width - 1));
    return { at: Math.asin(inside), value: (t: Tensor) => add(mul(add(sin(t), 1), width / 2), lower) };
  }
  if (Number.isFinite(lower) || Number.isFinite(upper)) {
    const [from, sign] = Number.isFinite(lower) ? [lower, 1] : [upper, -1];
    const inside = Math.max(NEAR * size, sign * (start - from));
    return { at: 1, value: (t: Tensor) => add(mul(square(t), sign * inside), from) };
  }
  const unit = Math.abs(start) || size;
  return { at: start / unit, value: (t: Tensor) => mul(t, unit) };
}
