import { ValueError } from "@offprint/tensor-core";

/** What a context outside the range does: it is moved to its nearer end and counted, or it is an error. */
export type OutsideRange = "clamp" | "error";

/** The interval of contexts that a policy was made for. */
export class ContextRange {
  readonly low: number;
  readonly high: number;
  readonly outside: OutsideRange;
  /** Contexts that were moved to an end. */
  clamped = 0;
  private readonly policy: string;

  constructor(policy: string, range: readonly [number, number], outside: OutsideRange) {
    const [low, high] = Array.isArray(range) && range.length === 2 ? range : [Number.NaN, Number.NaN];
    if (!(Number.isFinite(low) && Number.isFinite(high - low) && low < high)) {
      throw new ValueError(
        `${policy}: range is [${range}]; it must be [low, high] with low < high, both and their difference finite`,
      );
    }
    if (outside !== "clamp" && outside !== "error") {
      throw new ValueError(`${policy}: outside is ${String(outside)}; it must be "clamp" or "error"`);
    }
    this.low = low;
    this.high = high;
    this.outside = outside;
    this.policy = policy;
  }

  /** The position in [-1, 1] of a context. */
  position(context: number | undefined, count = false): number {
    if (context === undefined) {
      throw new ValueError(`${this.policy}: context is missing; choose(context) needs a number of this problem`);
    }
    if (!Number.isFinite(context)) {
      throw new ValueError(`${this.policy}: context is ${String(context)}; it must be a finite number`);
    }
    const { low, high } = this;
    if (context >= low && context <= high) return Math.min(1, Math.max(-1, (2 * (context - low)) / (high - low) - 1));
    if (this.outside === "error") {
      throw new ValueError(
        `${this.policy}: context is ${context}, outside [${low}, ${high}]; widen the range, or let outside be "clamp"`,
      );
    }
    if (count) this.clamped += 1;
    return context < low ? -1 : 1;
  }
}
