import type { CausalLM } from "@offprint/language";
import { Rng, ShapeError } from "@offprint/tensor-core";
import { evidence } from "./evidence.js";
import { largest, NextToken } from "./next-token.js";
import type { ReagentOptions, Settings } from "./reagent-options.js";
import type { ProbeState, ReagentState } from "./reagent-state.js";
import { type ReplacementContext, replaced } from "./replacer.js";

/** What stays the same from step to step. */
export interface Search {
  readonly lm: CausalLM;
  readonly settings: Settings;
  readonly options: ReagentOptions;
}

/** The runs that have not stopped. */
export function activeRuns({ probes }: ReagentState): number[] {
  return probes.flatMap(({ stoppedAt }, run) => (stoppedAt === null ? [run] : []));
}

/** One step of every run that has not stopped: replace, measure, credit, and test whether to stop. */
export async function searchStep(search: Search, state: ReagentState, iteration: number): Promise<ReagentState> {
  const { lm, settings, options } = search;
  const { ids, target, p0 } = state;
  const { protect, update, keepTopN, topK, minIterations } = settings;
  const runs = activeRuns(state);
  const probes = runs.map((run) => state.probes[run]);
  const rngs = probes.map(({ rng }) => Rng.fromJSON(rng));
  const replace = (masks: readonly (readonly boolean[])[], purpose: ReplacementContext["purpose"]) => {
    const prompts = runs.map(() => ids);
    return replaced(options.replacer, prompts, masks, rngs, { step: iteration, purpose, runs }, lm.vocabSize);
  };
  const f = (prompts: readonly Int32Array[]) => NextToken.after(lm, prompts, "the model");

  // R[b, i] ~ Bernoulli(r), the prompt with R[b] replaced, and by how much that hurt the prediction.
  const masks = runs.map((run, row) => drawMask(search, ids.length, { iteration, run, rng: rngs[row] }));
  const perturbed = await replace(masks, "update");
  const after = await f(perturbed);
  const changes = runs.map((_, row) => p0 - after.probability(row, target));

  // s[b, i] += logit(g / 2 + 1 / 2), where g is the change for replaced tokens and its opposite for the others.
  const scores = probes.map((probe, row) => {
    const gain = evidence(changes[row], update);
    return probe.scores.map((s, i) => s + (masks[row][i] ? gain : -gain));
  });

  // The softmax keeps the order of the scores. The best few, among replacements of all others, may be enough.
  const kept = scores.map((s) => largest(s, keepTopN, protect));
  const others = kept.map((places) => protect.map((stays, i) => !stays && !places.includes(i)));
  const filled = await replace(others, "stop");
  const suffices = await f(filled);
  const stopped = runs.map((_, row) => iteration >= minIterations && suffices.isAmongTop(row, target, topK));

  options.onStep?.({ iteration, runs, masks, replaced: perturbed, changes, scores, kept, filled, stopped });
  const moved = probes.map(
    (_, row): ProbeState => ({
      scores: scores[row],
      rng: rngs[row].toJSON(),
      stoppedAt: stopped[row] ? iteration : null,
      stopPrompt: stopped[row] ? filled[row] : null,
    }),
  );
  const change = changes.reduce((a, b) => a + b, 0) / changes.length;
  const active = stopped.filter((stops) => !stops).length;
  return {
    ...state,
    forwardPasses: state.forwardPasses + perturbed.length + filled.length,
    probes: state.probes.map((probe, run) => moved[runs.indexOf(run)] ?? probe),
    last: { iteration, change, active },
  };
}

function drawMask(
  { settings: { protect, ratio }, options }: Search,
  length: number,
  { iteration, run, rng }: { readonly iteration: number; readonly run: number; readonly rng: Rng },
): boolean[] {
  const given = options.masks?.(iteration, run);
  if (given === undefined) {
    const draws = rng.uniform([length], { dtype: "float64" }).data();
    return protect.map((stays, i) => !stays && draws[i] < ratio);
  }
  if (given.length !== length) {
    throw new ShapeError(`reagent: masks gave ${given.length} entries in step ${iteration}, not ${length}`);
  }
  return protect.map((stays, i) => !stays && given[i]);
}
