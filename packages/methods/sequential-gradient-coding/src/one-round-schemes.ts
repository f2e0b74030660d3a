import { checkOptions, requireChoice, requireInteger, requireObject } from "@offprint/tensor-core";
import { type CodeKind, cyclicCode, type GradientCode } from "./cyclic-code.js";
import type { Scheme } from "./scheme.js";

/** Which code a scheme uses. */
export interface SchemeCodeOptions {
  /** Default `"cyclic"`. */
  readonly code?: CodeKind;
  /** Seed of a random code. Default 0. */
  readonly seed?: number | string;
}

/** Makes a code when it is first asked for. */
export function lazyCode(workers: number, stragglers: number, { code, seed }: SchemeCodeOptions): () => GradientCode {
  let made: GradientCode | undefined;
  return () => {
    made ??= cyclicCode(workers, stragglers, {
      ...(code !== undefined && { kind: code }),
      ...(seed !== undefined && { seed }),
    });
    return made;
  };
}

/** Every worker does the same one mini-task of the round's own job, which is finished with the round. */
function oneRound(workers: number): Pick<Scheme, "workers" | "delay" | "memory" | "assign" | "forgives"> {
  return {
    workers,
    delay: 0,
    memory: 0,
    assign: ({ round, jobs }) => (round < jobs ? [{ job: round, tasks: new Int16Array(workers) }] : []),
    forgives: () => true,
  };
}

const eachItsOwn = { own: 1, groups: 0, tolerance: 0, code: "cyclic", ownSize: 1, codedSize: 0 } as const;

/** No redundancy: a worker has an n-th of the data, and every round waits for all. @throws ValueError unless n >= 1 */
export function uncoded(options: { readonly workers: number }): Scheme {
  requireObject("uncoded", "options", options, "{ workers }");
  const { workers } = options;
  requireInteger("uncoded", "workers", workers, 1);
  return {
    ...oneRound(workers),
    name: "uncoded",
    kind: "uncoded",
    load: 1 / workers,
    parameters: {},
    layout: { ...eachItsOwn, lossy: false },
    code: () => undefined,
    admits: () => (stragglers) => stragglers.length === 0,
  };
}

/**
 * No redundancy, and nobody is waited for: gradients are those of whoever was quick, scaled up. They are biased where
 * slow workers hold other data. What to compare with.
 *
 * @throws ValueError unless n >= 1
 */
export function ignoreStragglers(options: { readonly workers: number }): Scheme {
  requireObject("ignoreStragglers", "options", options, "{ workers }");
  const { workers } = options;
  return {
    ...uncoded({ workers }),
    name: "ignoring stragglers",
    kind: "ignore-stragglers",
    layout: { ...eachItsOwn, lossy: true },
    admits: () => (stragglers) => stragglers.length < workers,
  };
}

/** Parameters of `gc`. */
export interface GcOptions extends SchemeCodeOptions {
  /** n. */
  readonly workers: number;
  /** s: stragglers in a round at most. */
  readonly stragglers: number;
}

/**
 * (n, s)-GC, gradient coding across the workers of a round: load (s + 1) / n, no delay.
 *
 * @throws ValueError unless 0 <= s < n
 */
export function gc(options: GcOptions): Scheme {
  checkOptions("gc", options, ["workers", "stragglers", "code", "seed"], ["workers", "stragglers"]);
  const { workers, stragglers: s, code = "cyclic" } = options;
  requireInteger("gc", "workers", workers, 1);
  requireInteger("gc", "stragglers", s, 0, workers - 1);
  requireChoice("gc", "code", code, ["cyclic", "fractional", "mds"]);
  return {
    ...oneRound(workers),
    name: `GC(${s})`,
    kind: "gc",
    load: (s + 1) / workers,
    parameters: { stragglers: s },
    layout: { own: 0, groups: 1, tolerance: s, code, ownSize: 0, codedSize: 1, lossy: false },
    code: lazyCode(workers, s, options),
    admits: () => (slow) => slow.length <= s,
  };
}
