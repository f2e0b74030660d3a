import {
  arange,
  concatenate,
  equal,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  mul,
  reshape,
  scan,
  sub,
  sum,
  type Tensor,
  take,
  where,
  zeros,
} from "@offprint/tensor-core";
import {
  type Advance,
  advance,
  emptyRecords,
  type Gathering,
  type Keeping,
  nothing,
  type Progress,
  type Records,
  type Tried,
} from "../advance.js";
import type { Controller } from "../controller.js";
import type { Tolerances } from "../initial-step.js";
import { beginning, combine } from "../machine.js";
import type { Method } from "../methods/method.js";
import { partOfStep, type Saved, savedRows, saving } from "../saved.js";
import type { System } from "../system.js";

/** A solve with a gradient. */
export interface Problem<P> {
  readonly system: (parameters: P) => System;
  readonly method: Method;
  readonly controller: Controller;
  readonly tolerances: Tolerances;
  /** Null for one that is found. */
  readonly initialStep: Tensor | null;
  /** Forced stops between the ends, in the order in which they are met. */
  readonly stopAt: readonly number[];
  /** Rows of the records. */
  readonly maxSteps: number;
  /** What is kept of the steps. */
  readonly keeping: Keeping;
  /** Whether the dense output is handed out. */
  readonly dense: boolean;
  /** Whether the sizes of steps are differentiated. */
  readonly through: boolean;
  /** What a user gathers of a step that stands. */
  readonly fold: (gathered: unknown, tried: Tried) => unknown;
}

/** The steps of a solve, and what it gives. */
export interface Trajectory {
  /** The last state, `[n]`. */
  readonly last: Tensor;
  /** States at the saved times, `[m, n]`. */
  readonly saved: Tensor;
  readonly errors: Tensor;
  readonly stiffness: Tensor;
  readonly stepTimes: Tensor;
  readonly stepSizes: Tensor;
  readonly steps: Tensor;
  readonly attempts: Tensor;
  readonly reached: Tensor;
  /** What was gathered of the steps, a tree. */
  readonly folded: unknown;
  /** What only the gradient needs. */
  readonly rows: Pick<Records, "y" | "basis" | "rates" | "proposal" | "memory">;
}

/** The gradients of a loss by the outputs of a solve. */
export type Cotangents = Pick<Trajectory, "last" | "saved" | "errors" | "stiffness" | "stepSizes">;

/** Gradients by the first state and the parameters. */
export interface Gradients<P> {
  readonly state: Tensor;
  readonly parameters: P;
}

/** Where a solve begins and ends, and when states are saved. */
export type Times = readonly [t0: Tensor, t1: Tensor, saveAt: Tensor | null];

/** 1 forwards, -1 backwards. */
export function directionOf(t0: Tensor, t1: Tensor): Tensor {
  return where(less(t1, t0), -1, where(lessEqual(t0, t1), 1, t0));
}

/** How a problem is stepped through between two times. */
export function advanceOf<P>(problem: Problem<P>, parameters: P, t0: Tensor, t1: Tensor): Advance {
  const { system, method, controller, tolerances, stopAt } = problem;
  const end = reshape(t1, [1]);
  return {
    system: system(parameters),
    method,
    controller,
    tolerances,
    direction: directionOf(t0, t1),
    stops: stopAt.length === 0 ? end : concatenate([Float64Array.from(stopAt), end]),
  };
}

/** Solves a problem and keeps of its steps what is asked for. */
export function runForward<P>(
  problem: Problem<P>,
  y: Tensor,
  parameters: P,
  [t0, t1, saveAt]: Times,
  initialFold: unknown,
): Trajectory {
  const { maxSteps, keeping, method, fold } = problem;
  const given = advanceOf(problem, parameters, t0, t1);
  const { system, direction } = given;
  const begin = beginning(given, t0, y, problem.initialStep);
  const empty = emptyRecords(system, method, maxSteps, keeping, begin.first);
  const room = { steps: maxSteps, states: Math.max(1, keeping.states) };
  const saves = saveAt === null || saveAt.size === 0 ? nothing : saving(method, system, direction, saveAt);
  const gathering: Gathering<{ saved: unknown; folded: unknown }> = {
    initial: { saved: saves.initial, folded: initialFold },
    step: ({ saved, folded }, tried) => ({
      saved: (saves.step as (s: unknown, tried: Tried) => unknown)(saved, tried),
      folded: fold(folded, tried),
    }),
  };
  const { progress, records, count, gathered } = advance(given, begin, empty, room, gathering);
  const kept = records as Records;
  return {
    last: progress.y,
    saved: saves === nothing ? zeros([0, y.size], y.dtype) : savedRows(gathered.saved as Saved),
    errors: kept.error,
    stiffness: kept.stiffness,
    stepTimes: kept.t,
    stepSizes: kept.h,
    steps: count,
    attempts: progress.attempts,
    reached: arrived(given, progress),
    folded: gathered.folded,
    rows: { y: kept.y, basis: kept.basis, rates: kept.rates, proposal: kept.proposal, memory: kept.memory },
  };
}

function arrived({ stops }: Advance, { stop }: Progress): Tensor {
  return equal(stop, stops.size);
}

/** Which step a time lies in. */
export function stepOf(times: Tensor, count: Tensor, direction: Tensor, t: Tensor): Tensor {
  const begun = lessEqual(mul(direction, sub(times, t)), 0);
  const there = less(arange(0, times.size, 1, "int32"), count);
  return maximum(sub(sum(logicalAnd(begun, there).cast("int32")), 1), 0);
}

/** How far into its step a time is. */
function partOf(records: Pick<Records, "t" | "h">, step: Tensor, t: Tensor): { theta: Tensor; h: Tensor } {
  const h = take(records.h, step);
  return { theta: partOfStep(t, take(records.t, step), h), h };
}

/** The state at a time, from the dense output that is kept. */
export function stateAt(
  method: Method,
  direction: Tensor,
  records: Pick<Records, "t" | "h" | "basis">,
  count: Tensor,
  t: Tensor,
): Tensor {
  const step = stepOf(records.t, count, direction, t);
  const { theta, h } = partOf(records, step, t);
  const basis = reshape(take(records.basis, step), [method.basisSize, records.basis.shape[1] / method.basisSize]);
  return combine(method.denseWeights(theta, h), basis);
}

/** Weights of the dense output at some times, `[m, basis]`, and the steps they lie in, `[m]`. */
export function denseWeights(
  method: Method,
  direction: Tensor,
  records: Pick<Records, "t" | "h">,
  count: Tensor,
  times: Tensor,
): { weights: Tensor; steps: Tensor } {
  const [, { weights, steps }] = scan(
    (state: null, t: Tensor) => {
      const step = stepOf(records.t, count, direction, t);
      const { theta, h } = partOf(records, step, t);
      return [state, { weights: method.denseWeights(theta, h), steps: step }] as [
        null,
        { weights: Tensor; steps: Tensor },
      ];
    },
    null,
    times as unknown as Tensor & { weights: Tensor; steps: Tensor },
  );
  return { weights, steps };
}
