import { type Claim, type ClaimContext, meanOf, medianOf } from "@offprint/claims";
import { batchedCausal } from "@offprint/language";
import { asTensor, random } from "@offprint/tensor-core";
import { reagent } from "../src/index.js";
import { causeSearch, KEEP, MAX_STEPS, PROBES, type Sampler, type Search, SOON, samplers } from "./cause-search.js";
import { rankOf, tinyModels } from "./test-sentences.js";

/** Sentences that are searched for their causes. */
export function sentenceCount({ scale }: Pick<ClaimContext, "scale">): number {
  return scale === "full" ? 100 : 25;
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/**
 * The deciding token comes first, which chance does not achieve.
 * @param sentences in place of those of the scale
 */
export function findsTheCause(search: Search = reagent, sentences?: number): Claim {
  return {
    id: "finds-the-cause",
    statement: "The token that decides the next word gets the most importance",
    source: "Section 4, on sentences with a known cause",
    paper: "most faithful of all methods",
    async run(context) {
      const { cases, ranks, hits } = await causeSearch(context, search, "mlm", sentences ?? sentenceCount(context));
      const rng = random.rng(`random/${context.seed}`);
      const chance = cases.flatMap(({ ids, cause }) =>
        Array.from({ length: 40 }, () => rankOf(rng.uniform([ids.length]).data(), cause)),
      );
      const chanceHits = chance.filter((rank) => rank === 1).length / chance.length;
      const [rank, chanceRank] = [meanOf(ranks), meanOf(chance)];
      return {
        measured: {
          "cause first": hits,
          "mean rank": rank,
          "random: first": chanceHits,
          "random: mean rank": chanceRank,
        },
        holds: hits >= 0.5 && rank <= 3 && chanceHits <= 0.15 && chanceRank > 8,
        detail:
          `In ${cases.length} sentences of about ${meanOf(cases.map(({ ids }) => ids.length)).toFixed(0)} tokens the deciding one must come first in at least 50 % ` +
          `(${percent(hits)}) and have a mean rank of at most 3 (${rank.toFixed(2)}); of random scores, first in at most 15 % ` +
          `(${percent(chanceHits)}) with a mean rank above 8 (${chanceRank.toFixed(1)}).`,
        series: [
          {
            kind: "bar",
            title: "Rank of the deciding token",
            category: "sentence",
            categories: ranks.map((_, k) => String(k + 1)),
            value: { label: "rank" },
            bars: [{ name: "ReAGent", values: [...ranks] }],
          },
        ],
      };
    },
  };
}

/** Replacements that fit the context are what makes it work. */
export function plausibleReplacement(search: Search = reagent, plausible: Sampler = "mlm", sentences?: number): Claim {
  return {
    id: "plausible-replacement",
    statement: "Replacing by what a masked language model expects finds the cause more often than replacing at random",
    source: "Section 3.2",
    paper: "replacement tokens are predicted by RoBERTa",
    async run(context) {
      const count = sentences ?? sentenceCount(context);
      const shown: readonly Sampler[] = context.scale === "full" ? samplers : [plausible, "uniform"];
      const hits = new Map<Sampler, number>();
      for (const sampler of shown) hits.set(sampler, (await causeSearch(context, search, sampler, count)).hits);
      const [first, second] = [hits.get(plausible) as number, hits.get("uniform") as number];
      return {
        measured: Object.fromEntries(hits),
        holds: first >= second + 0.2,
        detail:
          `Share of ${count} sentences whose cause comes first: with the masked model's tokens (${percent(first)}) it must be ` +
          `at least 20 points above that with random tokens (${percent(second)}).`,
        tables: [
          {
            title: "Cause first, by sampler",
            columns: ["sampler", "share"],
            rows: Array.from(hits, (row) => [...row]),
          },
        ],
      };
    },
  };
}

/** The search ends by itself, and what it ends with is true. */
export function stopsByItself(search: Search = reagent, sentences?: number): Claim {
  return {
    id: "stops-by-itself",
    statement: "Runs stop early, with a few tokens that still make the model say the target",
    source: "Algorithm 1",
    paper: "stops when the rationale suffices",
    async run(context) {
      const searched = await causeSearch(context, search, "mlm", sentences ?? sentenceCount(context));
      const { cases, untilOneStops } = searched;
      const found = await Promise.all(searched.found.map((soon, k) => (soon.sufficient ? soon : untilOneStops(k))));
      context.signal.throwIfAborted();
      const { lm } = await tinyModels(context.backend);
      const stops = found.flatMap(({ stoppedAt }) => stoppedAt.filter((step) => step !== null));
      const share = stops.filter((step) => step <= SOON).length / (cases.length * PROBES);
      const median = stops.length === 0 ? Number.NaN : medianOf(stops);
      const each = found.every(({ sufficient }) => sufficient);
      const prompts = cases.flatMap(({ ids, target }, k) =>
        found[k].stopPrompts.flatMap((prompt) => (prompt === null ? [] : [{ ids, target, prompt }])),
      );
      const next = prompts.length === 0 ? [] : batchedCausal(lm).nextLogits(prompts.map(({ prompt }) => prompt));
      const logits = asTensor(await next).data();
      const confirmed = prompts.filter(({ ids, target, prompt }, k) => {
        const same = prompt.filter((id, i) => i > 0 && id === ids[i]).length;
        return same >= KEEP && rankOf(logits.subarray(k * lm.vocabSize, (k + 1) * lm.vocabSize), target) <= 3;
      }).length;
      return {
        measured: { "stopped runs": share, "median step": median, "confirmed stops": confirmed },
        holds: share >= 0.8 && median <= 40 && each && confirmed === stops.length,
        detail:
          `Of ${cases.length * PROBES} runs at least 80 % must stop within ${SOON} steps (${percent(share)}), at a median step of at most 40 ` +
          `(${median}), every sentence must have one that stops within the paper's ${MAX_STEPS} (${each ? "it has" : "not all have"}), and the recorded prompt of each, ${KEEP} kept tokens ` +
          `among replacements, must have the target in its top 3 (${confirmed} of ${stops.length}).`,
        series: [
          {
            kind: "line",
            title: "Runs that are still going",
            x: { label: "step" },
            y: { label: "share of runs", range: [0, 1] },
            curves: [
              {
                name: "masked model, most probable token",
                x: Array.from({ length: SOON }, (_, k) => k + 1),
                y: Array.from(
                  { length: SOON },
                  (_, k) => 1 - stops.filter((step) => step <= k + 1).length / (cases.length * PROBES),
                ),
              },
            ],
          },
        ],
      };
    },
  };
}
