import { requireFunction, requireObject, ShapeError } from "@offprint/tensor-core";
import { meanOf } from "./measures.js";

/**
 * The power with which y grows with x: the slope of the least-squares line through (log x, log y).
 *
 * @param x Two sizes or more, > 0.
 * @param y As many values, > 0.
 * @throws ShapeError where the numbers of values differ, or there are fewer than two
 * @example growthOf([1, 2, 4], [3, 12, 48]) // 2
 */
export function growthOf(x: readonly number[], y: readonly number[]): number {
  requireObject("growthOf", "x", x, "an array of numbers");
  requireObject("growthOf", "y", y, "an array of numbers");
  if (x.length !== y.length || x.length < 2) {
    throw new ShapeError(`growthOf: ${x.length} sizes and ${y.length} values; give as many of both, two at least`);
  }
  const [u, v] = [x.map(Math.log), y.map(Math.log)];
  const [meanU, meanV] = [meanOf(u), meanOf(v)];
  const covariance = u.reduce((total, each, i) => total + (each - meanU) * (v[i] - meanV), 0);
  return covariance / u.reduce((total, each) => total + (each - meanU) ** 2, 0);
}

/**
 * Seconds that processors have worked for this program, which stand still while others have their turn; by the clock where
 * that is not known.
 */
export function processorSeconds(): number {
  const { process } = globalThis as { process?: { cpuUsage?: () => { user: number; system: number } } };
  const used = process?.cpuUsage?.();
  return used === undefined ? performance.now() / 1000 : (used.user + used.system) / 1e6;
}

/**
 * Seconds of a run, as little disturbed by other work on the machine as can be had: the shortest of 5 to 20 by the clock
 * and by processor time, which stands still while other programs have their turn.
 *
 * @param run The work; a promise is awaited.
 * @param onCpu Whether this program's processor does it, and not a device.
 */
export async function leastSeconds(run: () => unknown, onCpu = true): Promise<number> {
  requireFunction("leastSeconds", "run", run);
  const [shortest] = await leastSecondsInTurn([run], onCpu);
  return shortest;
}

/**
 * {@link leastSeconds} of several runs that are compared, one of each in turn: what slows the machine for a while slows all
 * of them.
 *
 * @param runs The works; promises are awaited.
 * @param onCpu Whether this program's processor does them, and not a device.
 * @param onTurn Told after each turn which part of the least number of them is done.
 */
export async function leastSecondsInTurn(
  runs: readonly (() => unknown)[],
  onCpu = true,
  onTurn?: (done: number) => unknown,
): Promise<number[]> {
  requireObject("leastSecondsInTurn", "runs", runs, "an array");
  const shortest = runs.map(() => Number.POSITIVE_INFINITY);
  const started = performance.now();
  for (let turn = 0; turn < 20 && (turn < 5 || performance.now() - started < 150 * runs.length); turn++) {
    for (const [i, run] of runs.entries()) {
      const [before, workedBefore] = [performance.now(), processorSeconds()];
      await run();
      const worked = processorSeconds() - workedBefore;
      shortest[i] = Math.min(shortest[i], (performance.now() - before) / 1000, onCpu && worked > 0 ? worked : Infinity);
    }
    await onTurn?.(Math.min(1, (turn + 1) / 5));
  }
  return shortest;
}

/**
 * Processor seconds of an iteration of a long run: the shortest between two of its records, so that what is compiled at
 * first does not count, and other work on the machine hardly does.
 *
 * @param run The work; it must call `onProgress` after every iteration, and three times at least.
 * @throws ShapeError where it is called less often
 */
export async function leastIterationSeconds(run: (onProgress: () => void) => unknown): Promise<number> {
  requireFunction("leastIterationSeconds", "run", run);
  const times: number[] = [];
  await run(() => void times.push(processorSeconds()));
  if (times.length < 3) {
    throw new ShapeError(
      `leastIterationSeconds: the run had ${times.length} records; let it make three iterations at least`,
    );
  }
  return Math.min(...times.slice(1).map((time, i) => time - times[i]));
}
