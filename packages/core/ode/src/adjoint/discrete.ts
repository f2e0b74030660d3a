import {
  abs,
  add,
  cast,
  customVjp,
  div,
  equal,
  expandDims,
  floor,
  greaterEqual,
  matmul,
  maximum,
  mul,
  reshape,
  stack,
  sub,
  type Tensor,
  take,
  tensor,
  transpose,
  tree,
  vjp,
  vmap,
  where,
  whileLoop,
  zerosLike,
} from "@offprint/tensor-core";
import { errorOf, withinStep } from "../advance.js";
import { firstStep } from "../initial-step.js";
import type { Step } from "../methods/method.js";
import { partOfStep } from "../saved.js";
import type { System } from "../system.js";
import { statesAgain } from "./remade.js";
import {
  advanceOf,
  type Cotangents,
  denseWeights,
  directionOf,
  type Gradients,
  type Problem,
  type Times,
  type Trajectory,
} from "./trajectory.js";

/** Gradients by where a step begins, by the size that was proposed and by what the controller remembered. */
interface StepGradient {
  readonly t: Tensor;
  readonly proposal: Tensor;
  readonly memory: Tensor;
}

/** What a step gives, for its gradient. */
interface StepValues {
  readonly next: Tensor;
  /** The rate at its end, where that is the first of the next step. */
  readonly last: Tensor | null;
  readonly size: Tensor;
  readonly error: Tensor;
  readonly stiffness: Tensor;
  /** What the states saved in it follow from, of {@link savedOf}. */
  readonly saved: Tensor | null;
  readonly following: StepGradient | null;
}

/** Gradients by what is before a step. */
interface Before<P> {
  /** The number of the step before, int32; -1 where there is none. */
  readonly step: Tensor;
  readonly state: Tensor;
  /** By the rate where the step behind begins, which is the last of this one; null where it is another. */
  readonly first: Tensor | null;
  readonly parameters: P;
  readonly sizes: StepGradient | null;
}

/**
 * The gradient of the steps that were made, from the last to the first. Where the rates of their stages are kept, only what the
 * gradient of a rate needs beside its value is computed again; else each step is made again from its stored state, or from
 * one some steps before. The numbers are those of a tape of all stages.
 */
export function discreteGradient<P>(
  problem: Problem<P>,
  trajectory: Trajectory,
  y0: Tensor,
  parameters: P,
  times: Times,
  cotangents: Cotangents,
): Gradients<P> {
  const { steps, rows } = trajectory;
  const zero = tensor(0, { dtype: "float64" });
  const start: Before<P> = {
    step: sub(steps, 1),
    state: cotangents.last,
    first: problem.stopAt.length === 0 ? zerosLike(y0) : null,
    parameters: tree.map(zerosLike, parameters),
    sizes: problem.through ? { t: zero, proposal: zero, memory: zero } : null,
  };
  const back = backwards(problem, trajectory, parameters, times, cotangents);
  const every = problem.keeping.states;
  const end = whileLoop(
    ({ step }: Before<P>) => greaterEqual(step, 0),
    (s: Before<P>) => {
      const last = reached(s.step);
      if (every === 1) return back(s, take(rows.y, last));
      const segment = cast(floor(div(cast(last, "float64"), every)), "int32");
      const first = mul(segment, every);
      const states = statesAgain(problem, trajectory, parameters, times, take(rows.y, segment), [first, last]);
      return whileLoop(
        ({ step }: Before<P>) => greaterEqual(step, first),
        (each: Before<P>) => back(each, take(states, maximum(sub(each.step, first), 0))),
        s,
      );
    },
    start,
  );
  const begin = (p: P) => advanceOf(problem, p, times[0], times[1]);
  const rate = (y: Tensor, p: P) => begin(p).system.rate(times[0], y);
  const gradients = end.first === null ? end : throughBeginning(end, rate, y0, parameters, end.first);
  if (end.sizes === null || problem.initialStep !== null) {
    return { state: gradients.state, parameters: gradients.parameters };
  }
  const size = (y: Tensor, p: P) => {
    const { system, direction, tolerances } = begin(p);
    const span = abs(sub(times[1], times[0]));
    const first = system.rate(times[0], y);
    return firstStep(system, times[0], y, first, direction, span, tolerances, problem.method.errorOrder);
  };
  return throughBeginning(gradients, size, y0, parameters, end.sizes.proposal);
}

/** The number of a step; the first where all are behind, as for one of many solves under `vmap` that waits for the others. */
const reached = (step: Tensor): Tensor => maximum(step, 0);

/** From the gradients behind a step to those before it, given the state where it begins. */
function backwards<P>(
  problem: Problem<P>,
  { stepTimes, stepSizes, steps, rows }: Trajectory,
  parameters: P,
  [t0, t1, saveAt]: Times,
  cotangents: Cotangents,
): (behind: Before<P>, y: Tensor) => Before<P> {
  const { method } = problem;
  const records = { t: stepTimes, h: stepSizes };
  const saves = saveAt === null ? null : denseWeights(method, directionOf(t0, t1), records, steps, saveAt);
  const savesOf = (step: Tensor) =>
    saveAt === null || saves === null
      ? null
      : savedOf(problem, { times: saveAt, within: equal(saves.steps, step), weights: saves.weights }, cotangents.saved);
  return (s, y) => {
    const at = (row: Tensor) => take(row, reached(s.step));
    const control = problem.through ? { proposal: at(rows.proposal), memory: at(rows.memory) } : null;
    const count = 1 + method.evaluations;
    const rates = problem.keeping.rates ? unstacked(reshape(at(rows.rates), [count, y.size])) : [];
    const saved = savesOf(s.step);
    const rate = () => advanceOf(problem, parameters, t0, t1).system.rate(at(stepTimes), y);
    const made = madeAgain(problem, t0, t1, {
      t: at(stepTimes),
      // Of a solve without steps, as one of many under `vmap`, nothing is asked.
      h: where(equal(steps, 0), 1, at(stepSizes)),
      proposal: control?.proposal,
      last: equal(s.step, sub(steps, 1)),
      saved: saved?.values,
      rates,
    });
    const first = s.first === null ? null : (rates[0] ?? rate());
    const inputs = { y, first, parameters, sizes: control && { t: at(stepTimes), ...control } };
    const [, pullback] = vjp(made, inputs);
    const given: StepValues = {
      next: s.state,
      last: s.first,
      size: at(cotangents.stepSizes),
      error: at(cotangents.errors),
      stiffness: at(cotangents.stiffness),
      saved: saved?.cotangent ?? null,
      following: s.sizes,
    };
    const [slopes] = pullback(given) as [typeof inputs];
    return {
      step: sub(s.step, 1),
      state: slopes.y,
      first: slopes.first,
      parameters: tree.map((a: Tensor, b: Tensor) => add(a, b), s.parameters, slopes.parameters),
      sizes: slopes.sizes,
    };
  };
}

/** Times of saved states, whether each lies in the step, and the weights of the dense output then. */
interface Saves {
  readonly times: Tensor;
  readonly within: Tensor;
  readonly weights: Tensor;
}

/** What the states saved in a step follow from, and the gradient by it. */
function savedOf<P>({ method, through }: Problem<P>, { times, within, weights }: Saves, cotangent: Tensor) {
  const { dtype } = cotangent;
  if (through) {
    // Where in the step a time lies changes with the step, so that the states are found again.
    const values = (step: Step, t: Tensor, h: Tensor) => {
      const parts = where(within, partOfStep(times, t, h), 0);
      return matmul(cast(vmap((part: Tensor) => method.denseWeights(part, h))(parts), dtype), stack(step.basis()));
    };
    return { values, cotangent: where(expandDims(within, 1), cotangent, 0) };
  }
  // Dense output is a combination of the basis: its gradients are too.
  const shares = cast(transpose(where(expandDims(within, 1), weights, 0)), dtype);
  return { values: (step: Step) => stack(step.basis()), cotangent: matmul(shares, cotangent) };
}

interface MadeStep {
  readonly t: Tensor;
  readonly h: Tensor;
  /** Its size as it was proposed, where sizes are differentiated. */
  readonly proposal: Tensor | undefined;
  /** Whether it is the last one, cut to the end. */
  readonly last: Tensor;
  /** What the states saved in it follow from. */
  readonly saved: ((step: Step, t: Tensor, h: Tensor) => Tensor) | undefined;
  /** The rates of its stages, in the order in which they were asked for; none where they are not kept. */
  readonly rates: readonly Tensor[];
}

/** What a step follows from. */
interface StepInputs<P> {
  readonly y: Tensor;
  /** The rate where it begins; null where it is to be found from the state. */
  readonly first: Tensor | null;
  readonly parameters: P;
  readonly sizes: StepGradient | null;
}

/** A step as a function of all that it follows from; its size is a constant unless sizes are differentiated. */
function madeAgain<P>(problem: Problem<P>, t0: Tensor, t1: Tensor, made: MadeStep) {
  const { method, controller } = problem;
  return ({ y, first, parameters, sizes }: StepInputs<P>): StepValues => {
    const given = advanceOf(problem, parameters, t0, t1);
    const t = sizes === null ? made.t : sizes.t;
    const h =
      sizes === null || made.proposal === undefined
        ? made.h
        : where(made.last, sub(t1, t), mul(sizes.proposal, div(made.h, made.proposal)));
    const begin = first ?? known(given.system.rate(t, y), made.rates[0]);
    const step = method.step(withKnownRates(withinStep(given, t, h), made.rates.slice(1)), t, y, h, begin);
    const error = errorOf(given, y, step);
    let following: StepGradient | null = null;
    if (sizes !== null) {
      const { factor, memory } = controller.decide(error, sizes.memory, method.errorOrder);
      following = { t: add(t, h), proposal: mul(abs(h), factor), memory };
    }
    return {
      next: step.next,
      last: first === null ? null : step.last,
      size: h,
      error,
      stiffness: step.stiffness === undefined ? mul(error, 0) : cast(step.stiffness, "float64"),
      saved: made.saved?.(step, t, h) ?? null,
      following,
    };
  };
}

/** The value that is known instead of `x`, whose gradient is that of `x`: what computes the value alone is not needed. */
const known = (x: Tensor, value: Tensor | undefined) => (value === undefined ? x : replaced(x, value));

const replaced = customVjp(
  (_: Tensor, value: Tensor) => value,
  (_: Tensor, value: Tensor) => [value, null],
  (_, gradient: Tensor) => [gradient, null],
) as (x: Tensor, value: Tensor) => Tensor;

/** A system whose first so many rates are known. */
function withKnownRates(system: System, rates: readonly Tensor[]): System {
  let asked = 0;
  return { ...system, rate: (t, y) => known(system.rate(t, y), rates[asked++]) };
}

/** The rows of a matrix. */
function unstacked(x: Tensor): Tensor[] {
  return Array.from({ length: x.shape[0] }, (_, i) => x.slice([i]));
}

/** Adds what something that follows from the first state and the parameters contributes. */
function throughBeginning<P>(
  { state, parameters: slopes }: Gradients<P>,
  f: (y: Tensor, parameters: P) => Tensor,
  y0: Tensor,
  parameters: P,
  cotangent: Tensor,
): Gradients<P> {
  const [byState, byParameters] = vjp(f, y0, parameters)[1](cotangent) as [Tensor, P];
  return {
    state: add(state, byState),
    parameters: tree.map((a: Tensor, b: Tensor) => add(a, b), slopes, byParameters),
  };
}
