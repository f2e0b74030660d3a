import { gradientWorker } from "../src/gradient-worker.js";
import { type LogisticData, type LogisticParams, lossAndGradient } from "./logistic-regression.js";

/** What the workers of the experiment are told: `delays` in milliseconds, and who is slow. */
export interface DigitsConfig {
  /** `[n][rounds]` Milliseconds that a worker waits before it works; none where it is left out. */
  readonly delays?: readonly (readonly number[])[];
  /** Milliseconds of a full gradient on top of what it takes. */
  readonly costs?: number;
  /** `[rounds]` workers that do not answer until their round is closed. */
  readonly silent?: readonly (readonly number[])[];
}

/** Resolves after some time, or when the round is closed. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(resolve, ms);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });
}

/** Logistic regression whose workers are as slow as the experiment wants them to be. */
export const digitsRegression = gradientWorker<DigitsConfig, LogisticParams, LogisticData>(
  ({ delays, costs = 0, silent }) => ({
    valueAndGradient: lossAndGradient,
    async pace({ worker, round, work, signal }) {
      if (silent?.[round]?.includes(worker)) await pause(Number.POSITIVE_INFINITY, signal);
      else if (delays !== undefined) await pause(delays[worker][round] + costs * work, signal);
    },
  }),
);
