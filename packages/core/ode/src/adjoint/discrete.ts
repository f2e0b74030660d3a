import {
  abs,
  add,
  cast,
  div,
  equal,
  expandDims,
  floor,
  greaterEqual,
  less,
  matmul,
  mul,
  scatterAdd,
  stack,
  sub,
  type Tensor,
  take,
  tensor,
  transpose,
  tree,
  vjp,
  where,
  whileLoop,
  zeros,
  zerosLike,
} from "@offprint/tensor-core";
import { errorOf, withinStep } from "../advance.js";
import { firstStep } from "../initial-step.js";
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
  readonly size: Tensor;
  readonly error: Tensor;
  readonly stiffness: Tensor;
  readonly basis: Tensor | null;
  readonly following: StepGradient | null;
}

/** Gradients by what is before a step. */
interface Before<P> {
  /** The number of the step before, int32; -1 where there is none. */
  readonly step: Tensor;
  readonly state: Tensor;
  readonly parameters: P;
  readonly sizes: StepGradient | null;
}

/**
 * The gradient of the steps that were made, from the last to the first. Each is made again from its stored state, so that
 * states are all that is kept, or some of them: those between are made again too. The numbers are those of a tape of all
 * stages.
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
    parameters: tree.map(zerosLike, parameters),
    sizes: problem.through ? { t: zero, proposal: zero, memory: zero } : null,
  };
  const back = backwards(problem, trajectory, y0, parameters, times, cotangents);
  const every = problem.keeping.states;
  const end = whileLoop(
    ({ step }: Before<P>) => greaterEqual(step, 0),
    (s: Before<P>) => {
      if (every === 1) return back(s, take(rows.y, s.step));
      const segment = cast(floor(div(cast(s.step, "float64"), every)), "int32");
      const first = mul(segment, every);
      const states = statesBetween(problem, trajectory, parameters, times, take(rows.y, segment), first, s.step);
      return whileLoop(
        ({ step }: Before<P>) => greaterEqual(step, first),
        (each: Before<P>) => back(each, take(states, sub(each.step, first))),
        s,
      );
    },
    start,
  );
  if (end.sizes === null || problem.initialStep !== null) return { state: end.state, parameters: end.parameters };
  return throughFirstStep(problem, y0, parameters, times, end.sizes.proposal, end);
}

/** From the gradients behind a step to those before it, given the state where it begins. */
function backwards<P>(
  problem: Problem<P>,
  { stepTimes, stepSizes, steps, rows }: Trajectory,
  y0: Tensor,
  parameters: P,
  [t0, t1, saveAt]: Times,
  cotangents: Cotangents,
): (behind: Before<P>, y: Tensor) => Before<P> {
  const { method } = problem;
  const records = { t: stepTimes, h: stepSizes };
  const saves = saveAt === null ? null : denseWeights(method, directionOf(t0, t1), records, steps, saveAt);
  return (s, y) => {
    const at = (row: Tensor) => take(row, s.step);
    const control = problem.through ? { proposal: at(rows.proposal), memory: at(rows.memory) } : null;
    const made = madeAgain(problem, t0, t1, {
      t: at(stepTimes),
      h: at(stepSizes),
      proposal: control?.proposal,
      last: equal(s.step, sub(steps, 1)),
      withBasis: saves !== null,
    });
    const inputs = { y, parameters, sizes: control && { t: at(stepTimes), ...control } };
    const [, pullback] = vjp(made, inputs);
    const given: StepValues = {
      next: s.state,
      size: at(cotangents.stepSizes),
      error: at(cotangents.errors),
      stiffness: at(cotangents.stiffness),
      // Dense output is a combination of the basis: its gradients are too.
      basis:
        saves &&
        matmul(
          cast(transpose(where(equal(expandDims(saves.steps, 1), s.step), saves.weights, 0)), y0.dtype),
          cotangents.saved,
        ),
      following: s.sizes,
    };
    const [slopes] = pullback(given) as [typeof inputs];
    return {
      step: sub(s.step, 1),
      state: slopes.y,
      parameters: tree.map((a: Tensor, b: Tensor) => add(a, b), s.parameters, slopes.parameters),
      sizes: slopes.sizes,
    };
  };
}

/** The states from where the step `first` begins to where the step `last` begins, made again: `[states, n]`. */
function statesBetween<P>(
  problem: Problem<P>,
  { stepTimes, stepSizes }: Trajectory,
  parameters: P,
  [t0, t1]: Times,
  y: Tensor,
  first: Tensor,
  last: Tensor,
): Tensor {
  const given = advanceOf(problem, parameters, t0, t1);
  const rows = zeros([problem.keeping.states, y.size], y.dtype);
  const start = { place: tensor(0, { dtype: "int32" }), y, states: scatterAdd(rows, 0, y) };
  const { states } = whileLoop(
    ({ place }: typeof start) => less(add(first, place), last),
    (s: typeof start): typeof start => {
      const [t, h] = [stepTimes, stepSizes].map((row) => take(row, add(first, s.place)));
      const system = withinStep(given, t, h);
      const { next } = problem.method.step(system, t, s.y, h, given.system.rate(t, s.y));
      const place = add(s.place, 1);
      return { place, y: next, states: scatterAdd(s.states, place, next) };
    },
    start,
  );
  return states;
}

interface MadeStep {
  readonly t: Tensor;
  readonly h: Tensor;
  /** Its size as it was proposed, where sizes are differentiated. */
  readonly proposal: Tensor | undefined;
  /** Whether it is the last one, cut to the end. */
  readonly last: Tensor;
  readonly withBasis: boolean;
}

/** A step as a function of all that it follows from; its size is a constant unless sizes are differentiated. */
function madeAgain<P>(problem: Problem<P>, t0: Tensor, t1: Tensor, made: MadeStep) {
  const { method, controller } = problem;
  return ({ y, parameters, sizes }: { y: Tensor; parameters: P; sizes: StepGradient | null }): StepValues => {
    const given = advanceOf(problem, parameters, t0, t1);
    const { system } = given;
    const t = sizes === null ? made.t : sizes.t;
    const h =
      sizes === null || made.proposal === undefined
        ? made.h
        : where(made.last, sub(t1, t), mul(sizes.proposal, div(made.h, made.proposal)));
    const step = method.step(withinStep(given, t, h), t, y, h, system.rate(t, y));
    const error = errorOf(given, y, step);
    let following: StepGradient | null = null;
    if (sizes !== null) {
      const { factor, memory } = controller.decide(error, sizes.memory, method.errorOrder);
      following = { t: add(t, h), proposal: mul(abs(h), factor), memory };
    }
    return {
      next: step.next,
      size: h,
      error,
      stiffness: step.stiffness === undefined ? mul(error, 0) : cast(step.stiffness, "float64"),
      basis: made.withBasis ? stack(step.basis()) : null,
      following,
    };
  };
}

/** Adds what the choice of the first step contributes. */
function throughFirstStep<P>(
  problem: Problem<P>,
  y0: Tensor,
  parameters: P,
  [t0, t1]: Times,
  cotangent: Tensor,
  { state, parameters: slopes }: Gradients<P>,
): Gradients<P> {
  const first = (y: Tensor, p: P) => {
    const { system, direction, tolerances } = advanceOf(problem, p, t0, t1);
    return firstStep(
      system,
      t0,
      y,
      system.rate(t0, y),
      direction,
      abs(sub(t1, t0)),
      tolerances,
      problem.method.errorOrder,
    );
  };
  const [bySate, byParameters] = vjp(first, y0, parameters)[1](cotangent);
  return {
    state: add(state, bySate),
    parameters: tree.map((a: Tensor, b: Tensor) => add(a, b), slopes, byParameters),
  };
}
