import {
  checkOptions,
  NonFiniteError,
  requireInteger,
  requireNonNegative,
  requireObject,
  type sparse,
  ValueError,
} from "@offprint/tensor-core";
import { readVector } from "@offprint/tensor-core/internal";
import { type Loop, type RunResult, runLoop, runLoopSync } from "../run/run-loop.js";
import { type RunOptions, type RunState, runOptionNames } from "../run/run-options.js";
import type { Status } from "../run/status.js";
import { asOperator, checkFinite, type LinearOperator, type OperatorLike } from "./linear-operator.js";
import { addScaled, maxNorm, norm } from "./vector-arithmetic.js";

/** Limits and tolerances of the solvers of `A x = b`. */
export interface LinearSolverSettings {
  /** Approximate inverse of `A`; symmetric positive definite for CG and MINRES. Default none. */
  readonly preconditioner?: OperatorLike;
  /** First iterate, `[n]`. Default zeros. */
  readonly initial?: sparse.VectorLike;
  /** Converged when the residual norm is at most this times the norm of `b` (default 1e-10). */
  readonly tolerance?: number;
  /** Or when the residual norm is at most this (default 0). */
  readonly absoluteTolerance?: number;
  /** Most iterations (products with `A`), default `10 n`. */
  readonly maxIterations?: number;
}

/** What a linear solver tells of an iteration. */
export interface LinearSolverRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** Norm of the residual by the method's own recurrence (of the preconditioned residual for MINRES). */
  readonly residualNorm: number;
  /** Where several iterations are made at once, by a kernel: the norms of all of them. */
  readonly residualNorms?: Float64Array;
}

/** A state to go on from; a tree. */
export type LinearSolverState = RunState<LinearState, LinearSolverRecord>;

/** Options of the solvers of `A x = b`. */
export interface LinearSolverOptions extends LinearSolverSettings, RunOptions<LinearSolverRecord, LinearSolverState> {}

/**
 * Why a linear solver stopped; `breakdown` means that the method cannot go on (for CG: `A` is not positive definite).
 */
export type LinearSolverStatus = Status | "breakdown";

/** Result of a linear solver. */
export interface LinearSolverResult<S extends string = LinearSolverStatus> {
  /** Last iterate, `[n]`. */
  readonly x: Float64Array;
  /** Why the solver stopped. */
  readonly status: S;
  /** Iterations done. */
  readonly iterations: number;
  /** Norm of the residual by the method's own recurrence (of the preconditioned residual for MINRES). */
  readonly residualNorm: number;
  /** That of the first iterate. */
  readonly initialResidualNorm: number;
  /** The record of every iteration; where a kernel makes several at once, of all that it made. */
  readonly history: readonly LinearSolverRecord[];
  /** What `resume` goes on from. */
  readonly state: LinearSolverState;
}

/** Result of a linear solver that runs in one go. */
export type LinearSolverResultSync = LinearSolverResult<"converged" | "limit" | "breakdown">;

/** Where a linear solver stands, in the units of its system. */
export interface LinearState {
  /** Iterations done. */
  readonly iteration: number;
  /** The iterate, `[n]`. */
  readonly x: Float64Array;
  /** Norm of its residual. */
  readonly residualNorm: number;
  /** That of the first iterate. */
  readonly initialResidualNorm: number;
  /** The method cannot go on. */
  readonly broken: boolean;
}

/** @internal A method for a system that it was made for. */
export interface LinearMethod<S extends LinearState> {
  readonly system: LinearSystem;
  readonly begin: () => S;
  /** One iteration, or several. */
  readonly step: (state: S) => S;
  /** Default: the residual norm is at most the threshold of the system. */
  readonly converged?: (state: S) => boolean;
  /** The iterate, where it is not kept up to date. */
  readonly iterate?: (state: S) => Float64Array;
  /** The norms of the iterations that the last step made, where it makes several. */
  readonly norms?: (state: S) => Float64Array;
  readonly check: (state: S) => boolean;
}

const settingNames = ["preconditioner", "initial", "tolerance", "absoluteTolerance", "maxIterations"];

/** @internal The system `A x = b` in units in which the squares of residuals neither vanish nor overflow. */
export class LinearSystem {
  readonly owner: string;
  readonly n: number;
  readonly b: Float64Array;
  readonly initial: Float64Array;
  readonly startsAtZero: boolean;
  /** What `b`, `initial` and residuals were divided by: a power of two. */
  readonly scale: number;
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly absoluteTolerance: number;
  /** Largest residual norm that counts as converged. */
  readonly threshold: number;

  constructor(
    owner: string,
    b: sparse.VectorLike,
    { initial, tolerance = 1e-10, absoluteTolerance = 0, maxIterations }: LinearSolverSettings,
    sizeOf: (x: Float64Array) => number,
    mostIterations?: number,
  ) {
    this.owner = owner;
    requireObject(owner, "b", b, "a vector");
    const n = "data" in b ? b.size : b.length;
    if (n === 0) throw new ValueError(`${owner}: b must not be empty`);
    this.n = n;
    const right = readVector(b, n, `${owner}: b`);
    checkFinite(right, `${owner}: b`);
    const start = initial === undefined ? new Float64Array(n) : readVector(initial, n, `${owner}: initial`);
    checkFinite(start, `${owner}: initial`);
    requireNonNegative(owner, "tolerance", tolerance);
    requireNonNegative(owner, "absoluteTolerance", absoluteTolerance);
    this.maxIterations = maxIterations ?? mostIterations ?? 10 * n;
    requireInteger(owner, "maxIterations", this.maxIterations, 0);
    this.scale = unitOf(Math.max(maxNorm(right), initial === undefined ? 0 : sizeOf(start)));
    this.b = timesPower(right, 1 / this.scale);
    this.initial = timesPower(start, 1 / this.scale);
    this.startsAtZero = initial === undefined;
    this.tolerance = tolerance;
    this.absoluteTolerance = absoluteTolerance / this.scale;
    this.threshold = Math.max(tolerance * norm(this.b), this.absoluteTolerance);
  }

  /** @throws NonFiniteError for a residual that is not finite. */
  checked(residualNorm: number): number {
    if (Number.isFinite(residualNorm)) return residualNorm;
    throw new NonFiniteError(
      `the residual norm became ${residualNorm}: an operator gave values that are not finite, or the problem overflows`,
    );
  }

  first(residualNorm: number): Pick<LinearState, "iteration" | "residualNorm" | "initialResidualNorm" | "broken"> {
    this.checked(residualNorm);
    return { iteration: 0, residualNorm, initialResidualNorm: residualNorm, broken: false };
  }
}

/** The vector times a power of two; itself where that is 1. */
function timesPower(x: Float64Array, factor: number): Float64Array {
  return factor === 1 ? x : x.map((v) => v * factor);
}

/** 1 for sizes whose squares are safe, even times a squared tolerance; else the power of two below. */
function unitOf(size: number): number {
  const exponent = Math.floor(Math.log2(size));
  return size === 0 || Math.abs(exponent) < 400 ? 1 : 2 ** Math.max(exponent, -1022);
}

/** @internal A system with its operators, for methods that only multiply. */
export class OperatorSystem extends LinearSystem {
  readonly apply: LinearOperator;
  readonly precondition: LinearOperator | null;

  constructor(owner: string, a: OperatorLike, b: sparse.VectorLike, options: LinearSolverSettings) {
    requireObject(owner, "b", b, "a vector");
    const n = "data" in b ? b.size : b.length;
    const apply = asOperator(a, n, `${owner}: A`);
    super(owner, b, options, (x) => {
      const product = new Float64Array(n);
      apply(x.slice(), product);
      return Math.max(maxNorm(x), maxNorm(product));
    });
    this.apply = apply;
    const { preconditioner } = options;
    this.precondition = preconditioner === undefined ? null : asOperator(preconditioner, n, `${owner}: preconditioner`);
  }

  /** `A x`. */
  product(x: Float64Array): Float64Array {
    const out = new Float64Array(this.n);
    this.apply(x, out);
    return out;
  }

  /** `M r`, or `r` itself without a preconditioner. */
  preconditioned(r: Float64Array): Float64Array {
    if (this.precondition === null) return r;
    const out = new Float64Array(this.n);
    this.precondition(r, out);
    return out;
  }

  /** `b - A x`. */
  residual(x: Float64Array): Float64Array {
    const out = this.b.slice();
    addScaled(out, -1, this.product(x));
    return out;
  }
}

type Finish = "converged" | "breakdown";

/** @internal Runs a method, letting the event loop have its turn. */
export async function solveLinear<S extends LinearState>(
  make: (owner: string) => LinearMethod<S>,
  owner: string,
  options: LinearSolverOptions,
  names: readonly string[] = settingNames,
): Promise<LinearSolverResult> {
  checkOptions(owner, options, [...names, ...runOptionNames]);
  const method = make(owner);
  // The method's own part of a state is known to the method alone.
  const run = options as RunOptions<LinearSolverRecord, RunState<S, LinearSolverRecord>>;
  return resultOf(method, await runLoop(linearLoop(method), run));
}

/** @internal Runs a method in one go. */
export function solveLinearSync<S extends LinearState>(
  make: (owner: string) => LinearMethod<S>,
  owner: string,
  options: LinearSolverSettings,
  names: readonly string[] = settingNames,
): LinearSolverResultSync {
  checkOptions(owner, options, names);
  const method = make(owner);
  return resultOf(method, runLoopSync(linearLoop(method)));
}

/** @internal Names of the options of all linear solvers, and more. */
export function linearOptionNames(...more: readonly string[]): readonly string[] {
  return [...settingNames, ...more];
}

function linearLoop<S extends LinearState>(method: LinearMethod<S>): Loop<S, LinearSolverRecord, Finish> {
  const { system } = method;
  const converged = method.converged ?? (({ residualNorm }) => residualNorm <= system.threshold);
  let before = -1;
  return {
    owner: system.owner,
    limit: system.maxIterations,
    initial: method.begin,
    step(state) {
      before = state.iteration;
      return method.step(state);
    },
    count: ({ iteration }) => iteration,
    record(state, iteration) {
      if (iteration === before) return undefined;
      const residualNorm = state.residualNorm * system.scale;
      const norms = method.norms?.(state);
      if (norms === undefined) return { iteration, residualNorm };
      return { iteration, residualNorm, residualNorms: timesPower(norms, system.scale) };
    },
    finished: (state) => (converged(state) ? "converged" : state.broken ? "breakdown" : undefined),
    check(state) {
      const fits = state.x instanceof Float64Array && state.x.length === system.n;
      if (fits && typeof state.residualNorm === "number" && method.check(state)) return;
      throw new ValueError(`${system.owner}: resume is a state of another system or solver; give one of this system`);
    },
  };
}

function resultOf<S extends LinearState, W extends string>(
  { system, iterate = ({ x }) => x }: LinearMethod<S>,
  run: Omit<RunResult<S, LinearSolverRecord>, "status"> & { readonly status: W },
): LinearSolverResult<W> {
  const { status, iterations, history, last, state } = run;
  return {
    x: timesPower(iterate(last), system.scale).slice(),
    status,
    iterations,
    residualNorm: last.residualNorm * system.scale,
    initialResidualNorm: last.initialResidualNorm * system.scale,
    history,
    state,
  };
}
