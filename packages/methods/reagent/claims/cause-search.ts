import { memo } from "@offprint/claims";
import { batchedCausal, batchedMasked, cachedCausal } from "@offprint/language";
import { type TinyModels, wordClasses } from "@offprint/language/tiny";
import { type Attribution, type Replacer, type reagent, replacers } from "../src/index.js";

import { type CauseCase, causeCases, rankOf, tinyModels } from "./test-sentences.js";

/** The search that a claim is about; tests put a broken one in its place. */
export type Search = typeof reagent;

/** What ReAGent found for some sentences with one way to replace. */
export interface CauseSearch {
  /** Prompts with their causes. */
  readonly cases: readonly CauseCase[];
  /** One for each. */
  readonly found: readonly Attribution[];
  /** Rank of the cause in each, from 1. */
  readonly ranks: readonly number[];
  /** Share of the sentences whose cause comes first. */
  readonly hits: number;
  /** Goes on with a sentence of which no run has stopped, until one does or the paper gives it up. */
  readonly untilOneStops: (sentence: number) => Promise<Attribution>;
}

/** Runs per sentence. */
export const PROBES = 5;
/** Tokens that must suffice. */
export const KEEP = 3;
/** Steps that every sentence is searched for. */
export const SOON = 150;
/** Steps after which the paper gives a run up. */
export const MAX_STEPS = 3000;

/** Names of the ways to replace. */
export const samplers = ["mlm", "mlm, sampled", "part of speech", "uniform", "causal"] as const;
/** One of them. */
export type Sampler = (typeof samplers)[number];

function replacerOf(models: TinyModels, sampler: Sampler): Replacer {
  const { lm, mlm, vocab, specialIds } = models;
  const drawn = { vocabSize: lm.vocabSize, forbid: specialIds };
  switch (sampler) {
    case "mlm":
      return replacers.mlm(mlm);
    case "mlm, sampled":
      return replacers.mlm(mlm, { mode: "sample" });
    case "part of speech": {
      const classOf = new Map(wordClasses.flatMap((words, k) => words.map((word) => [word, k] as const)));
      return replacers.posTag((id) => classOf.get(vocab[id]) ?? "function word", drawn);
    }
    case "uniform":
      return replacers.uniform(drawn);
    case "causal":
      return replacers.causal(lm);
  }
}

/** Searches for the causes of the first `count` sentences of a seed; every claim that asks sees the same runs. */
export const causeSearch = memo(
  async (context, search: Search, sampler: Sampler, count: number): Promise<CauseSearch> => {
    const { backend, seed, signal, onProgress } = context;
    const models = await tinyModels(backend);
    const cases = await causeCases(models, seed, count);
    // Searches come back to the same prompts.
    const lm = cachedCausal(batchedCausal(models.lm));
    const replacer = replacerOf({ ...models, mlm: batchedMasked(models.mlm) }, sampler);
    let steps = 0;
    const optionsOf = ({ ids, target }: CauseCase, k: number) => ({
      replacer,
      target,
      ratio: 0.3,
      topK: 3,
      keepTopN: KEEP,
      probes: PROBES,
      protect: Array.from(ids, (_, i) => i === 0),
      seed: `${seed}/${k}`,
      signal,
    });
    const searched = cases.map((sentence, k) =>
      search(lm, sentence.ids, {
        ...optionsOf(sentence, k),
        maxIterations: SOON,
        onProgress: async ({ iteration }) => {
          if (iteration <= steps) return;
          steps = iteration;
          await onProgress((0.9 * iteration) / SOON, `${sampler}, step ${iteration}`);
        },
      }),
    );
    const found = await Promise.all(searched);
    signal.throwIfAborted();
    const ranks = found.map(({ importance }, k) => rankOf(importance, cases[k].cause));
    return {
      cases,
      found,
      ranks,
      hits: ranks.filter((rank) => rank === 1).length / ranks.length,
      untilOneStops: (k) =>
        search(lm, cases[k].ids, {
          ...optionsOf(cases[k], k),
          maxIterations: MAX_STEPS,
          resume: found[k].state,
          onProgress: ({ active }) => (active < PROBES ? "stop" : undefined),
        }),
    };
  },
);
