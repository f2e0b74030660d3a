import { add, less, minimum, scatterSet, sub, type Tensor, take, tensor, whileLoop } from "@offprint/tensor-core";
import { unwritten } from "@offprint/tensor-core/internal";
import { withinStep } from "../advance.js";
import type { Step } from "../methods/method.js";
import { advanceOf, type Problem, type Times, type Trajectory } from "./trajectory.js";

/** Steps that were made again. */
export interface Remade {
  /** What was kept of each, `[states kept apart, width]`; behind the last whatever was there. */
  readonly rows: Tensor;
  /** The state where the last one ends. */
  readonly y: Tensor;
}

/** Makes the steps from `first` to before `end` again from the state `y`, where the first begins, and keeps a row of each. */
export function remade<P>(
  problem: Problem<P>,
  { stepTimes, stepSizes }: Trajectory,
  parameters: P,
  [t0, t1]: Times,
  y: Tensor,
  [first, end]: readonly [Tensor, Tensor],
  width: number,
  rowOf: (step: Step, y: Tensor) => Tensor,
): Remade {
  const given = advanceOf(problem, parameters, t0, t1);
  const rate = given.system.rate(take(stepTimes, first), y);
  const rows = unwritten([problem.keeping.states, width], rate);
  const start = { place: tensor(0, { dtype: "int32" }), y, rate, rows };
  return whileLoop(
    ({ place }: typeof start) => less(add(first, place), end),
    (s: typeof start): typeof start => {
      // Under vmap steps are made on, without effect, until those of all solves are.
      const [t, h] = [stepTimes, stepSizes].map((row) => take(row, minimum(add(first, s.place), row.size - 1)));
      const step = problem.method.step(withinStep(given, t, h), t, s.y, h, s.rate);
      return {
        place: add(s.place, 1),
        y: step.next,
        // Behind a forced stop the rate may be another.
        rate: problem.stopAt.length === 0 ? step.last : given.system.rate(add(t, h), step.next),
        rows: scatterSet(s.rows, minimum(s.place, problem.keeping.states - 1), rowOf(step, s.y)),
      };
    },
    start,
  );
}

/** The states where the steps from `first` to `last` begin. */
export function statesAgain<P>(
  problem: Problem<P>,
  trajectory: Trajectory,
  parameters: P,
  times: Times,
  y: Tensor,
  [first, last]: readonly [Tensor, Tensor],
): Tensor {
  const made = remade(problem, trajectory, parameters, times, y, [first, last], y.size, (_, state) => state);
  return scatterSet(made.rows, sub(last, first), made.y);
}
