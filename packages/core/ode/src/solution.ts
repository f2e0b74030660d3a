import type { RunResult } from "@offprint/solvers";
import { type Tensor, tensor, UnsupportedError, ValueError } from "@offprint/tensor-core";
import type { EventRecord } from "./events.js";
import type { SolveRecord, SolveState, SolveStatus } from "./solve.js";
import type { Block, SolveInner, SolveRun } from "./solve-run.js";

/**
 * A solution.
 * @typeParam Y - one state
 * @typeParam Ys - many: trees of tensors with the times as axis 0, or arrays of plain ones
 */
export interface OdeSolution<Y, Ys> {
  /** The times of `y`: those of `saveAt`, else the ends of all steps, the beginning among them. */
  readonly t: Float64Array;
  /** The states at these times. */
  readonly y: Ys;
  /** Where the solve ended. */
  readonly end: { readonly t: number; readonly y: Y };
  /** Why it ended. */
  readonly status: SolveStatus;
  /** Steps that stand. */
  readonly steps: number;
  /** Steps that were refused. */
  readonly rejected: number;
  /** Evaluations of the right-hand side, without those of dense output and events. */
  readonly evaluations: number;
  /** Where every step begins, `[steps]`. */
  readonly stepTimes: Float64Array;
  /** The sizes of all steps, with sign. */
  readonly stepSizes: Float64Array;
  /** The error estimate of every step, relative to the tolerances: 1 is as large as may be. */
  readonly errors: Float64Array;
  /** The estimate of the largest eigenvalue of the Jacobian at every step; 0 for methods without one. */
  readonly stiffness: Float64Array;
  /** What happened along the way. */
  readonly events: readonly EventRecord<Y>[];
  /** The state at any time of the solution. @throws ValueError for another time, UnsupportedError without `dense`. */
  readonly at: (t: number) => Y;
  /** The records of the solve. */
  readonly history: readonly SolveRecord[];
  /** What `resume` goes on from. */
  readonly state: SolveState;
}

type Result = Omit<RunResult<SolveInner, SolveRecord, "converged" | "event">, "status"> & {
  readonly status: SolveStatus;
};

/** @internal A solution as it is handed out. */
export function solutionOf(run: SolveRun, result: Result): OdeSolution<unknown, unknown> {
  const { space } = run.parts;
  const { last, status, history, state } = result;
  const { progress, blocks } = last;
  const column = (name: "t" | "h" | "error" | "stiffness") =>
    joined(blocks.map((block) => block[name])) as Float64Array;
  const end = last.end ?? { t: progress.t.item(), y: progress.y };
  const steps = progress.steps.item();
  const stepTimes = column("t");
  const stepSizes = column("h");
  const { t, rows } = series(run, last, stepTimes, end);
  return {
    t,
    y: space.many(rows, t.length),
    end: { t: end.t, y: space.one(end.y) },
    status,
    steps,
    rejected: progress.attempts.item() - steps,
    evaluations: run.evaluationsOf(last),
    stepTimes,
    stepSizes,
    errors: column("error"),
    stiffness: column("stiffness"),
    events: last.events.map(({ event, t: time, y }) => ({ event, t: time, y: space.one(y) })),
    at: (time) => space.one(stateAt(run, last, stepTimes, stepSizes, end, time)),
    history,
    state,
  };
}

function joined(parts: readonly (Float64Array | Float32Array)[]): Float64Array | Float32Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const all = parts[0] instanceof Float32Array ? new Float32Array(size) : new Float64Array(size);
  let from = 0;
  for (const part of parts) {
    all.set(part, from);
    from += part.length;
  }
  return all;
}

function series(run: SolveRun, { blocks, saved }: SolveInner, stepTimes: Float64Array, end: { t: number; y: Tensor }) {
  const { saveAt, dense, span, space } = run.parts;
  const initial = space.initial.data() as Float64Array;
  if (saveAt !== undefined) {
    const atStart = saveAt.findIndex((t) => t !== span[0]);
    const copies = Array.from({ length: atStart < 0 ? saveAt.length : atStart }, () => initial);
    return {
      t: Float64Array.from(saveAt.slice(0, saved)),
      rows: joined([...copies, ...blocks.map((block) => block.saved)]),
    };
  }
  const last = end.y.data() as Float64Array;
  if (!dense) return { t: Float64Array.of(end.t), rows: joined([last]) };
  if (blocks.length === 0) return { t: Float64Array.of(end.t), rows: joined([initial]) };
  const rows = joined([...blocks.map((block: Block) => block.y), last]);
  const t = new Float64Array(stepTimes.length + 1);
  t.set(stepTimes);
  t[stepTimes.length] = end.t;
  return { t, rows };
}

/** The state at a time, from the step that it lies in. */
function stateAt(
  run: SolveRun,
  { blocks }: SolveInner,
  stepTimes: Float64Array,
  stepSizes: Float64Array,
  end: { t: number; y: Tensor },
  time: number,
): Tensor {
  const { owner, span, space, dense } = run.parts;
  const { size, dtype } = space.state;
  const direction = span[1] >= span[0] ? 1 : -1;
  if (!dense)
    throw new UnsupportedError(`${owner}: at() needs the steps, which dense: false does not keep; leave it out`);
  if (typeof time !== "number" || !(direction * (time - span[0]) >= 0 && direction * (time - end.t) <= 0)) {
    throw new ValueError(`${owner}: at(${String(time)}) is outside the solution, from ${span[0]} to ${end.t}`);
  }
  if (time === end.t) return end.y;
  let [low, high] = [0, stepTimes.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (direction * (stepTimes[middle] - time) <= 0) low = middle;
    else high = middle - 1;
  }
  let step = low;
  const block = blocks.find((each) => {
    if (step < each.t.length) return true;
    step -= each.t.length;
    return false;
  }) as Block;
  const y = tensor(block.y.slice(step * size, (step + 1) * size), { dtype });
  return stepTimes[low] === time ? y : run.within(stepTimes[low], y, stepSizes[low])(time);
}
