import {
  type RunOptions,
  type RunState,
  requireStateLike,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import { checkOptions, NonFiniteError, requireInteger, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { fixedController } from "../controller.js";
import { inSpan, requireFiniteState, spanOf, timesOf, tolerancesOf } from "../options.js";
import type { PlainRate, TensorRate } from "../solve.js";
import { stateSpace } from "../state-space.js";
import { BrownianPath, type BrownianPathState } from "./brownian-path.js";
import { noiseForm } from "./noise-form.js";
import { stochasticMachine } from "./stochastic-machine.js";
import { checkStochastic, type StochasticSteppingOptions, stochasticNames } from "./stochastic-options.js";

/** A step that stands. */
export interface StochasticRecord {
  /** Its number. */
  readonly step: number;
  /** Where it ends. */
  readonly t: number;
  /** Its size. */
  readonly stepSize: number;
  /** Its error relative to the tolerances. */
  readonly error: number;
}

/** What a stochastic solve goes on from; a tree. */
export interface StochasticInner {
  /** Where it is. */
  readonly t: number;
  /** The state there, `[n]`. */
  readonly u: Tensor;
  /** Size of the next step. */
  readonly proposal: number;
  /** What the controller remembers. */
  readonly memory: number;
  /** Steps that were tried. */
  readonly attempts: number;
  /** What the steps were. */
  readonly rows: readonly StochasticRow[];
  /** The path. */
  readonly path: BrownianPathState;
}

/** One step of the solve, with what the path did in it. */
export interface StochasticRow {
  /** Where it begins. */
  readonly t: number;
  /** Its size. */
  readonly h: number;
  /** Its error relative to the tolerances. */
  readonly error: number;
  /** Its estimate of the largest eigenvalue of the drift's Jacobian. */
  readonly stiffness: number;
  /** The state where it begins. */
  readonly u: Tensor;
  /** The increment of the path. */
  readonly dW: Float64Array;
  /** That of the second path. */
  readonly dZ: Float64Array;
}

/** A state to go on from; a tree. */
export type StochasticState = RunState<StochasticInner, StochasticRecord>;

/** Options of {@link solveSde}. */
export interface SolveSdeOptions<P = unknown>
  extends StochasticSteppingOptions,
    RunOptions<StochasticRecord, StochasticState> {
  /** Handed to drift and diffusion. */
  readonly parameters?: P;
  /** Times of the result (default: the ends of all steps); between steps states are interpolated linearly. */
  readonly saveAt?: ArrayLike<number>;
  /** Decides the path (default 0). */
  readonly seed?: number | string;
  /** The path itself, as many numbers side by side as the noise has; it is found out further by the solve. */
  readonly path?: BrownianPath;
  /** Steps at most (default 10000). */
  readonly maxSteps?: number;
}

/** The steps of a solve, ready to be made again: see {@link replaySde}. */
export interface StochasticSteps {
  /** Where they begin, `[room]`. */
  readonly t: Tensor;
  /** Their sizes, `[room]`; 0 behind the last. */
  readonly h: Tensor;
  /** Increments of the path, `[room, n]`, or as many numbers as the noise has. */
  readonly dW: Tensor;
  /** Those of the second path. */
  readonly dZ: Tensor;
  /** How many there are, int32. */
  readonly count: Tensor;
}

/** One solution of a stochastic equation. */
export interface SdeSolution<Y, Ys> {
  /** The times of `y`. */
  readonly t: Float64Array;
  /** The states then. */
  readonly y: Ys;
  /** Where the solve ended. */
  readonly end: { readonly t: number; readonly y: Y };
  /** Why it ended. */
  readonly status: Status;
  /** Steps that stand. */
  readonly steps: number;
  /** Steps that were refused. */
  readonly rejected: number;
  /** Evaluations of the drift. */
  readonly evaluations: number;
  /** Where every step begins. */
  readonly stepTimes: Float64Array;
  /** The sizes of all steps. */
  readonly stepSizes: Float64Array;
  /** The error estimate of every step, relative to the tolerances. */
  readonly errors: Float64Array;
  /** The estimate of the largest eigenvalue of the drift's Jacobian; 0 for methods without one. */
  readonly stiffness: Float64Array;
  /** The steps for {@link replaySde}, with room for a power of two of them, at least 64: functions that are compiled for a room serve most solves. */
  readonly replay: () => StochasticSteps;
  /** The path as far as it was found out: `BrownianPath.restore(path)` goes on with it. */
  readonly path: BrownianPathState;
  /** The records of the solve. */
  readonly history: readonly StochasticRecord[];
  /** What `resume` goes on from. */
  readonly state: StochasticState;
}

/** The factors of the noise in plain numbers: one for each entry of the state, or a row for each. */
export type PlainDiffusion<P = unknown> = (
  t: number,
  u: Float64Array,
  parameters: P,
) => ArrayLike<number> | readonly ArrayLike<number>[];

type AnyFunction = (...args: never[]) => unknown;

const names = [...stochasticNames, "parameters", "saveAt", "seed", "path", "maxSteps", ...runOptionNames];
const float = (value: number) => tensor(value, { dtype: "float64" });

/** A right-hand side whose stochastic solves are compiled once. */
export interface SdeSolver<Y, Ys, P> {
  /** Solves from `u0` at `t0` to `t1`. */
  solve(u0: Y, span: readonly [number, number], options?: SolveSdeOptions<P>): Promise<SdeSolution<Y, Ys>>;
  /** Frees what was compiled. */
  release(): void;
}

/**
 * Solves `du = drift(t, u) dt + diffusion(t, u) dW`, with noise of its own for every entry of the state or, as `noise` says, noise that
 * they share, from `u0` at `t0` to `t1 >= t0`. The path is seeded, stored, and the same however steps are refused: see {@link BrownianPath}.
 *
 * @param drift - Of plain numbers where `u0` is, else in operations of tensors.
 * @param diffusion - Likewise; like the state, or with shared noise a matrix, rows of plain numbers or `[..., n, m]`.
 * @throws ValueError for options out of range, ShapeError for rates of another shape, NonFiniteError with the last good
 * state where no step is small enough.
 * @example await solveSde((t, [u]) => [1.5 * u], (t, [u]) => [u], [1], [0, 1], { seed: 1 });
 */
export async function solveSde<P = unknown>(
  drift: PlainRate<P>,
  diffusion: PlainDiffusion<P>,
  u0: readonly number[] | Float64Array,
  span: readonly [number, number],
  options?: SolveSdeOptions<P>,
): Promise<SdeSolution<Float64Array, Float64Array[]>>;
export async function solveSde<Y, P = unknown>(
  drift: TensorRate<Y, P>,
  diffusion: TensorRate<Y, P>,
  u0: Y,
  span: readonly [number, number],
  options?: SolveSdeOptions<P>,
): Promise<SdeSolution<Y, Y>>;
export async function solveSde(
  drift: AnyFunction,
  diffusion: AnyFunction,
  u0: unknown,
  span: unknown,
  options: SolveSdeOptions = {},
): Promise<SdeSolution<unknown, unknown>> {
  const solver = stochasticSolver("solveSde", drift, diffusion);
  try {
    return await solver.solve(u0, span, options);
  } finally {
    solver.release();
  }
}

/** Stochastic solves of one equation, again and again, compiled at the first call for each kind of state and method. */
export function makeSdeSolver<Y, P = unknown>(
  drift: TensorRate<Y, P>,
  diffusion: TensorRate<Y, P>,
): SdeSolver<Y, Y, P> {
  return stochasticSolver("makeSdeSolver", drift, diffusion) as unknown as SdeSolver<Y, Y, P>;
}

function stochasticSolver(owner: string, drift: AnyFunction, diffusion: AnyFunction) {
  let kept: { key: string; parts: unknown[]; machine: ReturnType<typeof stochasticMachine<unknown>> } | undefined;
  const solve = async (
    u0: unknown,
    span: unknown,
    options: SolveSdeOptions = {},
  ): Promise<SdeSolution<unknown, unknown>> => {
    checkOptions(owner, options, names);
    const stepping = checkStochastic(owner, options);
    const { maxSteps = 10_000, seed = 0, parameters } = options;
    requireInteger(owner, "maxSteps", maxSteps, 1);
    if (typeof seed !== "number" && typeof seed !== "string")
      throw new ValueError(`${owner}: seed is ${String(seed)}; give a number or a text`);
    const [t0, t1] = spanOf(owner, span);
    if (t1 < t0)
      throw new ValueError(`${owner}: the span runs from ${t0} back to ${t1}; stochastic equations run forwards`);
    const space = stateSpace(owner, drift, u0, { norm: "state" });
    const spread = stateSpace(owner, diffusion, u0, { norm: "state" });
    const noise = noiseForm(owner, space.state.size, space.extents, options.noise);
    const factors = spread.factors(diffusion, noise.factors, owner);
    requireFiniteState(owner, space.initial);
    const saveAt =
      options.saveAt === undefined
        ? undefined
        : inSpan(owner, "saveAt", timesOf(owner, "saveAt", options.saveAt), [t0, t1]);
    const plain = space.key.startsWith("plain");
    const parts = [stepping.method, stepping.controller, plain ? parameters : null, noise.factors.join()];
    if (kept === undefined || kept.key !== space.key || kept.parts.some((part, i) => part !== parts[i])) {
      kept?.machine.release();
      const system = (p: unknown) => ({
        size: space.state.size,
        drift: space.system(plain ? parameters : p).rate,
        diffusion: noise.diagonal
          ? spread.system(plain ? parameters : p).rate
          : (t: Tensor, u: Tensor) => factors(t, u, plain ? parameters : p),
        noise,
      });
      kept = { key: space.key, parts, machine: stochasticMachine(system, stepping.method, stepping.controller) };
    }
    const { machine } = kept;
    const given = plain ? null : (parameters ?? null);
    const tolerances = tolerancesOf(owner, stepping, space.state);
    if (options.path !== undefined && options.seed !== undefined)
      throw new ValueError(`${owner}: path decides the noise, so that seed says nothing; leave one of them out`);
    let path = options.path ?? BrownianPath.create(noise.size, seed, t0);
    if (!(path instanceof BrownianPath)) throw new ValueError(`${owner}: path is ${String(path)}; give a BrownianPath`);
    if (path.size !== noise.size)
      throw new ValueError(`${owner}: path has ${path.size} numbers side by side, the noise ${noise.size}`);

    const step = (s: StochasticInner): StochasticInner => {
      let { proposal, attempts } = s;
      for (;;) {
        const left = t1 - s.t;
        const reaches = proposal * (1 + 1e-10) >= left;
        const h = reaches ? left : proposal;
        const end = reaches ? t1 : s.t + h;
        // The whole of a short span is never too small.
        const smallest = h === t1 - t0 ? 0 : 1e-14 * Math.max(Math.abs(s.t), 1e-280);
        if (!(h > smallest)) {
          throw new NonFiniteError(
            `no step from t = ${s.t} is small enough: drift or diffusion is not finite near it, or the tolerances are too tight`,
          );
        }
        const { dW, dZ } = path.increment(s.t, end);
        const increments = { dW: tensor(dW), dZ: tensor(dZ) };
        const tried = machine.attempt(float(s.t), s.u, float(h), float(s.memory), increments, tolerances, given);
        attempts++;
        const finite = Number.isFinite(tried.error.item()) && tried.next.data().every(Number.isFinite);
        const factor = finite ? tried.factor.item() : 0.2;
        if (finite && tried.accepted.item() !== 0) {
          const row = { t: s.t, h, error: tried.error.item(), stiffness: tried.stiffness.item(), u: s.u, dW, dZ };
          const next = reaches ? Math.max(h * factor, proposal) : h * factor;
          return {
            ...s,
            t: end,
            u: tried.next,
            proposal: next,
            memory: tried.memory.item(),
            attempts,
            rows: [...s.rows, row],
          };
        }
        if (stepping.controller === fixedController) throw new NonFiniteError(`the step from t = ${s.t} is not finite`);
        proposal = h * factor;
      }
    };

    const run = await runLoop<StochasticInner, StochasticRecord>(
      {
        owner,
        limit: maxSteps,
        limitName: "maxSteps",
        initial: () => ({
          t: t0,
          u: space.initial,
          proposal:
            stepping.initialStep === 0
              ? machine.first(float(t0), space.initial, float(t1 - t0), tolerances, given).item()
              : stepping.initialStep,
          memory: stepping.controller.initial,
          attempts: 0,
          rows: [],
          path: path.state,
        }),
        step,
        record: ({ t, rows }, count) => {
          const { h, error } = rows[rows.length - 1];
          return { step: count, t, stepSize: h, error };
        },
        finished: ({ t }) => (t >= t1 ? "converged" : undefined),
        snapshot: (s) => ({ ...s, path: path.state }),
        check(inner) {
          requireStateLike(owner, inner, {
            t: 0,
            u: space.initial,
            proposal: 0,
            memory: 0,
            attempts: 0,
            path: { size: 0 },
          });
          const { t, rows } = inner;
          if (!Array.isArray(rows)) throw new ValueError(`${owner}: resume has no rows; give a state of ${owner}`);
          path = BrownianPath.restore(inner.path);
          const begin = rows[0]?.t ?? t;
          if (begin === t0 && t <= t1 && path.size === noise.size && inner.u.dtype === space.state.dtype) return;
          throw new ValueError(
            `${owner}: resume is of a solve of ${inner.u.dtype} with ${path.size} numbers of noise, from ${begin}, and stands at ${t}; ` +
              `this one is of ${space.state.dtype} with ${noise.size}, from ${t0} to ${t1}`,
          );
        },
      },
      options,
    );
    const { last, status, history, state } = run;
    const column = (name: "t" | "h" | "error" | "stiffness") => Float64Array.from(last.rows, (row) => row[name]);
    const times = saveAt ?? [...last.rows.map(({ t }) => t), last.t];
    const reached = times.filter((t) => t <= last.t);
    const rows = new Float64Array(reached.length * space.state.size);
    reached.forEach((t, i) => {
      rows.set(between(last, t), i * space.state.size);
    });
    return {
      t: Float64Array.from(reached),
      y: space.many(space.state.dtype === "float32" ? Float32Array.from(rows) : rows, reached.length),
      end: { t: last.t, y: space.one(last.u) },
      status,
      steps: last.rows.length,
      rejected: last.attempts - last.rows.length,
      evaluations: (stepping.initialStep === 0 ? 2 : 0) + stepping.method.evaluations * last.attempts,
      stepTimes: column("t"),
      stepSizes: column("h"),
      errors: column("error"),
      stiffness: column("stiffness"),
      replay: () => stepsOf(last.rows, noise.size),
      path: path.state,
      history,
      state,
    };
  };
  return { solve, release: () => kept?.machine.release() };
}

/** The state at a time, linearly between the ends of its step. */
function between({ rows, t: end, u }: StochasticInner, t: number): Float64Array {
  if (t >= end || rows.length === 0) return u.data() as Float64Array;
  let step = 0;
  while (step + 1 < rows.length && rows[step + 1].t <= t) step++;
  const [from, to] = [rows[step].u.data(), (rows[step + 1]?.u ?? u).data()];
  const part = (t - rows[step].t) / rows[step].h;
  const state = Float64Array.from(from);
  if (part === 0) return state;
  for (let i = 0; i < state.length; i++) state[i] += part * (to[i] - state[i]);
  return state;
}

function stepsOf(rows: readonly StochasticRow[], size: number): StochasticSteps {
  const room = Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(1, rows.length))));
  const column = (name: "t" | "h") => {
    const values = new Float64Array(room);
    rows.forEach((row, i) => {
      values[i] = row[name];
    });
    return tensor(values);
  };
  const table = (name: "dW" | "dZ") => {
    const values = new Float64Array(room * size);
    rows.forEach((row, i) => {
      values.set(row[name], i * size);
    });
    return tensor(values).reshape([room, size]);
  };
  return {
    t: column("t"),
    h: column("h"),
    dW: table("dW"),
    dZ: table("dZ"),
    count: tensor(rows.length, { dtype: "int32" }),
  };
}
