import { ValueError } from "@offprint/tensor-core";
import type { Level } from "./annealing.js";
import type { GibbsKernel, Place } from "./gibbs-kernel.js";
import type { SnsRecord } from "./record.js";
import type { NewtonMemory } from "./safeguards.js";
import type { NextPotentials } from "./sinkhorn-iteration.js";

/** What a run of `sinkhornNewtonSparse` goes on from. */
export interface SnsState {
  /** Potentials. */
  readonly place: Place;
  /** How weak the regularisation is now, and what follows. */
  readonly level: Level;
  /** The place at which the last level succeeded. */
  readonly reached: Place | null;
  /** What the next iteration does. */
  readonly stage: "sinkhorn" | "newton";
  /** Iterations of this stage at this level. */
  readonly taken: number;
  /** Marginal error now. */
  readonly error: number;
  /** Where the next Sinkhorn iteration leads. */
  readonly next: NextPotentials | null;
  /** What the safeguards remember. */
  readonly memory: NewtonMemory;
  /** How it ended, if it did. */
  readonly ending: "converged" | "limit" | null;
  /** The iteration that led here. */
  readonly last: Omit<SnsRecord, "iteration"> | null;
}

/** @throws ValueError unless the state is one of a problem of this size */
export function checkState(owner: string, { n, m }: GibbsKernel, state: SnsState): void {
  const fits = (x: unknown, size: number) => x instanceof Float64Array && x.length === size;
  const { u0, v0, u, v } = state.place ?? {};
  if (!(fits(u0, n) && fits(u, n) && fits(v0, m) && fits(v, m) && state.level && state.memory)) {
    throw new ValueError(`${owner}: resume is not the state of a problem with ${n} rows and ${m} columns`);
  }
}
