import { type ClaimContext, meanOf, memo } from "@offprint/claims";
import type { BaselineAttribution } from "../src/index.js";
import {
  baselines,
  type FaithfulnessOptions,
  matchedKeepProbabilities,
  replacers,
  softFaithfulness,
} from "../src/index.js";
import { causeSearch, type Search } from "./cause-search.js";
import { sentenceCount } from "./finds-the-cause.js";
import { type CauseCase, rankOf, tinyModels } from "./test-sentences.js";

/** Methods in the order in which they are shown. */
export const methods = [
  "ReAGent",
  "input x gradient",
  "gradient norm",
  "integrated gradients",
  "gradient SHAP",
  "attention, mean",
  "attention, last layer",
  "attention rollout",
  "LIME",
  "leave one out",
  "random",
] as const;
/** One of them. */
export type Method = (typeof methods)[number];

/** Points of the path that gradients are integrated along. */
const PATH = { quick: 40, full: 100 } as const;

/** Draws of a soft metric. */
export const DRAWS = { quick: 12, full: 20 } as const;

/** Scores of every method for some sentences. */
export interface MethodScores {
  /** The sentences. */
  readonly cases: readonly CauseCase[];
  /** `[sentence]` raw scores and importance, by method. */
  readonly found: Readonly<Record<Method, readonly Pick<BaselineAttribution, "scores" | "importance">[]>>;
  /** Share of the sentences whose cause comes first, by method. */
  readonly hits: Readonly<Record<Method, number>>;
}

/** Asks every method about the same sentences, once for all claims. */
export const methodScores = memo(async (context, search: Search, sentences?: number): Promise<MethodScores> => {
  const { backend, scale, seed, onProgress } = context;
  const count = sentences ?? (scale === "full" ? 50 : 16);
  const searched = await causeSearch(context, search, "mlm", sentences ?? sentenceCount(context));
  // Long sentences first: shorter ones run padded in what was compiled for them.
  const order = Array.from({ length: count }, (_, k) => k).sort(
    (a, b) => searched.cases[b].ids.length - searched.cases[a].ids.length,
  );
  const cases = order.map((k) => searched.cases[k]);
  const { lm, mlm } = await tinyModels(backend);
  const found = Object.fromEntries(methods.map((name) => [name, []])) as unknown as Record<
    Method,
    Pick<BaselineAttribution, "scores" | "importance">[]
  >;
  for (const [k, { ids, target }] of cases.entries()) {
    const options = { target };
    const drawn = { target, seed: `${seed}/${order[k]}` };
    const { importance } = searched.found[order[k]];
    found.ReAGent.push({ scores: importance, importance });
    found["input x gradient"].push(await baselines.inputXGradient(lm, ids, options));
    found["gradient norm"].push(await baselines.gradientNorm(lm, ids, options));
    found["integrated gradients"].push(
      await baselines.integratedGradients(lm, ids, { ...options, points: PATH[scale] }),
    );
    found["gradient SHAP"].push(await baselines.gradientShap(lm, ids, drawn));
    found["attention, mean"].push(await baselines.attentionMean(lm, ids, options));
    found["attention, last layer"].push(await baselines.attentionLast(lm, ids, options));
    found["attention rollout"].push(await baselines.attentionRollout(lm, ids, options));
    found.LIME.push(await baselines.lime(lm, ids, drawn));
    found["leave one out"].push(await baselines.leaveOneOut(lm, ids, { ...drawn, replacer: replacers.mlm(mlm) }));
    found.random.push(await baselines.random(lm, ids, drawn));
    await onProgress(0.7 + (0.2 * (k + 1)) / count, `all methods, sentence ${k + 1} of ${count}`);
  }
  const firsts = (name: Method) => found[name].filter(({ scores }, k) => rankOf(scores, cases[k].cause) === 1);
  const hits = Object.fromEntries(methods.map((name) => [name, firsts(name).length / count])) as Record<Method, number>;
  return { cases, found, hits };
});

/** Mean metrics of every method. */
export interface MeanMetrics {
  /** Mean Soft-NS. */
  readonly ns: number;
  /** Mean Soft-NC. */
  readonly nc: number;
  /** Sentences that could not be scored, as too few scores are positive. */
  readonly leftOut: number;
}

/**
 * Soft metrics of some methods, averaged over sentences and draws.
 * @param mass share of the features that every method keeps; its own importance when left out
 */
export async function meanMetrics<M extends Method>(
  context: ClaimContext,
  { cases, found }: MethodScores,
  judged: readonly M[],
  mass?: number,
): Promise<Record<M, MeanMetrics>> {
  const { lm } = await tinyModels(context.backend);
  const means: Partial<Record<M, MeanMetrics>> = {};
  for (const [m, name] of judged.entries()) {
    const [ns, nc]: [number[], number[]] = [[], []];
    for (const [k, { ids }] of cases.entries()) {
      const { scores, importance } = found[name][k];
      if (mass !== undefined && scores.filter((score) => score > 0).length < mass * ids.length) continue;
      const keep = mass === undefined ? importance : matchedKeepProbabilities(scores, mass);
      const options: FaithfulnessOptions = { draws: DRAWS[context.scale], seed: `${context.seed}/${k}` };
      const { softNS, softNC } = await softFaithfulness(lm, ids, keep, options);
      ns.push(meanOf(softNS));
      nc.push(meanOf(softNC));
    }
    means[name] = { ns: meanOf(ns), nc: meanOf(nc), leftOut: cases.length - ns.length };
    await context.onProgress(0.9 + (0.1 * (m + 1)) / judged.length, name);
  }
  return means as Record<M, MeanMetrics>;
}
