import { type sparse, ValueError } from "@offprint/tensor-core";
import { readVector } from "@offprint/tensor-core/internal";
import { checkCount, checkTolerance, IterationMonitor, type IterationOptions } from "../linear/iteration.js";
import { checkFinite } from "../linear/linear-operator.js";

/** A smooth function of `[n]` numbers: writes its gradient into `gradient` and returns its value. */
export type ObjectiveWithGradient = (x: Float64Array, gradient: Float64Array) => number;

/** Options of the quasi-Newton minimisers. */
export interface MinimizerOptions extends IterationOptions {
  /** Pairs of steps and gradient changes remembered (default 10). */
  readonly memory?: number;
  /** Converged when the largest gradient entry (projected on the bounds, if any) is at most this (default 1e-8). */
  readonly gradientTolerance?: number;
  /**
   * Stops with `"smallDecrease"` when `f` falls by at most this times `max(|f|, |f_before|, 1)` in an iteration
   * (default 0: never).
   */
  readonly decreaseTolerance?: number;
  /** Most iterations (default 1000). */
  readonly maxIterations?: number;
  /** Most evaluations of a single line search (default 40). */
  readonly maxLineSearch?: number;
}

/** Why a minimiser stopped; `stalled` means that no step along the search direction lowered `f` (rounding, usually). */
export type MinimizerStatus = "converged" | "smallDecrease" | "maxIterations" | "stalled";

/** Result of a quasi-Newton minimiser. */
export interface MinimizerResult {
  /** Last iterate, `[n]`. */
  readonly x: Float64Array;
  /** `f(x)`. */
  readonly objective: number;
  /** Gradient at `x`, `[n]`. */
  readonly gradient: Float64Array;
  /** Why the solver stopped. */
  readonly status: MinimizerStatus;
  /** Iterations done. */
  readonly iterations: number;
  /** Calls of the objective. */
  readonly evaluations: number;
  /** Per iteration, the first point included: `[iterations + 1]`. */
  readonly history: {
    readonly objective: Float64Array;
    /** Largest entry of the (projected) gradient. */
    readonly gradientNorm: Float64Array;
  };
}

/** @internal The iterate, its gradient, and the checks and records that both minimisers share. */
export class MinimizerState {
  readonly n: number;
  x: Float64Array;
  gradient: Float64Array;
  value = 0;
  evaluations = 0;
  readonly memory: number;
  readonly gradientTolerance: number;
  readonly decreaseTolerance: number;
  readonly maxIterations: number;
  readonly maxLineSearch: number;
  readonly monitor: IterationMonitor;
  private readonly objective: ObjectiveWithGradient;
  private readonly solver: string;
  private readonly values: Float64Array;
  private readonly gradientNorms: Float64Array;

  constructor(objective: ObjectiveWithGradient, initial: sparse.VectorLike, options: MinimizerOptions, solver: string) {
    const n = "data" in initial ? initial.size : initial.length;
    if (n === 0) throw new ValueError(`${solver}: initial must not be empty`);
    this.n = n;
    this.objective = objective;
    this.solver = solver;
    this.x = readVector(initial, n, `${solver}: initial`).slice();
    checkFinite(this.x, `${solver}: initial`);
    this.gradient = new Float64Array(n);
    this.memory = options.memory ?? 10;
    this.gradientTolerance = options.gradientTolerance ?? 1e-8;
    this.decreaseTolerance = options.decreaseTolerance ?? 0;
    this.maxIterations = options.maxIterations ?? 1000;
    this.maxLineSearch = options.maxLineSearch ?? 40;
    checkCount(this.memory, `${solver}: memory`);
    checkCount(this.maxIterations, `${solver}: maxIterations`);
    checkCount(this.maxLineSearch, `${solver}: maxLineSearch`);
    checkTolerance(this.gradientTolerance, `${solver}: gradientTolerance`);
    checkTolerance(this.decreaseTolerance, `${solver}: decreaseTolerance`);
    this.monitor = new IterationMonitor(options, solver);
    this.values = new Float64Array(this.maxIterations + 1);
    this.gradientNorms = new Float64Array(this.maxIterations + 1);
  }

  /** Evaluates the starting point. @throws ValueError if it is not finite there. */
  begin(): void {
    this.value = this.evaluate(this.x, this.gradient);
    if (!Number.isFinite(this.value)) {
      throw new ValueError(`${this.solver}: the objective is ${this.value} at the initial point`);
    }
    checkFinite(this.gradient, `${this.solver}: gradient at the initial point`);
  }

  evaluate(x: Float64Array, gradient: Float64Array): number {
    this.evaluations++;
    return this.objective(x, gradient);
  }

  record(iteration: number, gradientNorm: number): void {
    this.values[iteration] = this.value;
    this.gradientNorms[iteration] = gradientNorm;
    this.monitor.report(iteration, gradientNorm);
  }

  /** Whether the last iteration lowered `f` by less than asked for. */
  smallDecrease(before: number): boolean {
    const scale = Math.max(Math.abs(before), Math.abs(this.value), 1);
    return this.decreaseTolerance > 0 && before - this.value <= this.decreaseTolerance * scale;
  }

  result(status: MinimizerStatus, iterations: number): MinimizerResult {
    return {
      x: this.x,
      objective: this.value,
      gradient: this.gradient,
      status,
      iterations,
      evaluations: this.evaluations,
      history: {
        objective: this.values.slice(0, iterations + 1),
        gradientNorm: this.gradientNorms.slice(0, iterations + 1),
      },
    };
  }
}
