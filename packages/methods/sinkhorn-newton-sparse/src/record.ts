import { AbortedError } from "@offprint/tensor-core";

/** What an iteration did: scaled rows and columns, took a Newton step, or scaled because no Newton step was accepted. */
export type SnsStage = "sinkhorn" | "newton" | "fallback";

/** One iteration. */
export interface SnsRecord {
  /** From 1, over both stages. */
  readonly iteration: number;
  /** What was done. */
  readonly stage: SnsStage;
  /** ||r - P 1||_1 + ||c - P^T 1||_1 after the iteration. */
  readonly marginalError: number;
  /** Inverse regularisation; while annealing, less than the one asked for. */
  readonly eta: number;
  /** The potential f after the iteration. */
  readonly f: number;
  /** Step length in (0, 1]; 1 for Sinkhorn. */
  readonly alpha: number;
  /** Conjugate-gradient steps, those of refused directions included. */
  readonly cgSteps: number;
  /** Entries of the plan in the Newton matrix; 0 for Sinkhorn. */
  readonly kept: number;
  /** Levenberg shift of the accepted step. */
  readonly shift: number;
}

/** How an iteration is watched and stopped. */
export interface Watching {
  /** Called after every iteration; `false` ends the run with the status "stopped" and the result so far. */
  readonly onProgress?: (record: SnsRecord) => unknown;
  /** Ends the run with an AbortedError. */
  readonly signal?: AbortSignal;
}

/** Keeps the records of a run, and tells whoever watches. */
export class History {
  readonly records: SnsRecord[] = [];
  stopped = false;
  readonly #owner: string;
  readonly #watching: Watching;

  constructor(owner: string, watching: Watching) {
    this.#owner = owner;
    this.#watching = watching;
    this.#checkSignal();
  }

  add(record: Omit<SnsRecord, "iteration">): void {
    const complete = { iteration: this.records.length + 1, ...record };
    this.records.push(complete);
    if (this.#watching.onProgress?.(complete) === false) this.stopped = true;
    this.#checkSignal();
  }

  addSinkhorn(stage: "sinkhorn" | "fallback", eta: number, marginalError: number, f: number, cgSteps = 0): void {
    this.add({ stage, eta, marginalError, f, alpha: 1, cgSteps, kept: 0, shift: 0 });
  }

  /** How many iterations of each stage. */
  count(): Record<SnsStage, number> {
    const counts = { sinkhorn: 0, newton: 0, fallback: 0 };
    for (const { stage } of this.records) counts[stage]++;
    return counts;
  }

  #checkSignal(): void {
    if (this.#watching.signal?.aborted) throw new AbortedError(`${this.#owner}: aborted by the caller's signal`);
  }
}
