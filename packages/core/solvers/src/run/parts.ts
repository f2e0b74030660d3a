import { requireObject } from "@offprint/tensor-core";
import { makeBreather } from "./breather.js";

/** A computation in parts: whoever runs it may do something else, or give it up, wherever it yields. */
export type Parts<T> = Generator<undefined, T, undefined>;

/** Runs all parts in one go. */
export function inOneGo<T>(parts: Parts<T>): T {
  requireObject("inOneGo", "parts", parts, "Parts");
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/**
 * Runs all parts and lets timers, clicks and signals have their turn between them.
 *
 * @returns nothing where the signal fired before the last part was done
 * @example
 * ```ts
 * import { breathing, type Parts } from "@offprint/solvers";
 *
 * function* sumOfRoots(count: number): Parts<number> {
 *   let sum = 0;
 *   for (let i = 0; i < count; i++) {
 *     sum += Math.sqrt(i);
 *     yield;
 *   }
 *   return sum;
 * }
 * console.log(await breathing(sumOfRoots(3))); // 2.414213562373095
 * ```
 */
export async function breathing<T>(parts: Parts<T>, signal?: undefined): Promise<T>;
export async function breathing<T>(parts: Parts<T>, signal: AbortSignal | undefined): Promise<T | undefined>;
export async function breathing<T>(parts: Parts<T>, signal?: AbortSignal): Promise<T | undefined> {
  requireObject("breathing", "parts", parts, "Parts");
  const breather = makeBreather(true);
  for (;;) {
    if (signal?.aborted) return undefined;
    const { done, value } = parts.next();
    if (done) return value;
    if (breather.due()) await breather.pause();
  }
}
