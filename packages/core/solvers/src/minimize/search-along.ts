import type { LinePoint } from "../line-search/line-point.js";
import type { Asking } from "../run/asking.js";
import type { Evaluated, SearchSpace } from "./search-space.js";
import type { SmoothState } from "./smooth-minimizer.js";

/** A point tried in a line search. */
export interface Trial extends LinePoint {
  readonly x: Float64Array;
  readonly gradient: Float64Array;
}

/** @internal A line search from `state` along `direction`: asks for points instead of steps. */
export function* searchAlong(
  state: SmoothState,
  space: Pick<SearchSpace<unknown>, "round">,
  direction: Float64Array,
  search: Asking<number, Trial, Trial | undefined>,
  clip?: (x: Float64Array) => void,
): Asking<Float64Array, Evaluated, { found: Trial | undefined; evaluations: number }> {
  let { evaluations } = state;
  let next = search.next();
  while (!next.done) {
    const step = next.value;
    const x = new Float64Array(direction.length);
    for (let i = 0; i < x.length; i++) x[i] = state.x[i] + step * direction[i];
    clip?.(x);
    space.round(x);
    const { value, gradient } = yield x.slice();
    evaluations++;
    let slope = 0;
    for (let i = 0; i < x.length; i++) slope += gradient[i] * direction[i];
    next = search.next({ step, value, slope, x, gradient });
  }
  return { found: next.value, evaluations };
}

/** @internal What changes of the state where a line search found `trial`. */
export function movedTo(state: SmoothState, trial: Trial, evaluations: number): SmoothState {
  const { unit } = state;
  const scale = Math.max(Math.abs(state.objective), Math.abs(trial.value), 1 / unit);
  return {
    iteration: state.iteration + 1,
    x: trial.x,
    unit,
    objective: trial.value,
    gradient: trial.gradient,
    evaluations,
    decrease: (state.objective - trial.value) / scale,
    inaccurate: false,
  };
}
