import type { Raveling } from "@offprint/solvers";
import {
  abs,
  cast,
  greater,
  jitSync,
  matmul,
  reshape,
  stack,
  sub,
  type Tensor,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { type Advance, advance, emptyRecords, nothing, type Progress, type Records } from "./advance.js";
import { firstStep, type Tolerances } from "./initial-step.js";
import type { Stepping } from "./options.js";
import type { System } from "./system.js";

/** What differs from solve to solve of one machine. */
export interface Conditions<P> {
  readonly parameters: P;
  /** Columns of the Jacobian that one difference finds together, for right-hand sides of plain numbers. */
  readonly together: Tensor;
  readonly tolerances: Tolerances;
  readonly direction: Tensor;
  readonly stops: Tensor;
}

/** The compiled parts of a solve. */
export interface Machine<P> {
  /** Rows of a chunk. */
  readonly room: number;
  /** Entries of the state. */
  readonly size: number;
  /** The beginning: rates, the first step unless it is given, what is watched. */
  begin(t: Tensor, y: Tensor, initialStep: Tensor | null, conditions: Conditions<P>): Progress;
  /** Steps until a stop, a change of sign, or as many as are asked for. */
  chunk(
    progress: Progress,
    steps: Tensor,
    attempts: Tensor,
    conditions: Conditions<P>,
  ): { progress: Progress; records: Records; count: Tensor };
  /** The dense output of a step: `[basis, n]`. */
  basis(t: Tensor, y: Tensor, h: Tensor, conditions: Conditions<P>): Tensor;
  /** The state at a part of a step. */
  between(basis: Tensor, theta: Tensor, h: Tensor): Tensor;
  /** What is watched. */
  watch(t: Tensor, y: Tensor, parameters: P): Tensor;
  /** Frees it all. */
  release(): void;
}

/** What a machine is made of. */
export interface MachineParts<P> {
  /** Its method and controller. */
  readonly stepping: Pick<Stepping, "method" | "controller">;
  readonly state: Pick<Raveling<unknown>, "size" | "dtype">;
  readonly system: (parameters: P, together: Tensor) => System;
  readonly watch?: (t: Tensor, y: Tensor, parameters: P) => Tensor;
  /** Whether the parts are compiled; else they run operation by operation. */
  readonly compile: boolean;
}

/** Numbers in the records of a chunk, at most. */
const ROOM = 2 ** 16;

/** @internal Builds the parts of a solve. */
export function makeMachine<P>({ stepping, state, system, watch, compile }: MachineParts<P>): Machine<P> {
  const { method, controller } = stepping;
  const room = Math.max(8, Math.min(512, Math.floor(ROOM / state.size)));
  const advanceOf = ({ parameters, together, ...rest }: Conditions<P>): Advance => ({
    ...rest,
    system: system(parameters, together),
    method,
    controller,
    ...(watch && { watch: (t: Tensor, y: Tensor) => watch(t, y, parameters) }),
  });
  const parts = {
    begin(t: Tensor, y: Tensor, initialStep: Tensor | null, conditions: Conditions<P>): Progress {
      return beginning(advanceOf(conditions), t, y, initialStep);
    },
    chunk(progress: Progress, steps: Tensor, attempts: Tensor, conditions: Conditions<P>) {
      const given = advanceOf(conditions);
      const keeping = { states: 1, basis: false, rates: false, control: false };
      const records = emptyRecords(given.system, method, room, keeping, progress.first);
      const result = advance(given, progress, records, { steps, attempts }, nothing);
      return { progress: result.progress, records: result.records as Records, count: result.count };
    },
    basis(t: Tensor, y: Tensor, h: Tensor, { parameters, together }: Conditions<P>): Tensor {
      const at = system(parameters, together);
      return stack(method.step(at, t, y, h, at.rate(t, y)).basis());
    },
    between(basis: Tensor, theta: Tensor, h: Tensor): Tensor {
      return combine(method.denseWeights(theta, h), basis);
    },
    watch: (t: Tensor, y: Tensor, parameters: P): Tensor => watch?.(t, y, parameters) ?? zeros([0], "float64"),
  };
  if (!compile) return { ...parts, room, size: state.size, release: () => {} };
  const compiled = {
    begin: jitSync(parts.begin),
    chunk: jitSync(parts.chunk),
    basis: jitSync(parts.basis),
    between: jitSync(parts.between),
    watch: jitSync(parts.watch),
  };
  return {
    ...compiled,
    room,
    size: state.size,
    release() {
      for (const part of Object.values(compiled)) part.release();
    },
  };
}

/** @internal `sum_d w_d basis_d`. */
export function combine(weights: Tensor, basis: Tensor): Tensor {
  return matmul(cast(weights, basis.dtype), basis);
}

/** @internal The progress before the first step, whose size is found unless it is given. */
export function beginning(given: Advance, t: Tensor, y: Tensor, initialStep: Tensor | null): Progress {
  const { system, method, controller, direction, stops, tolerances } = given;
  const first = system.rate(t, y);
  const end = reshape(stops.slice([-1]), []);
  const span = abs(sub(end, t));
  const proposal = initialStep ?? firstStep(system, t, y, first, direction, span, tolerances, method.errorOrder);
  const int = (value: number) => tensor(value, { dtype: "int32" });
  return {
    t,
    y,
    first,
    proposal,
    memory: tensor(controller.initial, { dtype: "float64" }),
    stop: int(0),
    steps: int(0),
    attempts: int(0),
    failed: greater(0, 1),
    watched: given.watch?.(t, y) ?? zeros([0], "float64"),
  };
}
