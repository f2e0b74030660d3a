import { jitSync, linalg, NonFiniteError, requireChoice, type Tensor, ValueError } from "@offprint/tensor-core";
import { asVariables, raveling } from "../raveled.js";
import { type Loop, type RunResult, runLoop, runLoopSync } from "../run/run-loop.js";
import type { RunOptions, RunState } from "../run/run-options.js";
import type { Status } from "../run/status.js";
import type { IterateState } from "./vector-iteration.js";
import { type CheckedSettings, iterationOf } from "./vector-methods.js";

/** What {@link fixedPoint} and {@link root} tell of an iteration. */
export interface RootRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** Euclidean norm of the residual after it. */
  readonly residualNorm: number;
}

/** A state to go on from; a tree. */
export type RootState = RunState<IterateState, RootRecord>;

/** Why the run ended; `inaccurate` where no step along Newton's direction lowers the residual any more. */
export type RootStatus = Status | "inaccurate";

/** What {@link fixedPoint} and {@link root} give. */
export interface RootResult<X> {
  /** Last iterate, like `initial`. */
  readonly x: X;
  /** Euclidean norm of the residual there. */
  readonly residualNorm: number;
  /** Why the run ended. */
  readonly status: RootStatus;
  /** Iterations done. */
  readonly iterations: number;
  /** The record of every iteration. */
  readonly history: readonly RootRecord[];
  /** What `resume` goes on from. */
  readonly state: RootState;
}

/** How steps are carried out. */
export interface StepOptions {
  /** Whether the step is compiled: the function must be traceable then, and is traced once (default false). */
  readonly compile?: boolean;
}

/** Options of a run. */
export interface RootRunOptions extends StepOptions, RunOptions<RootRecord, RootState> {}

type Finish = "converged" | "inaccurate";

/** A problem ready to be run. */
interface Prepared<X> {
  readonly loop: Loop<IterateState, RootRecord, Finish>;
  result(run: RunResult<IterateState, RootRecord, Finish>): RootResult<X>;
}

/** @internal Runs the iteration for `residual(x) = 0`, a function of trees. */
export async function runRoot<X>(
  owner: string,
  residual: (x: X) => X,
  initial: X,
  settings: CheckedSettings,
  options: RootRunOptions,
): Promise<RootResult<X>> {
  const { loop, result } = prepared(owner, residual, initial, settings, options);
  return result(await runLoop(loop, options));
}

/** @internal The same in one go. */
export function runRootSync<X>(
  owner: string,
  residual: (x: X) => X,
  initial: X,
  settings: CheckedSettings,
  options: StepOptions,
): RootResult<X> {
  const { loop, result } = prepared(owner, residual, initial, settings, options);
  return result(runLoopSync(loop));
}

function prepared<X>(
  owner: string,
  residual: (x: X) => X,
  initial: X,
  settings: CheckedSettings,
  { compile = false }: StepOptions,
): Prepared<X> {
  requireChoice(owner, "compile", compile, [true, false]);
  if (typeof residual !== "function") throw new ValueError(`${owner}: the function is ${String(residual)}`);
  const example = asVariables(initial);
  const space = raveling(owner, example);
  const start = space.ravel(example);
  requireFinite(owner, start);
  const iteration = iterationOf((v) => space.ravel(residual(space.unravel(v))), settings);
  const step = compile ? jitSync(iteration.step) : iteration.step;
  const loop: Prepared<X>["loop"] = {
    owner,
    limit: settings.maxIterations,
    initial: () => checkedState(iteration.begin(start), `${owner}: at the initial point`),
    step: (state) => checkedState(step(state), "after the step"),
    record: (state, iteration) => ({ iteration, residualNorm: normOf(state) }),
    finished(state) {
      if (normOf(state) <= settings.tolerance) return "converged";
      return iteration.stuck !== undefined && iteration.stuck(state).item() !== 0 ? "inaccurate" : undefined;
    },
    check(state) {
      const like = iteration.begin(start);
      const fits = Object.entries(like).every(([name, value]) => {
        const kept = (state as unknown as Record<string, Tensor | undefined>)[name];
        return kept?.shape?.join() === (value as Tensor).shape.join() && kept.dtype === (value as Tensor).dtype;
      });
      if (fits) return;
      throw new ValueError(`${owner}: resume is a state of another problem or method; give one of this problem`);
    },
  };
  return {
    loop,
    result({ status, iterations, history, last, state }) {
      return { x: space.unravel(last.x), residualNorm: normOf(last), status, iterations, history, state };
    },
  };
}

function requireFinite(owner: string, start: Tensor): void {
  const values = start.data();
  const wrong = values.findIndex((v: number) => !Number.isFinite(v));
  if (wrong >= 0) throw new ValueError(`${owner}: initial must be finite, got ${values[wrong]} at ${wrong}`);
}

function normOf({ residual }: IterateState): number {
  return linalg.norm(residual).item();
}

function checkedState(state: IterateState, where: string): IterateState {
  const norm = normOf(state);
  if (Number.isFinite(norm)) return state;
  throw new NonFiniteError(
    `the residual is ${norm} ${where}: give a better initial, less mixing or a method with backtracking`,
  );
}
