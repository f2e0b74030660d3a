import {
  type ConicOptions,
  type ConicProblem,
  type ConicProgress,
  type ConicResult,
  solveConic,
} from "@offprint/conic";
import {
  breathing,
  checkRunOptions,
  type Parts,
  type ProgrammeStatus,
  type RunOptions,
  type RunState,
} from "@offprint/solvers";
import { ValueError } from "@offprint/tensor-core";

/** What a check of the solver saw. */
export interface ProgrammeProgress extends ConicProgress {
  /** Which programme of the bound, from 0; most bounds need one. */
  readonly programme: number;
}

/** What a bound goes on from. */
export type ProgrammeState = RunState<unknown, ProgrammeProgress>;

/** Options of every bound that solves programmes. */
export interface ProgrammeOptions extends RunOptions<ProgrammeProgress, ProgrammeState> {
  /** Tolerance of the solver's residuals, in (0, 1); default 1e-6. */
  readonly tolerance?: number;
  /** Iterations of the solver at most, over all programmes; default 10000. */
  readonly maxIterations?: number;
  /** Which solver, and how it works: options of `solveConic` of @offprint/conic. */
  readonly solver?: Pick<ConicOptions, "method" | "normalize" | "relaxation" | "scale" | "adaptScale" | "anderson">;
}

/** @internal The names of {@link ProgrammeOptions}. */
export const programmeOptionNames = [
  "tolerance",
  "maxIterations",
  "solver",
  "onProgress",
  "signal",
  "checkpoint",
  "resume",
] as const;

/** @internal What is kept of a solved programme. */
export type ConicSolution = Pick<ConicResult, "status" | "x" | "y" | "objective" | "iterations">;

/** A programme that is done. */
interface Solved extends ConicSolution {
  /** It was written anew: how this one ended does not count. */
  readonly superseded?: true;
}

interface SavedSession {
  /** Programmes that are done, in order. */
  readonly solved: readonly Solved[];
  /** State of the one that was interrupted. */
  readonly current: ConicResult["state"] | null;
}

/**
 * @internal The programmes of one bound, solved one after the other under one limit, one signal and one history. A resumed
 * session gives the finished ones back and goes on inside the interrupted one.
 */
export class ProgrammeSession {
  readonly history: ProgrammeProgress[];
  /** Why no more is computed. */
  ended: "limit" | "stopped" | "aborted" | undefined;
  private readonly solved: Solved[];
  private current: ConicResult["state"] | null;
  private next = 0;

  constructor(
    owner: string,
    private readonly options: ProgrammeOptions,
  ) {
    checkRunOptions(owner, options);
    const { resume, maxIterations = 10000 } = options;
    if (!Number.isSafeInteger(maxIterations) || maxIterations < 1) {
      throw new ValueError(`${owner}: maxIterations must be an integer >= 1, got ${maxIterations}`);
    }
    const saved = resume === undefined ? undefined : savedSession(owner, resume);
    this.history = [...(resume?.history ?? [])];
    this.solved = [...(saved?.solved ?? [])];
    this.current = saved?.current ?? null;
  }

  /** Iterations so far. */
  get iterations(): number {
    return this.solved.reduce((sum, { iterations }) => sum + iterations, this.current?.iterations ?? 0);
  }

  /** How it ended: well only if every programme did, or was solved once more. */
  get status(): ProgrammeStatus {
    const bad = this.solved.find(({ status, superseded }) => status !== "converged" && !superseded);
    return this.ended ?? bad?.status ?? "converged";
  }

  get state(): ProgrammeState {
    return this.stateWith(this.current);
  }

  /** The programme that was solved last will be written anew and solved once more. */
  supersede(): void {
    this.solved[this.next - 1] = { ...this.solved[this.next - 1], superseded: true };
  }

  /**
   * Solves the next programme.
   *
   * @param again whether it can be written anew: where interior points get no further it is then left, as `inaccurate`,
   * before the long run of the splitting
   */
  async solve(problem: ConicProblem, again = false): Promise<ConicSolution> {
    const known = this.solved[this.next];
    if (known !== undefined) {
      this.next++;
      return known;
    }
    const { tolerance, maxIterations = 10000, solver = {}, signal, checkpoint } = this.options;
    const before = this.solved.reduce((sum, { iterations }) => sum + iterations, 0);
    if (before >= maxIterations) this.ended ??= "limit";
    let stuck = false;
    const result = await solveConic(problem, {
      ...solver,
      ...(tolerance === undefined ? {} : { tolerance }),
      maxIterations: Math.max(1, maxIterations - before),
      signal: this.ended === undefined ? signal : AbortSignal.abort(),
      onProgress: (record) => {
        stuck = again && this.isSplittingNow(record);
        const answer = this.report(record, before);
        return stuck ? "stop" : answer;
      },
      ...(this.current === null || this.ended !== undefined ? {} : { resume: this.current }),
      ...(checkpoint === undefined
        ? {}
        : { checkpoint: { ...checkpoint, save: (state) => checkpoint.save(this.stateWith(state)) } }),
    });
    const status = stuck && result.status === "stopped" ? "inaccurate" : result.status;
    if (this.ended !== undefined) return result;
    if (status === "limit" || status === "stopped" || status === "aborted") {
      this.ended = status;
      this.current = result.state;
    } else {
      const { x, y, objective, iterations } = result;
      this.solved.push({ status, x, y, objective, iterations });
      this.current = null;
      this.next++;
    }
    return { ...result, status };
  }

  /** Long work beside the programmes, in parts; nothing where the signal fired, as then nothing more is computed. */
  async working<T>(parts: Parts<T>): Promise<T | undefined> {
    if (this.ended === "aborted") return undefined;
    const { signal } = this.options;
    const result = await breathing(parts, signal);
    if (signal?.aborted) this.ended ??= "aborted";
    return result;
  }

  /** Whether the solver has gone over from interior points to the splitting. */
  private isSplittingNow({ method }: ConicProgress): boolean {
    const last = this.history.at(-1);
    return method === "splitting" && last?.method === "interior-point" && last.programme === this.solved.length;
  }

  private report(record: ConicProgress, before: number): unknown {
    const own = { ...record, iteration: before + record.iteration, programme: this.solved.length };
    this.history.push(own);
    return this.options.onProgress?.(own);
  }

  private stateWith(current: ConicResult["state"] | null): ProgrammeState {
    const solved = this.solved.slice();
    const done = solved.reduce((sum, { iterations }) => sum + iterations, 0);
    const inner: SavedSession = { solved, current };
    return { iterations: done + (current?.iterations ?? 0), history: this.history.slice(), inner };
  }
}

function savedSession(owner: string, resume: ProgrammeState): SavedSession {
  const inner = (resume as ProgrammeState | null)?.inner as SavedSession | null | undefined;
  if (!Array.isArray(inner?.solved) || !Array.isArray(resume.history) || inner.current === undefined) {
    throw new ValueError(
      `${owner}: resume is not a state of this bound; give the \`state\` of a result or a checkpoint`,
    );
  }
  return inner;
}
