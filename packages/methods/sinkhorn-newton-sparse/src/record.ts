/** What an iteration did: scaled rows and columns, took a Newton step, or scaled because no Newton step was accepted. */
export type SnsStage = "sinkhorn" | "newton" | "fallback";

/** One iteration. */
export interface SnsRecord {
  /** From 1, over all stages. */
  readonly iteration: number;
  /** What was done. */
  readonly stage: SnsStage;
  /** Inverse regularisation; while annealing, less than the one asked for. */
  readonly eta: number;
  /** ||r - P 1||_1 + ||c - P^T 1||_1 after the iteration. */
  readonly marginalError: number;
  /** The potential f after the iteration. */
  readonly f: number;
  /** Step length; 1 for Sinkhorn. */
  readonly alpha: number;
  /** Conjugate-gradient steps, those of refused directions included. */
  readonly cgSteps: number;
  /** Entries of the plan in the Newton matrix; 0 for Sinkhorn. */
  readonly kept: number;
  /** Levenberg shift of the accepted step. */
  readonly shift: number;
}

/** How many iterations of each stage. */
export function countStages(history: readonly SnsRecord[]): Record<SnsStage, number> {
  const counts = { sinkhorn: 0, newton: 0, fallback: 0 };
  for (const { stage } of history) counts[stage]++;
  return counts;
}
