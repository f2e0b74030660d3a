import { type RunOptions, type RunState, runLoop, runLoopSync, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, requireChoice, requireInteger, type Tensor, tensor } from "@offprint/tensor-core";
import { separately } from "./differences.js";
import { checkEvents, type OdeEvent, type WatchedEvent, watchAll } from "./events.js";
import { type Machine, makeMachine } from "./machine.js";
import {
  checkStepping,
  inSpan,
  requireFiniteState,
  requireUseful,
  type Stepping,
  type SteppingOptions,
  spanOf,
  steppingNames,
  stopsOf,
  timesOf,
  tolerancesOf,
} from "./options.js";
import { type OdeSolution, solutionOf } from "./solution.js";
import { type SolveInner, SolveRun } from "./solve-run.js";
import { type StateSpace, stateSpace } from "./state-space.js";

/** What a solve tells of itself from time to time. */
export interface SolveRecord {
  /** Steps done. */
  readonly step: number;
  /** Where it is. */
  readonly t: number;
  /** Size of the last step, with sign. */
  readonly stepSize: number;
  /** Its error relative to the tolerances. */
  readonly error: number;
}

/** A state to go on from; a tree. */
export type SolveState = RunState<SolveInner, SolveRecord>;

/** Options of {@link solve} but for those of long work. */
export interface SolveSettings<F = (...args: never[]) => unknown, P = unknown> extends SteppingOptions {
  /** Handed to the right-hand side: a tree of tensors, or anything where that is plain. */
  readonly parameters?: P;
  /** Times of the result, between the ends (default: the ends of all steps). Steps do not depend on them. */
  readonly saveAt?: ArrayLike<number>;
  /** Whether steps are kept, for `at` (default true). Without them only what `saveAt` names is, or the end. */
  readonly dense?: boolean;
  /** Functions whose roots are marked, or end the solve. */
  readonly events?: readonly OdeEvent<F>[];
  /** Jacobian of the rate by the state, `[n, n]`, for stiff methods (default: derived, of plain functions by differences). */
  readonly jacobian?: F;
  /** Steps at most (default 100000). */
  readonly maxSteps?: number;
  /** Steps between two records (default 100). */
  readonly recordEvery?: number;
  /** Whether the solve is compiled (default true). Right-hand sides of tensors that read values need false. */
  readonly compile?: boolean;
}

/** Options of {@link solve}. */
export interface SolveOptions<F = (...args: never[]) => unknown, P = unknown>
  extends SolveSettings<F, P>,
    RunOptions<SolveRecord, SolveState> {}

/** How a solve ended: `converged` at the end of the span, `event` at a terminal event. */
export type SolveStatus = Status | "event";

/** A right-hand side of plain numbers: `dy/dt` of `t` and `y`, `[n]`. */
export type PlainRate<P = unknown> = (t: number, y: Float64Array, parameters: P) => ArrayLike<number>;

/** A right-hand side of one plain number. */
export type ScalarRate<P = unknown> = (t: number, y: number, parameters: P) => number;

/** A right-hand side in operations of tensors: `t` is a scalar, the result a tree like the state. */
export type TensorRate<Y, P = unknown> = (t: Tensor, y: Y, parameters: P) => Y;

const names = [
  ...steppingNames,
  "parameters",
  "saveAt",
  "dense",
  "events",
  "jacobian",
  "maxSteps",
  "recordEvery",
  "compile",
] as const;

type AnyFunction = (...args: never[]) => unknown;
type AnyOptions = SolveOptions<AnyFunction, unknown>;
type AnySolution = OdeSolution<unknown, unknown>;

/** Compiled parts, kept from call to call of one solver. */
class Machines {
  private readonly kept = new Map<
    string,
    { space: StateSpace; options: unknown[]; machine: Machine<unknown>; events: WatchedEvent[] }
  >();

  constructor(
    private readonly owner: string,
    private readonly f: AnyFunction,
  ) {}

  find(y0: unknown, stepping: Stepping, options: AnyOptions) {
    const { owner, f } = this;
    const { jacobian, compile = true } = options;
    const space = stateSpace(owner, f, y0, { norm: stepping.norm, ...(jacobian && { jacobian }) });
    const made = [stepping.method, stepping.controller, stepping.norm, options.events, jacobian, compile];
    const plain = space.key.startsWith("plain");
    const plainParameters = plain ? [options.parameters] : [];
    const known = this.kept.get(space.key);
    const given = [...made, ...plainParameters];
    if (known?.options.every((value, i) => value === given[i])) return { ...known, space };
    known?.machine.release();
    const events = checkEvents(owner, options.events, space);
    const watched = watchAll(events);
    const machine = makeMachine({
      stepping,
      state: space.state,
      system: plain ? (_, together) => space.system(options.parameters, together) : space.system,
      ...(events.length > 0 && {
        watch: plain ? (t: Tensor, y: Tensor) => watched(t, y, options.parameters) : watched,
      }),
      compile,
    });
    const fresh = { space, options: given, machine, events };
    this.kept.set(space.key, fresh);
    return fresh;
  }

  release(): void {
    for (const { machine } of this.kept.values()) machine.release();
    this.kept.clear();
  }
}

function prepare(owner: string, machines: Machines, y0: unknown, span: unknown, options: AnyOptions) {
  const stepping = checkStepping(owner, options);
  const { maxSteps = 100_000, recordEvery = 100, dense = true } = options;
  requireInteger(owner, "maxSteps", maxSteps, 1);
  requireUseful(owner, stepping.method, options.jacobian);
  requireInteger(owner, "recordEvery", recordEvery, 1);
  for (const name of ["dense", "compile"] as const) requireChoice(owner, name, options[name], [true, false]);
  const ends = spanOf(owner, span);
  const saveAt =
    options.saveAt === undefined ? undefined : inSpan(owner, "saveAt", timesOf(owner, "saveAt", options.saveAt), ends);
  const stops = stopsOf(owner, stepping.stopAt, ends);
  const { space, machine, events } = machines.find(y0, stepping, options);
  requireFiniteState(owner, space.initial);
  const float = (value: number) => tensor(value, { dtype: "float64" });
  const conditions = {
    parameters: space.key.startsWith("plain") ? null : (options.parameters ?? null),
    together: stepping.method.linearises ? space.together(options.parameters, ends[0]) : separately(),
    tolerances: tolerancesOf(owner, stepping, space.state),
    direction: float(ends[1] >= ends[0] ? 1 : -1),
    stops: tensor(Float64Array.from(stops.length === 0 ? [ends[0]] : stops), { dtype: "float64" }),
  };
  return new SolveRun({
    owner,
    method: stepping.method.name,
    span: ends,
    space,
    machine,
    events,
    conditions,
    initialStep: stepping.initialStep === 0 ? null : float(stepping.initialStep),
    evaluations: stepping.method.evaluations,
    saveAt,
    dense,
    maxSteps,
    recordEvery,
    stops: stops.length,
  });
}

type Span = readonly [number, number];
type PlainOptions<P> = SolveOptions<(t: number, y: Float64Array, parameters: P) => unknown, P>;
type TensorOptions<Y, P> = SolveOptions<(t: Tensor, y: Y, parameters: P) => unknown, P>;
type Without<O> = Omit<O, (typeof runOptionNames)[number]>;

/** @internal The functions behind {@link solve}, {@link solveSync} and {@link makeSolver}. */
function solverOf(owner: string, f: AnyFunction) {
  const machines = new Machines(owner, f);
  return {
    async solve(y0: unknown, span: unknown, options: AnyOptions = {}): Promise<AnySolution> {
      checkOptions(owner, options, [...names, ...runOptionNames]);
      const run = prepare(owner, machines, y0, span, options);
      return solutionOf(run, await runLoop(run.loop(), options));
    },
    solveSync(y0: unknown, span: unknown, options: AnyOptions = {}): AnySolution {
      checkOptions(owner, options, names);
      const run = prepare(owner, machines, y0, span, options);
      return solutionOf(run, runLoopSync(run.loop()));
    },
    release: () => machines.release(),
  };
}

/**
 * Solves `dy/dt = f(t, y, parameters)` from `y0` at `t0` to `t1`, forwards or backwards, with steps that keep errors within
 * tolerances. States are a number, an array of numbers, or a tree of tensors; the loop over the steps is compiled in any
 * case, with a right-hand side of tensors in it. An example of each is in the README.
 *
 * @param f - The rate of change: of plain numbers where `y0` is, else in operations of tensors, where `t` is a scalar
 * tensor and the result a tree like `y0`.
 * @throws ValueError for options out of range and a `y0` that is not finite, ShapeError for a rate of another shape,
 * NonFiniteError with the last good state where no step is small enough, TraceError for a right-hand side of tensors that
 * reads values (`compile: false` allows it).
 * @example const { t, y } = await solve((t, y) => -2 * y, 1, [0, 1]);
 */
export async function solve<P = unknown>(
  f: ScalarRate<P>,
  y0: number,
  span: Span,
  options?: SolveOptions<ScalarRate<P>, P>,
): Promise<OdeSolution<number, Float64Array>>;
export async function solve<P = unknown>(
  f: PlainRate<P>,
  y0: readonly number[] | Float64Array,
  span: Span,
  options?: PlainOptions<P>,
): Promise<OdeSolution<Float64Array, Float64Array[]>>;
export async function solve<Y, P = unknown>(
  f: TensorRate<Y, P>,
  y0: Y,
  span: Span,
  options?: TensorOptions<Y, P>,
): Promise<OdeSolution<Y, Y>>;
export async function solve(f: AnyFunction, y0: unknown, span: unknown, options?: AnyOptions): Promise<AnySolution> {
  const solver = solverOf("solve", f);
  return solver.solve(y0, span, options);
}

/** {@link solve} in one go, for problems that are over in a blink. */
export function solveSync<P = unknown>(
  f: ScalarRate<P>,
  y0: number,
  span: Span,
  options?: Without<SolveOptions<ScalarRate<P>, P>>,
): OdeSolution<number, Float64Array>;
export function solveSync<P = unknown>(
  f: PlainRate<P>,
  y0: readonly number[] | Float64Array,
  span: Span,
  options?: Without<PlainOptions<P>>,
): OdeSolution<Float64Array, Float64Array[]>;
export function solveSync<Y, P = unknown>(
  f: TensorRate<Y, P>,
  y0: Y,
  span: Span,
  options?: Without<TensorOptions<Y, P>>,
): OdeSolution<Y, Y>;
export function solveSync(f: AnyFunction, y0: unknown, span: unknown, options?: AnyOptions): AnySolution {
  return solverOf("solveSync", f).solveSync(y0, span, options);
}

/** A right-hand side whose solves are compiled once for each kind of state. */
export interface OdeSolver<Y, Ys, O> {
  /** Like {@link solve}, without the right-hand side. */
  solve(y0: Y, span: Span, options?: O): Promise<OdeSolution<Y, Ys>>;
  /** The same in one go. */
  solveSync(y0: Y, span: Span, options?: Without<O>): OdeSolution<Y, Ys>;
  /** Frees what was compiled. */
  release(): void;
}

/**
 * Solves of one right-hand side, again and again: it is traced and compiled at the first call for each kind of state and
 * method. What it closes over must not change: give that as `parameters`.
 * @example const decay = makeSolver((t: number, y: Float64Array) => [-y[0]]); decay.solveSync(Float64Array.of(1), [0, 1]);
 */
export function makeSolver<P = unknown>(f: PlainRate<P>): OdeSolver<Float64Array, Float64Array[], PlainOptions<P>>;
export function makeSolver<Y, P = unknown>(f: TensorRate<Y, P>): OdeSolver<Y, Y, TensorOptions<Y, P>>;
export function makeSolver(f: AnyFunction): unknown {
  return solverOf("makeSolver", f);
}
