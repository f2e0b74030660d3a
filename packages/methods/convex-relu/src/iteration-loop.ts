import type { CommonOptions, ConvexProgress, ConvexStatus, HistoryPoint } from "./options.js";

/** Iterations from one report to the next. */
const REPORT_EVERY = 10;
/** Milliseconds of work between two chances for other events, such as Ctrl-C or a click. */
const PAUSE_AFTER = 50;

/** @internal What one iteration tells. */
interface Iterate {
  readonly primal: number;
  readonly dual: number;
}

/** @internal An iteration that can be run on. */
interface Iteration {
  /** Iterations made so far. */
  readonly made: () => number;
  /** Makes one. */
  readonly step: () => Iterate;
  /** What `onProgress` is told besides. */
  readonly report: () => Pick<ConvexProgress, "objective" | "state">;
  /** Adapts parameters between iterations. */
  readonly adapt?: (iterate: Iterate, iteration: number) => void;
}

/** @internal Runs an iteration to its tolerance, reports, and lets other events through. */
export async function iterate(
  iteration: Iteration,
  options: Pick<CommonOptions, "onProgress" | "signal"> & { tol: number; maxIter: number },
): Promise<{ status: ConvexStatus; history: HistoryPoint[] }> {
  const { tol, maxIter, onProgress, signal } = options;
  const history: HistoryPoint[] = [];
  let status: ConvexStatus = "inaccurate";
  let paused = performance.now();
  for (let step = 1; step <= maxIter; step++) {
    if (signal?.aborted) return { status: "aborted", history };
    const { primal, dual } = iteration.step();
    const converged = primal <= tol && dual <= tol;
    if (converged || step === 1 || step % REPORT_EVERY === 0 || step === maxIter) {
      const { objective, state } = iteration.report();
      const point = { iteration: iteration.made(), primal, dual, objective };
      history.push(point);
      const answer = onProgress && (await onProgress({ ...point, ...(state && { state }) }));
      if (converged) return { status: "converged", history };
      if (answer === "stop") {
        status = "stopped";
        break;
      }
    }
    iteration.adapt?.({ primal, dual }, step);
    if (step % REPORT_EVERY === 0 && performance.now() - paused > PAUSE_AFTER) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      paused = performance.now();
    }
  }
  return { status, history };
}
