import { checkOptions, requireInteger } from "@offprint/tensor-core";

/** How a global batch is computed: `global = micro * accumulation * workers`. */
export interface BatchPlan {
  /** m: samples of a micro-batch. */
  readonly micro: number;
  /** A: micro-batches that each worker accumulates. */
  readonly accumulation: number;
  /** b: samples in all; the requested number, rounded up. */
  readonly global: number;
}

/**
 * Splits a requested batch over workers, accumulation steps and micro-batches, as the authors' training loop does: the
 * micro-batch grows first, then the accumulation.
 *
 * @param requested b, an integer >= 1.
 * @throws ValueError for numbers that are no integers >= 1.
 */
export function planBatch(
  requested: number,
  limits: {
    /** W. */
    readonly workers: number;
    /** A so far. */
    readonly accumulation: number;
    /** M: samples that a worker can hold at once. */
    readonly maxMicro: number;
    /** b_max. Rounding up may exceed it by less than `micro * workers`. */
    readonly maxGlobal: number;
  },
): BatchPlan {
  const names = ["workers", "accumulation", "maxMicro", "maxGlobal"];
  checkOptions("planBatch", limits, names, names);
  const { workers: W, maxMicro: M, maxGlobal } = limits;
  requireInteger("planBatch", "requested", requested, 1);
  for (const [name, value] of Object.entries(limits)) requireInteger("planBatch", name, value, 1);
  let accumulation = limits.accumulation;
  let micro = Math.ceil(requested / (W * accumulation));
  let global = micro * W * accumulation;
  if (micro > M) {
    micro = M;
    accumulation = Math.ceil(global / (M * W));
    global = M * W * accumulation;
  }
  if (global > maxGlobal) {
    global = maxGlobal;
    micro = Math.ceil(global / (W * accumulation));
    accumulation = Math.ceil(global / (micro * W));
    global = micro * W * accumulation;
  }
  return { micro, accumulation, global };
}
