import { requireFunction } from "@offprint/tensor-core";
import { exitCodes } from "./failure.js";

/**
 * Runs work that Ctrl-C and SIGTERM can stop: the first one fires the signal, so that the work ends in order; a second
 * one ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  requireFunction("interruptible", "work", work);
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
