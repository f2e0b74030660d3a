import {
  add,
  cast,
  clip,
  div,
  floor,
  greaterEqual,
  maximum,
  minimum,
  mul,
  neg,
  reshape,
  stack,
  sub,
  type Tensor,
  take,
  tree,
  vjp,
  whileLoop,
  zerosLike,
} from "@offprint/tensor-core";
import { combine } from "../machine.js";
import { partOfStep } from "../saved.js";
import { type AdjointProgress, AdjointSolve, type AdjointState } from "./continuous.js";
import { remade } from "./remade.js";
import {
  type Cotangents,
  directionOf,
  type Gradients,
  type Problem,
  stateAt,
  stepOf,
  type Times,
  type Trajectory,
} from "./trajectory.js";

/**
 * The adjoint equation `a' = -a df/dy`, solved backwards along the dense output of the solve. Where states are kept every so many
 * steps instead of all dense output, the steps behind each are made again when it is their turn.
 */
export function interpolatingGradient<P>(
  problem: Problem<P>,
  trajectory: Trajectory,
  _y0: Tensor,
  parameters: P,
  times: Times,
  cotangents: Cotangents,
): Gradients<P> {
  const { stepTimes, stepSizes, steps, rows } = trajectory;
  const start = { gradient: cotangents.last, parameters: tree.map(zerosLike, parameters) };
  const solve = new AdjointSolve<P, AdjointState<P>>(problem, times, cotangents, start);
  const along =
    (at: (t: Tensor) => Tensor) =>
    (t: Tensor, { gradient }: AdjointState<P>): AdjointState<P> => {
      const [, pullback] = vjp((x: Tensor, p: P) => problem.system(p).rate(t, x), at(t), parameters);
      const [byState, byParameters] = pullback(gradient);
      return { gradient: neg(byState), parameters: tree.map((g: Tensor) => neg(g), byParameters) };
    };
  const direction = directionOf(times[0], times[1]);
  const every = problem.keeping.states;
  if (every === 0) {
    const records = { t: stepTimes, h: stepSizes, basis: rows.basis };
    const at = (t: Tensor) => stateAt(problem.method, direction, records, steps, t);
    const { gradient, parameters: slopes } = solve.end(solve.back(solve.begin(), times[0], along(at)));
    return { state: gradient, parameters: slopes };
  }
  const { method } = problem;
  const size = rows.y.shape[1];
  const lastSegment = cast(floor(div(cast(sub(steps, 1), "float64"), every)), "int32");
  const from = { segment: lastSegment, progress: solve.begin() };
  const { progress } = whileLoop(
    (s: { segment: Tensor; progress: AdjointProgress }) => greaterEqual(s.segment, 0),
    (s) => {
      // Under vmap a solve that is back at its beginning waits for the others there.
      const segment = maximum(s.segment, 0);
      const first = mul(segment, every);
      const end = minimum(add(first, every), steps);
      const { rows: basis } = remade(
        problem,
        trajectory,
        parameters,
        times,
        take(rows.y, segment),
        [first, end],
        method.basisSize * size,
        (step) => reshape(stack(step.basis()), [method.basisSize * size]),
      );
      const at = (t: Tensor) => {
        const step = clip(stepOf(stepTimes, steps, direction, t), first, maximum(sub(end, 1), first));
        const h = take(stepSizes, step);
        const vectors = reshape(take(basis, sub(step, first)), [method.basisSize, size]);
        return combine(method.denseWeights(partOfStep(t, take(stepTimes, step), h), h), vectors);
      };
      return { segment: sub(s.segment, 1), progress: solve.back(s.progress, take(stepTimes, first), along(at)) };
    },
    from,
  );
  const { gradient, parameters: slopes } = solve.end(progress);
  return { state: gradient, parameters: slopes };
}
