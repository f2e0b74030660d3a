import {
  abs,
  add,
  cast,
  div,
  equal,
  greaterEqual,
  matmul,
  mul,
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
  type Trajectory,
} from "./trajectory.js";

type Times = readonly [t0: Tensor, t1: Tensor, saveAt: Tensor | null];

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

/**
 * The gradient of the steps that were made, from the last to the first. Each is made again from its stored state, so that
 * states are all that is kept; the numbers are those of a tape of all stages.
 */
export function discreteGradient<P>(
  problem: Problem<P>,
  trajectory: Trajectory,
  y0: Tensor,
  parameters: P,
  times: Times,
  cotangents: Cotangents,
): Gradients<P> {
  const { method } = problem;
  const { stepTimes, stepSizes, steps, rows } = trajectory;
  const [t0, t1, saveAt] = times;
  const direction = directionOf(t0, t1);
  const records = { t: stepTimes, h: stepSizes };
  const saves = saveAt === null ? null : denseWeights(method, direction, records, steps, saveAt);
  const zero = tensor(0, { dtype: "float64" });
  const start = {
    step: sub(steps, 1),
    state: cotangents.last,
    parameters: tree.map(zerosLike, parameters),
    sizes: problem.through ? ({ t: zero, proposal: zero, memory: zero } as StepGradient) : null,
  };
  const goesOn = ({ step }: typeof start) => greaterEqual(step, 0);
  const body = (s: typeof start): typeof start => {
    const at = (row: Tensor) => take(row, s.step);
    const made = madeAgain(problem, t0, t1, {
      t: at(stepTimes),
      h: at(stepSizes),
      proposal: at(rows.proposal),
      memory: at(rows.memory),
      last: equal(s.step, sub(steps, 1)),
      withBasis: saves !== null,
    });
    const inputs = {
      y: at(rows.y),
      parameters,
      t: at(stepTimes),
      proposal: at(rows.proposal),
      memory: at(rows.memory),
    };
    const [, pullback] = vjp(made, inputs);
    const given: StepValues = {
      next: s.state,
      size: at(cotangents.stepSizes),
      error: at(cotangents.errors),
      stiffness: at(cotangents.stiffness),
      // Dense output is a combination of the basis: its gradients are too.
      basis:
        saves &&
        matmul(cast(transpose(where(equal(saves.steps, s.step), saves.weights, 0)), y0.dtype), cotangents.saved),
      following: s.sizes,
    };
    const [slopes] = pullback(given) as [typeof inputs];
    return {
      step: sub(s.step, 1),
      state: slopes.y,
      parameters: tree.map((a: Tensor, b: Tensor) => add(a, b), s.parameters, slopes.parameters),
      sizes: s.sizes && { t: slopes.t, proposal: slopes.proposal, memory: slopes.memory },
    };
  };
  const end = whileLoop(goesOn, body, start);
  if (end.sizes === null || problem.initialStep !== null) return { state: end.state, parameters: end.parameters };
  return throughFirstStep(problem, y0, parameters, times, end.sizes.proposal, end);
}

interface MadeStep {
  readonly t: Tensor;
  readonly h: Tensor;
  readonly proposal: Tensor;
  readonly memory: Tensor;
  /** Whether it is the last one, cut to the end. */
  readonly last: Tensor;
  readonly withBasis: boolean;
}

/** A step as a function of all that it follows from; its size is a constant unless sizes are differentiated. */
function madeAgain<P>(problem: Problem<P>, t0: Tensor, t1: Tensor, made: MadeStep) {
  const { method, controller, through } = problem;
  return (from: { y: Tensor; parameters: P } & StepGradient): StepValues => {
    const given = advanceOf(problem, from.parameters, t0, t1);
    const { system } = given;
    const t = through ? from.t : made.t;
    const h = through ? where(made.last, sub(t1, t), mul(from.proposal, div(made.h, made.proposal))) : made.h;
    const step = method.step(withinStep(given, t, h), t, from.y, h, system.rate(t, from.y));
    const error = errorOf(given, from.y, step);
    let following: StepGradient | null = null;
    if (through) {
      const { factor, memory } = controller.decide(error, from.memory, method.errorOrder);
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
