import { AbortedError, ValueError } from "@offprint/tensor-core";

/** State of an iteration, as `onProgress` receives it. */
export interface IterationProgress {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** Residual norm of a linear solver, maximum gradient of a minimiser. */
  readonly residual: number;
}

/** What every iterative solver takes. */
export interface IterationOptions {
  /** Called after every iteration. The object is reused: copy what is to be kept. */
  readonly onProgress?: (progress: IterationProgress) => void;
  /** Stops the solver with an AbortedError at the next iteration. */
  readonly signal?: AbortSignal;
}

/** Reports progress and honours the abort signal, without allocating per iteration. */
export class IterationMonitor {
  private readonly options: IterationOptions;
  private readonly solver: string;
  private readonly progress = { iteration: 0, residual: 0 };

  constructor(options: IterationOptions, solver: string) {
    this.options = options;
    this.solver = solver;
    this.checkSignal();
  }

  /** @throws AbortedError if the signal fired; ValueError for a residual that is not a number. */
  report(iteration: number, residual: number): void {
    this.checkSignal();
    if (!Number.isFinite(residual)) {
      throw new ValueError(
        `${this.solver}: the residual became ${residual} in iteration ${iteration}: a function gave values that are ` +
          "not finite, or the problem overflows",
      );
    }
    if (this.options.onProgress === undefined) return;
    this.progress.iteration = iteration;
    this.progress.residual = residual;
    this.options.onProgress(this.progress);
  }

  private checkSignal(): void {
    if (this.options.signal?.aborted) throw new AbortedError(`${this.solver}: aborted by the caller's signal`);
  }
}

/** @throws ValueError unless `value` is a positive integer. */
export function checkCount(value: number, name: string): void {
  if (!Number.isInteger(value) || value < 1) throw new ValueError(`${name} must be a positive integer, got ${value}`);
}

/** @throws ValueError unless `value` is finite and not negative. */
export function checkTolerance(value: number, name: string): void {
  if (!(value >= 0 && Number.isFinite(value))) throw new ValueError(`${name} must be zero or positive, got ${value}`);
}
