import type { CausalLM } from "@offprint/language";
import { requireLogits } from "./argument-checks.js";

/** Scores of the next token after some prompts, row by row. */
export class NextToken {
  constructor(
    /** `[B, V]`, row by row. */
    private readonly logits: Float32Array | Float64Array,
    private readonly vocabSize: number,
  ) {}

  /** Asks a model. */
  static async after(lm: CausalLM, prompts: readonly Int32Array[], where: string): Promise<NextToken> {
    const shape = [prompts.length, lm.vocabSize];
    return new NextToken(requireLogits(where, await lm.nextLogits(prompts), shape), lm.vocabSize);
  }

  /** Softmax probability of a token after prompt `row`. */
  probability(row: number, token: number): number {
    const { logits, vocabSize } = this;
    const start = row * vocabSize;
    let peak = -Infinity;
    for (let i = start; i < start + vocabSize; i++) if (logits[i] > peak) peak = logits[i];
    let total = 0;
    for (let i = start; i < start + vocabSize; i++) total += Math.exp(logits[i] - peak);
    return Math.exp(logits[start + token] - peak) / total;
  }

  /** Whether a token is among the k most probable after prompt `row`; of equals the lower id comes first. */
  isAmongTop(row: number, token: number, k: number): boolean {
    const { logits, vocabSize } = this;
    const start = row * vocabSize;
    const own = logits[start + token];
    let before = 0;
    for (let v = 0; v < vocabSize && before < k; v++) {
      const other = logits[start + v];
      if (other > own || (other === own && v < token)) before++;
    }
    return before < k;
  }

  /** The most probable token after prompt `row`. */
  best(row: number): number {
    return argMax(this.logits, row * this.vocabSize, this.vocabSize);
  }
}

/** The first place, from 0, of the largest of `count` values. */
export function argMax(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[start + k] > values[start + best]) best = k;
  return best;
}

/** Softmax in float64 of scores, such as those of a prompt's tokens. */
export function softmaxOf(scores: ArrayLike<number>): Float64Array {
  let peak = -Infinity;
  for (let i = 0; i < scores.length; i++) if (scores[i] > peak) peak = scores[i];
  const out = new Float64Array(scores.length);
  let total = 0;
  for (let i = 0; i < out.length; i++) total += out[i] = Math.exp(scores[i] - peak);
  for (let i = 0; i < out.length; i++) out[i] /= total;
  return out;
}

/** Places of the n largest scores, largest first; of equals the lower place comes first. */
export function largest(scores: ArrayLike<number>, n: number, leftOut?: readonly boolean[]): number[] {
  const places = Array.from(scores, (_, i) => i).filter((i) => !leftOut?.[i]);
  return places.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, n);
}
