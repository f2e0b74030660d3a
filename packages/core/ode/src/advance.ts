import {
  abs,
  add,
  cast,
  cond,
  div,
  equal,
  floor,
  greaterEqual,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  max,
  maximum,
  minimum,
  mul,
  notEqual,
  scatterAdd,
  scatterSet,
  sign,
  stack,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  where,
  whileLoop,
  zeros,
} from "@offprint/tensor-core";
import { unwritten } from "@offprint/tensor-core/internal";
import { type Controller, fixedController } from "./controller.js";
import type { Tolerances } from "./initial-step.js";
import type { Method, Step } from "./methods/method.js";
import type { System } from "./system.js";

/** Everything that an adaptive solve goes on from. */
export interface Progress {
  /** Where it is, `[]`. */
  readonly t: Tensor;
  /** The state there, `[n]`. */
  readonly y: Tensor;
  /** The rate there, `[n]`. */
  readonly first: Tensor;
  /** The size of the next step, positive. */
  readonly proposal: Tensor;
  /** What the controller remembers. */
  readonly memory: Tensor;
  /** Which of the forced stops comes next, int32. */
  readonly stop: Tensor;
  /** Steps that stand, int32. */
  readonly steps: Tensor;
  /** Steps that were tried, int32. */
  readonly attempts: Tensor;
  /** Whether no step is small enough. */
  readonly failed: Tensor;
  /** What is watched for changes of sign, `[events]`. */
  readonly watched: Tensor;
}

/**
 * What is kept of the steps of a solve: rows, as many as there is room for; none of what is not kept. Behind the last step
 * numbers are 0, rows of vectors whatever was there.
 */
export interface Records {
  /** Where each begins. */
  readonly t: Tensor;
  /** Sizes, with sign. */
  readonly h: Tensor;
  /** Sizes that were proposed, before refusals and stops. */
  readonly proposal: Tensor;
  /** What the controller remembered. */
  readonly memory: Tensor;
  /** States at the beginning, `[room, n]`. */
  readonly y: Tensor;
  /** Error estimates. */
  readonly error: Tensor;
  /** Stiffness estimates. */
  readonly stiffness: Tensor;
  /** Vectors of the dense output, `[room, basis * n]`. */
  readonly basis: Tensor;
  /** The rates of all stages, `[room, (1 + evaluations) * n]`. */
  readonly rates: Tensor;
}

/** What is kept of steps beside their times, sizes and estimates. */
export interface Keeping {
  /** States where they begin: every so many steps, 0 for none. */
  readonly states: number;
  /** Vectors of the dense output. */
  readonly basis: boolean;
  /** The rates of all stages. */
  readonly rates: boolean;
  /** What the controller had proposed and remembered. */
  readonly control: boolean;
}

/** A step that stands or not, for what is gathered along the way. */
export interface Tried {
  readonly accepted: Tensor;
  /** Where it begins, and ends. */
  readonly t: Tensor;
  readonly end: Tensor;
  /** Its size, with sign. */
  readonly h: Tensor;
  /** The states there. */
  readonly y: Tensor;
  readonly next: Tensor;
  /** Its error relative to the tolerances. */
  readonly error: Tensor;
  /** Vectors of its dense output; some methods evaluate the rate for them. */
  readonly basis: () => readonly Tensor[];
}

/** What is gathered from step to step: a tree. */
export interface Gathering<G> {
  readonly initial: G;
  readonly step: (gathered: G, tried: Tried) => G;
}

/** Nothing is gathered. */
export const nothing: Gathering<null> = { initial: null, step: () => null };

/** How a solve goes on. */
export interface Advance {
  readonly system: System;
  readonly method: Method;
  readonly controller: Controller;
  readonly tolerances: Tolerances;
  /** 1 or -1. */
  readonly direction: Tensor;
  /** Times that steps must meet, in order, `[stops]`; the last is the end. */
  readonly stops: Tensor;
  /** Watched for changes of sign between steps, `[events]`; a change ends the advance. */
  readonly watch?: (t: Tensor, y: Tensor) => Tensor;
}

/** Where an advance ends at the latest. */
export interface Room {
  /** Steps that stand, int32; at most the rows of the records. */
  readonly steps: Tensor | number;
  /** Steps that are tried, int32. */
  readonly attempts?: Tensor;
  /** Steps from one state in the records to the next (default 1). */
  readonly states?: number;
}

/** One unit in the last place of 1. */
const EPSILON = 2 ** -52;

/** Steps that are longer than what is left but for rounding end there. */
const NEARLY = 1 + 1e-10;

/** @internal Records without rows yet, for rates like `rate`. */
export function emptyRecords({ size }: System, method: Method, room: number, keeping: Keeping, rate: Tensor): Records {
  const { states, basis, rates, control } = keeping;
  const column = (kept = true) => zeros([kept ? room : 0], "float64");
  const vectors = (rows: number, count: number) => unwritten([rows, count * size], rate);
  return {
    t: column(),
    h: column(),
    proposal: column(control),
    memory: column(control),
    error: column(),
    stiffness: column(),
    // States that are not kept go into a last row.
    y: vectors(states === 0 ? 0 : Math.ceil(room / states) + (states === 1 ? 0 : 1), 1),
    basis: vectors(basis ? room : 0, method.basisSize),
    rates: vectors(rates ? room : 0, 1 + method.evaluations),
  };
}

/** @internal Takes steps until the end, a change of sign, or as many as there is room for. */
export function advance<G>(
  given: Advance,
  progress: Progress,
  records: Records | undefined,
  room: Room,
  gathering: Gathering<G>,
): { progress: Progress; records: Records | undefined; count: Tensor; gathered: G } {
  const start = {
    progress,
    records,
    gathered: gathering.initial,
    count: tensor(0, { dtype: "int32" }),
    tried: tensor(0, { dtype: "int32" }),
    changed: equal(progress.failed, true),
  };
  const goesOn = ({ progress: p, count, tried, changed }: typeof start) => {
    const under = logicalAnd(less(p.stop, given.stops.size), less(count, room.steps));
    const able = logicalNot(logicalOr(p.failed, changed));
    const both = logicalAnd(under, able);
    return room.attempts === undefined ? both : logicalAnd(both, less(tried, room.attempts));
  };
  const body = (s: typeof start): typeof start => {
    const { next, row, changed, tried } = attempt(given, s.progress, s.records);
    const { accepted } = tried;
    return {
      progress: next,
      records: s.records && withRow(s.records, s.count, accepted, row, room.states ?? 1),
      gathered: gathering.step(s.gathered, tried),
      count: add(s.count, cast(accepted, "int32")),
      tried: add(s.tried, 1),
      changed,
    };
  };
  return whileLoop(goesOn, body, start);
}

type Row = { readonly [K in keyof Records]: Tensor };

/** One step tried: it stands, or the next is smaller. */
function attempt(
  given: Advance,
  s: Progress,
  records: Records | undefined,
): { next: Progress; row: Row; changed: Tensor; tried: Tried } {
  const { system, method, controller, direction, stops } = given;
  // Under vmap a solve that is over is stepped on, without effect, until the others are.
  const target = take(stops, minimum(s.stop, stops.size - 1));
  const left = mul(direction, sub(target, s.t));
  const reaches = greaterEqual(mul(s.proposal, NEARLY), left);
  const size = where(reaches, left, s.proposal);
  const h = mul(direction, size);
  const { noted, rates } = notingRates(withinStep(given, s.t, h));
  const step = method.step(noted, s.t, s.y, h, s.first);
  const stages = [s.first, ...rates];
  const error = errorOf(given, s.y, step);
  const decision = controller.decide(error, s.memory, method.errorOrder);
  // Of differences: a sum of large numbers may be infinite where all of them are finite.
  const finite = isNumber(add(error, cast(sum(sub(step.next, step.next)), "float64")));
  const accepted = logicalAnd(decision.accepted, finite);
  const resized = mul(size, where(finite, decision.factor, 0.2));
  // A step that was cut short says little about the next.
  const proposal = where(logicalAnd(accepted, reaches), maximum(resized, s.proposal), resized);
  const t = where(accepted, where(reaches, target, add(s.t, h)), s.t);
  const smallest = mul(10 * EPSILON, maximum(abs(s.t), 1e-290));
  const hopeless =
    method.adaptive && controller !== fixedController
      ? logicalNot(greaterEqual(proposal, smallest))
      : logicalNot(accepted);
  const y = where(accepted, step.next, s.y);
  const watched = given.watch === undefined ? s.watched : where(accepted, given.watch(t, y), s.watched);
  // Behind a forced stop the rate may be another.
  const last =
    stops.size === 1
      ? step.last
      : cond(
          reaches,
          () => system.rate(target, step.next),
          () => step.last,
        );
  const next: Progress = {
    t,
    y,
    first: where(accepted, last, s.first),
    proposal,
    memory: where(accepted, decision.memory, s.memory),
    stop: add(s.stop, cast(logicalAnd(accepted, reaches), "int32")),
    steps: add(s.steps, cast(accepted, "int32")),
    attempts: add(s.attempts, 1),
    failed: logicalAnd(logicalNot(accepted), hopeless),
    watched,
  };
  const row: Row = {
    t: s.t,
    h,
    proposal: s.proposal,
    memory: s.memory,
    y: s.y,
    error,
    stiffness: step.stiffness === undefined ? tensor(0, { dtype: "float64" }) : cast(step.stiffness, "float64"),
    basis: keptVectors(records?.basis, step.basis),
    rates: keptVectors(records?.rates, () => stages),
  };
  return {
    next,
    tried: { accepted, t: s.t, end: t, h, y: s.y, next: step.next, error, basis: step.basis },
    row,
    changed: given.watch === undefined ? equal(t, Number.NaN) : changes(s.watched, watched),
  };
}

/** A system, and the rates that were asked of it, in order. */
function notingRates(system: System): { noted: System; rates: Tensor[] } {
  const rates: Tensor[] = [];
  const rate = (t: Tensor, y: Tensor) => {
    const value = system.rate(t, y);
    rates.push(value);
    return value;
  };
  return { noted: { ...system, rate }, rates };
}

/** Vectors as a row, where there are rows for them. */
function keptVectors(rows: Tensor | undefined, vectors: () => readonly Tensor[]): Tensor {
  return rows === undefined || rows.shape[0] === 0 ? tensor(0) : stack(vectors()).reshape([rows.shape[1]]);
}

/**
 * @internal The system within a step: where steps meet forced stops, rates at the end of a step are those just before it, so
 * that they may jump there.
 */
export function withinStep({ system, stops, direction }: Advance, t: Tensor, h: Tensor): System {
  if (stops.size === 1) return system;
  const end = mul(direction, add(t, mul(h, 1 - 1e-13)));
  return { ...system, rate: (s, y) => system.rate(mul(direction, minimum(mul(direction, s), end)), y) };
}

/** @internal The size of a step's error estimate, 0 where the method has none. */
export function errorOf({ system, tolerances }: Pick<Advance, "system" | "tolerances">, y: Tensor, step: Step): Tensor {
  if (step.error === undefined) return tensor(0, { dtype: "float64" });
  const scale = add(tolerances.absolute, mul(tolerances.relative, maximum(abs(y), abs(step.next))));
  return cast(
    step.error((error) => system.norm(div(error, scale))),
    "float64",
  );
}

/** Whether something changes its sign, becomes 0, or is no number any more. */
function changes(before: Tensor, after: Tensor): Tensor {
  const crossed = less(mul(sign(before), after), 0);
  const met = logicalAnd(equal(after, 0), notEqual(before, 0));
  return equal(max(cast(logicalOr(logicalOr(crossed, met), notEqual(after, after)), "int32")), 1);
}

function isNumber(x: Tensor): Tensor {
  return equal(sub(x, x), 0);
}

function withRow(records: Records, index: Tensor, accepted: Tensor, row: Row, every: number): Records {
  const last = (rows: Tensor) => rows.shape[0] - 1;
  const put = (rows: Tensor, value: Tensor) =>
    last(rows) < 0 ? rows : scatterAdd(rows, minimum(index, last(rows)), where(accepted, value, 0));
  // The row of a step that was refused is written again.
  const set = (rows: Tensor, vector: Tensor, place = minimum(index, last(rows))) =>
    last(rows) < 0 ? rows : scatterSet(rows, place, vector);
  const part = every === 1 ? index : cast(floor(div(cast(index, "float64"), every)), "int32");
  const state = every === 1 ? undefined : where(equal(mul(part, every), index), part, last(records.y));
  return {
    t: put(records.t, row.t),
    h: put(records.h, row.h),
    proposal: put(records.proposal, row.proposal),
    memory: put(records.memory, row.memory),
    y: set(records.y, row.y, state),
    error: put(records.error, row.error),
    stiffness: put(records.stiffness, row.stiffness),
    basis: set(records.basis, row.basis),
    rates: set(records.rates, row.rates),
  };
}
