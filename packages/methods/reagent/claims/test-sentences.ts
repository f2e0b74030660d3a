import { drawSentence, loadTinyModels, type TinyModels } from "@offprint/language/tiny";
import { type Backend, random } from "@offprint/tensor-core";

/** A prompt whose next word the model knows, and the one token that decides it. */
export interface CauseCase {
  /** `[L]` prompt, `<bos>` first. */
  readonly ids: Int32Array;
  /** The right next word, which the model ranks first. */
  readonly target: number;
  /** Place of the deciding token in `ids`. */
  readonly cause: number;
}

/** Draws sentences until `count` of them end with the word that the model expects. */
export async function causeCases(models: TinyModels, seed: number, count: number): Promise<CauseCase[]> {
  const rng = random.rng(`test sentences/${seed}`);
  const cases: CauseCase[] = [];
  while (cases.length < count) {
    const { words, cause } = drawSentence(rng);
    const sentence = models.encode(words.join(" "));
    const ids = sentence.slice(0, -1);
    const target = sentence[ids.length];
    const logits = (await models.lm.allLogits([ids])).data();
    const last = logits.subarray(logits.length - models.lm.vocabSize);
    if (last.every((value) => value <= last[target])) cases.push({ ids, target, cause: cause + 1 });
  }
  return cases;
}

/** The shipped models on the claim's backend. */
export function tinyModels(backend: Backend | undefined): Promise<TinyModels> {
  return loadTinyModels(backend === undefined ? {} : { backend });
}

/** Rank of a token, from 1: how many have a larger score, or an equal one and a lower place, and itself. */
export function rankOf(scores: ArrayLike<number>, token: number): number {
  let rank = 1;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] > scores[token] || (scores[i] === scores[token] && i < token)) rank += 1;
  }
  return rank;
}
