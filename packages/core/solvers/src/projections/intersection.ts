import {
  add,
  checkOptions,
  greater,
  less,
  logicalAnd,
  requireInteger,
  requireObject,
  requirePositive,
  scan,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  ValueError,
  whileLoop,
} from "@offprint/tensor-core";
import { asFloat64 } from "../operand.js";
import type { Projection } from "./norm-sets.js";

/** Options of {@link intersection}. */
export interface IntersectionOptions {
  /** Rounds over all sets, at most where there is a tolerance (default 200). Convergence is linear for polyhedra. */
  readonly maxIterations?: number;
  /**
   * Ends when a round changes the corrections by at most this, in Euclidean norm over the whole batch (Birgin and Raydan
   * 2005: the distance between rounds alone can be small far from the solution). Default: all rounds are made, as one
   * loop that has a gradient when traced; with a tolerance only eager runs have one.
   */
  readonly tolerance?: number;
}

/**
 * The intersection of sets, by Dykstra's alternating projections (Boyle and Dykstra 1986): a fixed number of rounds, so
 * that it traces to one loop and has a gradient, or until a tolerance is met.
 * @throws ValueError where no sets are given.
 */
export function intersection(sets: readonly Projection[], options: IntersectionOptions = {}): Projection {
  requireObject("projections.intersection", "sets", sets, "an array");
  checkOptions("projections.intersection", options, ["maxIterations", "tolerance"]);
  const { maxIterations = 200, tolerance } = options;
  requireInteger("projections.intersection", "maxIterations", maxIterations, 1);
  if (tolerance !== undefined) requirePositive("projections.intersection", "tolerance", tolerance);
  if (sets.length === 0) throw new ValueError("projections.intersection: no sets are given; give at least one");
  return (x) => {
    const start = asFloat64(x);
    const none: Tensor[] = sets.map(() => sub(start, start));
    const round = (state: Dykstra): Dykstra => {
      let { point } = state;
      const corrections = sets.map((project, i) => {
        const shifted = add(point, state.corrections[i]);
        point = project(shifted);
        return sub(shifted, point);
      });
      return { point, corrections };
    };
    const first = { point: start, corrections: none };
    if (tolerance === undefined) {
      const body = (state: Dykstra): [Dykstra, null] => [round(state), null];
      return scan(body, first, null, { length: maxIterations })[0].point;
    }
    const change = (a: Dykstra, b: Dykstra) =>
      a.corrections.map((c, i) => sum(square(sub(c, b.corrections[i])))).reduce((total, part) => add(total, part));
    const far = tensor(Number.POSITIVE_INFINITY, { dtype: start.dtype });
    return whileLoop(
      ({ moved, count }) => logicalAnd(greater(moved, tolerance ** 2), less(count, maxIterations)),
      ({ state, count }) => {
        const next = round(state);
        return { state: next, moved: change(next, state), count: add(count, 1) };
      },
      { state: first as Dykstra, moved: far, count: tensor(0, { dtype: "int32" }) },
    ).state.point;
  };
}

interface Dykstra {
  readonly point: Tensor;
  /** What each set has taken off, to be given back before its next turn. */
  readonly corrections: Tensor[];
}
