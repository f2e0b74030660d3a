import { checkOptions, requireObject, ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";
import { readArray, readMasses } from "./transport-problem.js";

/** Masses on a line. */
export interface LineMasses {
  /** `[n]` places, in any order. */
  readonly positions: TensorLike;
  /** `[n]` masses >= 0 that sum to 1. Default 1/n each. */
  readonly masses?: TensorLike;
}

/**
 * The exact cost of optimal transport on the line for the cost |s - t|^p, p >= 1, which is W_p^p: masses are matched in
 * their order. No regularisation; the ground truth for one-dimensional problems.
 *
 * @param p power of the distance, >= 1; default 1
 * @throws ShapeError, ValueError for what is wrong with an argument
 * @example
 * wasserstein1d({ positions: [0, 1] }, { positions: [2, 3] }, 2) // 4
 */
export function wasserstein1d(source: LineMasses, target: LineMasses, p = 1): number {
  requireObject("wasserstein1d", "source", source, "LineMasses");
  requireObject("wasserstein1d", "target", target, "LineMasses");
  if (!(p >= 1 && p < Infinity)) {
    throw new ValueError(
      `wasserstein1d: p is ${p}; for powers of the distance below 1 matching in order is not optimal`,
    );
  }
  const [a, b] = [sorted("source", source), sorted("target", target)];
  let [i, j, cost] = [0, 0, 0];
  let [left, right] = [a.masses[0], b.masses[0]];
  while (i < a.masses.length && j < b.masses.length) {
    const moved = Math.min(left, right);
    cost += moved * Math.abs(a.positions[i] - b.positions[j]) ** p;
    left -= moved;
    right -= moved;
    if (left <= right) left = a.masses[++i];
    else right = b.masses[++j];
    if (right === 0) right = b.masses[++j];
  }
  return cost;
}

function sorted(name: string, given: LineMasses): { positions: Float64Array; masses: Float64Array } {
  const owner = "wasserstein1d";
  checkOptions(`${owner}: ${name}`, given, ["positions", "masses"]);
  const { positions, masses } = given;
  const { data } = readArray(owner, `${name}.positions`, positions, 1);
  if (data.length === 0) throw new ShapeError(`${owner}: ${name}.positions is empty; give at least one place`);
  const mass = readMasses(owner, name, masses, data.length, true);
  const order = Array.from(data.keys())
    .filter((i) => mass[i] > 0)
    .sort((i, j) => data[i] - data[j]);
  return { positions: Float64Array.from(order, (i) => data[i]), masses: Float64Array.from(order, (i) => mass[i]) };
}
