import { drawSentence, loadTinyModels, type TinyModels } from "@offprint/language/tiny";
import { argMax, asTensor, type Backend, random } from "@offprint/tensor-core";

/** A prompt whose next word the model knows, and the one token that decides it. */
export interface CauseCase {
  /** `[L]` prompt, `<bos>` first. */
  readonly ids: Int32Array;
  /** The right next word, which the model ranks first. */
  readonly target: number;
  /** Place of the deciding token in `ids`. */
  readonly cause: number;
}

/** Sentences that the model is asked about at once. */
const BATCH = 32;

/** Draws sentences until `count` of them end with the word that the model expects. */
export async function causeCases({ encode, lm }: TinyModels, seed: number, count: number): Promise<CauseCase[]> {
  const rng = random.rng(`test sentences/${seed}`);
  const cases: CauseCase[] = [];
  while (cases.length < count) {
    const drawn = Array.from({ length: BATCH }, (): CauseCase => {
      const { words, cause } = drawSentence(rng);
      const sentence = encode(words.join(" "));
      return { ids: sentence.slice(0, -1), target: sentence[sentence.length - 1], cause: cause + 1 };
    });
    const expected = argMax(asTensor(await lm.nextLogits(drawn.map(({ ids }) => ids))), 1).data();
    cases.push(...drawn.filter(({ target }, k) => expected[k] === target));
  }
  return cases.slice(0, count);
}

/** Models by what they run on. */
const opened = new WeakMap<object, Promise<TinyModels>>();
const host = {};

/** The shipped models on the claim's backend, compiled once for all claims and seeds of a process. */
export function tinyModels(backend: Backend | undefined): Promise<TinyModels> {
  const key = backend ?? host;
  const known = opened.get(key) ?? loadTinyModels(backend === undefined ? {} : { backend });
  opened.set(key, known);
  return known;
}

/** Rank of a token, from 1: how many have a larger score, or an equal one and a lower place, and itself. */
export function rankOf(scores: ArrayLike<number>, token: number): number {
  let rank = 1;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] > scores[token] || (scores[i] === scores[token] && i < token)) rank += 1;
  }
  return rank;
}
