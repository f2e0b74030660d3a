import { brentRoot, type Loop, requireStateLike } from "@offprint/solvers";
import { NonFiniteError, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import type { Progress, Records } from "./advance.js";
import { requireFinite } from "./callback.js";
import { counts, type WatchedEvent } from "./events.js";
import type { Conditions, Machine } from "./machine.js";
import type { SolveRecord } from "./solve.js";
import type { StateSpace } from "./state-space.js";

type Numbers = Float64Array | Float32Array;

/** Steps that one call of the compiled loop took. */
export interface Block {
  /** Where they begin. */
  readonly t: Float64Array;
  /** Their sizes, with sign. */
  readonly h: Float64Array;
  /** Their errors, relative to the tolerances. */
  readonly error: Float64Array;
  /** Their estimates of the largest eigenvalue. */
  readonly stiffness: Float64Array;
  /** The states where they begin, one after the other; empty where they are not kept. */
  readonly y: Numbers;
  /** The states at the times of `saveAt` within. */
  readonly saved: Numbers;
}

/** What a state to go on from belongs to. */
export interface SolveTerms {
  readonly t0: number;
  readonly t1: number;
  readonly method: string;
  /** Forced stops, the end among them. */
  readonly stopAt: Float64Array;
  readonly saveAt: Float64Array | null;
  /** How many events are watched. */
  readonly events: number;
  readonly dense: boolean;
  readonly dtype: string;
}

/** What a solve goes on from. */
export interface SolveInner {
  /** What it is of. */
  readonly of: SolveTerms;
  /** Where the steps are. */
  readonly progress: Progress;
  /** What they were. */
  readonly blocks: readonly Block[];
  /** Events that happened: which, when, and the state then. */
  readonly events: readonly { readonly event: number; readonly t: number; readonly y: Tensor }[];
  /** How many times of `saveAt` are behind. */
  readonly saved: number;
  /** Where a terminal event ended it. */
  readonly end: { readonly t: number; readonly y: Tensor } | null;
}

/** What a run is of. */
export interface SolveParts {
  readonly owner: string;
  /** The name of the method. */
  readonly method: string;
  readonly span: readonly [number, number];
  readonly space: StateSpace;
  readonly machine: Machine<unknown>;
  readonly events: readonly WatchedEvent[];
  readonly conditions: Conditions<unknown>;
  /** The first step; null for one that is found. */
  readonly initialStep: Tensor | null;
  /** Evaluations in a step. */
  readonly evaluations: number;
  readonly saveAt: readonly number[] | undefined;
  readonly dense: boolean;
  readonly maxSteps: number;
  readonly recordEvery: number;
  /** How many stops there are, the end among them; 0 where the span is empty. */
  readonly stops: number;
}

const float = (value: number) => tensor(value, { dtype: "float64" });
const int = (value: number) => tensor(value, { dtype: "int32" });

/** A term as a message shows it. */
const shown = (term: unknown) => (ArrayBuffer.isView(term) ? `[${term}]` : String(term ?? "none"));

/** Milliseconds that one call of the compiled loop should take. */
const CALL = 6;

/** @internal A solve as an iteration: a step is a call of the compiled loop, which takes many. */
export class SolveRun {
  private attempts = 32;
  private recorded: Block | undefined;

  constructor(readonly parts: SolveParts) {}

  /** The iteration. */
  loop(): Loop<SolveInner, SolveRecord, "converged" | "event"> {
    const { owner, maxSteps, stops } = this.parts;
    return {
      owner,
      limit: maxSteps,
      limitName: "maxSteps",
      initial: () => this.initial(),
      step: (inner) => this.step(inner),
      record: (inner) => this.record(inner),
      finished({ end, progress }) {
        if (end !== null) return "event";
        return progress.stop.item() >= stops ? "converged" : undefined;
      },
      count: ({ progress }) => progress.steps.item(),
      check: (inner) => this.check(inner),
    };
  }

  /** What a state of this solve belongs to. */
  private terms(): SolveTerms {
    const { span, method, conditions, saveAt, events, dense, space } = this.parts;
    return {
      t0: span[0],
      t1: span[1],
      method,
      stopAt: conditions.stops.data().slice() as Float64Array,
      saveAt: saveAt === undefined ? null : Float64Array.from(saveAt),
      events: events.length,
      dense,
      dtype: space.state.dtype,
    };
  }

  /** Throws where a state to go on from is of another solve, which would go on to wrong numbers. */
  private check(inner: SolveInner): void {
    const { owner, space, events } = this.parts;
    const number = float(0);
    const count = int(0);
    const vector = space.initial;
    requireStateLike(owner, inner, {
      progress: {
        ...{ t: number, y: vector, first: vector, proposal: number, memory: number },
        ...{ stop: count, steps: count, attempts: count, watched: float(0).expandDims(0).broadcastTo([events.length]) },
      },
      saved: 0,
      of: {},
    });
    for (const list of ["blocks", "events"] as const) {
      if (!Array.isArray(inner[list]))
        throw new ValueError(`${owner}: resume has no ${list}; give a state of ${owner}`);
    }
    const was = inner.of as unknown as Record<string, unknown>;
    for (const [name, is] of Object.entries(this.terms())) {
      if (shown(was[name]) === shown(is)) continue;
      throw new ValueError(
        `${owner}: resume is of a solve with ${name} ${shown(was[name])}, not ${shown(is)}; give the options of that solve, or begin another where it ended`,
      );
    }
  }

  /** Evaluations of the right-hand side so far, those of dense output and events not counted. */
  evaluationsOf({ progress }: SolveInner): number {
    const { initialStep, evaluations } = this.parts;
    return (initialStep === null ? 2 : 1) + evaluations * progress.attempts.item();
  }

  /** Functions that give the state within a step. */
  within(t: number, y: Tensor, h: number): (time: number) => Tensor {
    const { machine, conditions } = this.parts;
    const size = float(h);
    const basis = machine.basis(float(t), y, size, conditions);
    return (time) => machine.between(basis, float((time - t) / h), size);
  }

  private initial(): SolveInner {
    const { owner, machine, conditions, initialStep, space, span, saveAt } = this.parts;
    const progress = machine.begin(float(span[0]), space.initial, initialStep, conditions);
    requireFinite(owner, progress.first.data(), span[0], "the rate");
    requireFinite(owner, progress.watched.data(), span[0], "an event");
    requireFinite(owner, progress.proposal.data(), span[0], "the first step");
    let saved = 0;
    while (saveAt !== undefined && saveAt[saved] === span[0]) saved++;
    return { of: this.terms(), progress, blocks: [], events: [], saved, end: null };
  }

  private step(inner: SolveInner): SolveInner {
    const { owner, machine, conditions, maxSteps, recordEvery, events } = this.parts;
    const done = inner.progress.steps.item();
    const steps = Math.min(machine.room, maxSteps - done, recordEvery - (done % recordEvery));
    const before = performance.now();
    const { progress, records, count } = machine.chunk(inner.progress, int(steps), int(this.attempts), conditions);
    this.adapt(performance.now() - before);
    if (progress.failed.item() !== 0) {
      const t = progress.t.item();
      throw new NonFiniteError(
        `${owner}: no step from t = ${t} is small enough: the rate is not finite near it, or the solution ends there; ` +
          "check the right-hand side, or loosen the tolerances",
      );
    }
    const n = count.item();
    if (n === 0) return { ...inner, progress };
    const found = events.length === 0 ? undefined : this.locate(inner, progress, records, n);
    return this.keep(inner, progress, records, n, found);
  }

  /** So many attempts that a call is over soon, and not so few that calls cost more than steps. */
  private adapt(elapsed: number): void {
    if (elapsed < CALL / 3) this.attempts = Math.min(4 * this.attempts, 4096);
    else if (elapsed > 2 * CALL) this.attempts = Math.max(1, this.attempts >> 1);
  }

  private row(records: Records, i: number): Tensor {
    return records.y.slice([i]);
  }

  /** The events in the last step, in order, up to one that ends the solve. */
  private locate(inner: SolveInner, progress: Progress, records: Records, n: number) {
    const { owner, machine, conditions, events } = this.parts;
    const before = (n === 1 ? inner.progress.watched : undefined)?.data();
    const [t, h] = [records.t.data()[n - 1], records.h.data()[n - 1]];
    const y = this.row(records, n - 1);
    const old = before ?? machine.watch(float(t), y, conditions.parameters).data();
    const now = progress.watched.data();
    const lost = now.findIndex(Number.isNaN);
    if (lost >= 0) {
      throw new NonFiniteError(
        `${owner}: events[${lost}] is NaN at t = ${progress.t.item()}, so that its changes of sign cannot be seen; give numbers`,
      );
    }
    const crossing = events.flatMap((event, i) => (counts(event, old[i], now[i]) ? [i] : []));
    if (crossing.length === 0) return undefined;
    const at = this.within(t, y, h);
    const end = progress.t.item();
    const happened = crossing
      .map((event) => {
        const value = (time: number) => {
          if (time === t) return old[event];
          if (time === end) return now[event];
          return machine.watch(float(time), at(time), conditions.parameters).data()[event];
        };
        const time = now[event] === 0 ? end : brentRoot(value, Math.min(t, end), Math.max(t, end)).x;
        return { event, t: time, y: time === end ? progress.y : at(time) };
      })
      .sort((a, b) => Math.sign(h) * (a.t - b.t));
    const kept: SolveInner["events"][number][] = [];
    for (const each of happened) {
      kept.push(each);
      const times = [...inner.events, ...kept].filter(({ event }) => event === each.event).length;
      if (times === events[each.event].terminal) return { kept, end: { t: each.t, y: each.y } };
    }
    return { kept, end: null };
  }

  private keep(
    inner: SolveInner,
    progress: Progress,
    records: Records,
    n: number,
    found: { kept: SolveInner["events"][number][]; end: SolveInner["end"] } | undefined,
  ): SolveInner {
    const { dense, space } = this.parts;
    const { size } = space.state;
    const first = (x: Tensor, count: number) => x.data().slice(0, count) as Float64Array;
    const end = found?.end ?? null;
    const { values, saved } = this.saves(inner.saved, progress, records, n, end?.t ?? progress.t.item());
    const block: Block = {
      t: first(records.t, n),
      h: first(records.h, n),
      error: first(records.error, n),
      stiffness: first(records.stiffness, n),
      y: first(records.y, dense ? n * size : 0),
      saved: values,
    };
    return {
      of: inner.of,
      progress,
      blocks: [...inner.blocks, block],
      events: found === undefined ? inner.events : [...inner.events, ...found.kept],
      saved,
      end,
    };
  }

  /** The states at the times of `saveAt` up to `end`. */
  private saves(from: number, progress: Progress, records: Records, n: number, end: number) {
    const { saveAt, space, span } = this.parts;
    const { size, dtype } = space.state;
    const direction = span[1] >= span[0] ? 1 : -1;
    const [t, h] = [records.t.data(), records.h.data()];
    const rows: Tensor[] = [];
    let saved = from;
    let at: ((time: number) => Tensor) | undefined;
    let step = 0;
    for (; saveAt !== undefined && saved < saveAt.length && direction * (saveAt[saved] - end) <= 0; saved++) {
      const time = saveAt[saved];
      const ends = (i: number) => (i + 1 < n ? t[i + 1] : progress.t.item());
      while (direction * (time - ends(step)) > 0) {
        step++;
        at = undefined;
      }
      if (time === ends(step)) rows.push(step + 1 < n ? this.row(records, step + 1) : progress.y);
      else {
        at ??= this.within(t[step], this.row(records, step), h[step]);
        rows.push(at(time));
      }
    }
    const values = dtype === "float32" ? new Float32Array(rows.length * size) : new Float64Array(rows.length * size);
    rows.forEach((row, i) => {
      values.set(row.data(), i * size);
    });
    return { values, saved };
  }

  private record({ progress, blocks, end }: SolveInner): SolveRecord | undefined {
    const { recordEvery, stops } = this.parts;
    const step = progress.steps.item();
    const last = blocks.at(-1);
    const over = end !== null || progress.stop.item() >= stops;
    if (last === undefined || last === this.recorded) return undefined;
    if (step % recordEvery !== 0 && !over) return undefined;
    this.recorded = last;
    return {
      step,
      t: end?.t ?? progress.t.item(),
      stepSize: last.h.at(-1) as number,
      error: last.error.at(-1) as number,
    };
  }
}
