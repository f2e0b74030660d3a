import { ValueError } from "@offprint/tensor-core";
import { count, nonNegative, nonNegatives, object } from "./saved-state.js";
import { tsallisProbabilities } from "./tsallis-probabilities.js";

/** The sums of one instance of Tsallis-INF. */
export class TsallisArms {
  /** `[d]` importance-weighted sums of losses above the least one, k in the paper's code. */
  readonly cumulative: Float64Array;
  private readonly minLoss: number;
  private readonly fixedScale: number | undefined;
  private lossSum = 0;
  private rounds = 0;

  constructor(arms: number, minLoss: number, fixedScale: number | undefined) {
    this.cumulative = new Float64Array(arms);
    this.minLoss = minLoss;
    this.fixedScale = fixedScale;
  }

  /** The unit of the losses: the mean of those seen, above the least one. The sums are divided by it only in use. */
  private get scale(): number {
    if (this.fixedScale !== undefined) return this.fixedScale;
    const mean = this.rounds === 0 ? 0 : this.lossSum / this.rounds - this.minLoss;
    return mean > 0 ? mean : 1;
  }

  /** How likely each arm is in the next round. */
  distribution(): Float64Array {
    return tsallisProbabilities(this.cumulative, this.scale, this.rounds + 1).probabilities;
  }

  /** Learns the loss of an arm that was drawn with this probability. */
  learn(loss: number, arm: number, probability: number): void {
    const counted = Math.max(loss, this.minLoss);
    const weighted = this.cumulative[arm]! + (counted - this.minLoss) / probability;
    if (!Number.isFinite(weighted)) {
      throw new ValueError(
        `Tsallis-INF: arm ${arm} had a probability of ${probability}, with which its loss of ${loss} cannot be weighted; ` +
          "replay arms that could be drawn, and give losses in their own unit",
      );
    }
    this.lossSum += counted;
    this.rounds += 1;
    this.cumulative[arm] = weighted;
  }

  toJSON(): Record<string, unknown> {
    return { cumulative: [...this.cumulative], lossSum: this.lossSum, rounds: this.rounds };
  }

  /** Takes over what `toJSON` gave. */
  restore(json: unknown): void {
    const { cumulative, lossSum, rounds } = object(json, "Tsallis-INF: sums");
    this.cumulative.set(nonNegatives(cumulative, this.cumulative.length, "Tsallis-INF: cumulative"));
    this.lossSum = nonNegative(lossSum, "Tsallis-INF: lossSum");
    this.rounds = count(rounds, "Tsallis-INF: rounds");
  }
}
