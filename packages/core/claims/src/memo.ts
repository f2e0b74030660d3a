import type { ClaimContext } from "./claim.js";

interface Kept<R> {
  readonly key: readonly unknown[];
  readonly result: Promise<R>;
}

/**
 * Runs an experiment once for the claims that look at it. Runs are told apart by seed, scale and backend of the context
 * and by what `keyOf` makes of the other arguments (by default themselves; compared by `Object.is`). An experiment that
 * failed or was aborted is forgotten.
 *
 * @example
 * ```ts
 * import { memo } from "@offprint/claims";
 *
 * const trained = memo(async ({ seed, scale }, optimizer: string) => {
 *   return { optimizer, steps: scale === "full" ? 1000 : 10, seed };
 * });
 * ```
 */
export function memo<Rest extends unknown[], R>(
  run: (context: ClaimContext, ...rest: Rest) => R | Promise<R>,
  keyOf: (...rest: Rest) => readonly unknown[] = (...rest) => rest,
): (context: ClaimContext, ...rest: Rest) => Promise<R> {
  let kept: Kept<R>[] = [];
  return (context, ...rest) => {
    const key = [context.seed, context.scale, context.backend, ...keyOf(...rest)];
    const same = (other: readonly unknown[]) =>
      other.length === key.length && other.every((part, i) => Object.is(part, key[i]));
    const found = kept.find((each) => same(each.key));
    if (found !== undefined) return found.result;
    const result = (async () => run(context, ...rest))();
    const entry = { key, result };
    kept.push(entry);
    result.catch(() => {
      kept = kept.filter((each) => each !== entry);
    });
    return result;
  };
}
