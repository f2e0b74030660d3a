import { neg, type Tensor, tree, vjp, zerosLike } from "@offprint/tensor-core";
import { type AdjointState, addGradient, solveBack } from "./continuous.js";
import { type Cotangents, directionOf, type Gradients, type Problem, stateAt, type Trajectory } from "./trajectory.js";

/** The adjoint equation `a' = -a df/dy`, solved backwards along the dense output of the solve. */
export function interpolatingGradient<P>(
  problem: Problem<P>,
  { stepTimes, stepSizes, steps, rows }: Trajectory,
  _y0: Tensor,
  parameters: P,
  times: readonly [Tensor, Tensor, Tensor | null],
  cotangents: Cotangents,
): Gradients<P> {
  const direction = directionOf(times[0], times[1]);
  const records = { t: stepTimes, h: stepSizes, basis: rows.basis };
  const rate = (t: Tensor, { gradient }: AdjointState<P>): AdjointState<P> => {
    const y = stateAt(problem.method, direction, records, steps, t);
    const [, pullback] = vjp((x: Tensor, p: P) => problem.system(p).rate(t, x), y, parameters);
    const [byState, byParameters] = pullback(gradient);
    return { gradient: neg(byState), parameters: tree.map((g: Tensor) => neg(g), byParameters) };
  };
  const start = { gradient: cotangents.last, parameters: tree.map(zerosLike, parameters) };
  const end = solveBack("integrate", problem, times, cotangents, start, addGradient<P, AdjointState<P>>, rate);
  return { state: end.gradient, parameters: end.parameters };
}
