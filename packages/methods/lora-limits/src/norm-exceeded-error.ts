import { requireObject, ValueError } from "@offprint/tensor-core";

/** Scores that are too large for the polynomial that was asked for. */
export class NormExceededError extends ValueError {
  /** R, what the scores may reach. */
  readonly range: number;
  /** The degree that would do, where there is one. */
  readonly neededDegree: number | undefined;

  /** @param facts What was measured. */
  constructor(message: string, facts: { range: number; neededDegree?: number }) {
    requireObject("NormExceededError", "facts", facts, "{ range }");
    super(message);
    this.range = facts.range;
    this.neededDegree = facts.neededDegree;
  }
}
