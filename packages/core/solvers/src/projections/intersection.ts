import { add, checkOptions, requireInteger, scan, sub, type Tensor, ValueError } from "@offprint/tensor-core";
import { asFloat64 } from "../operand.js";
import type { Projection } from "./norm-sets.js";

/** Options of {@link intersection}. */
export interface IntersectionOptions {
  /** Rounds over all sets (default 200). Convergence is linear for polyhedra. */
  readonly maxIterations?: number;
}

/**
 * The intersection of sets, by Dykstra's alternating projections (Boyle and Dykstra 1986): a fixed number of rounds, so
 * that it traces to one loop and has a gradient.
 * @throws ValueError where no sets are given.
 */
export function intersection(sets: readonly Projection[], options: IntersectionOptions = {}): Projection {
  checkOptions("projections.intersection", options, ["maxIterations"]);
  const { maxIterations = 200 } = options;
  requireInteger("projections.intersection", "maxIterations", maxIterations, 1);
  if (sets.length === 0) throw new ValueError("projections.intersection: no sets are given; give at least one");
  return (x) => {
    const start = asFloat64(x);
    const none: Tensor[] = sets.map(() => sub(start, start));
    const round = (state: { point: Tensor; corrections: Tensor[] }) => {
      let { point } = state;
      const corrections = sets.map((project, i) => {
        const shifted = add(point, state.corrections[i]);
        point = project(shifted);
        return sub(shifted, point);
      });
      return [{ point, corrections }, null] as [{ point: Tensor; corrections: Tensor[] }, null];
    };
    return scan(round, { point: start, corrections: none }, null, { length: maxIterations })[0].point;
  };
}
