import { neg, type Tensor, tree, vjp, zerosLike } from "@offprint/tensor-core";
import { AdjointSolve, type AdjointState } from "./continuous.js";
import type { Cotangents, Gradients, Problem, Times, Trajectory } from "./trajectory.js";

interface BackState<P> extends AdjointState<P> {
  readonly y: Tensor;
}

/** The adjoint equation together with the equation itself, solved backwards from the last state. @see Chen et al. 2018. */
export function backsolveGradient<P>(
  problem: Problem<P>,
  { last }: Trajectory,
  _y0: Tensor,
  parameters: P,
  times: Times,
  cotangents: Cotangents,
): Gradients<P> {
  const rate = (t: Tensor, { y, gradient }: BackState<P>): BackState<P> => {
    const [value, pullback] = vjp((x: Tensor, p: P) => problem.system(p).rate(t, x), y, parameters);
    const [byState, byParameters] = pullback(gradient);
    return { y: value, gradient: neg(byState), parameters: tree.map((g: Tensor) => neg(g), byParameters) };
  };
  const start = { y: last, gradient: cotangents.last, parameters: tree.map(zerosLike, parameters) };
  const solve = new AdjointSolve<P, BackState<P>>(problem, times, cotangents, start);
  const end = solve.end(solve.back(solve.begin(), times[0], rate));
  return { state: end.gradient, parameters: end.parameters };
}
