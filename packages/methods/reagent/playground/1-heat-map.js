// What made the model say it?
// A small language model reads a sentence and says the next word; ReAGent finds the token that made it. Change the country, the distraction in brackets, or the sampler.

import { loadTinyModels } from "@offprint/language/tiny";
import { baselines, reagent, replacers } from "@offprint/reagent";

const { lm, mlm, vocab, encode } = await loadTinyModels();
const ids = encode(
  "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,",
);

const { target, p0, importance, stoppedAt } = await reagent(lm, ids, {
  replacer: replacers.mlm(mlm), // or replacers.causal(lm)
  keepTopN: 3,
  maxIterations: 40,
  protect: Array.from(ids, (_, i) => i === 0),
});
console.log(
  `the model says "${vocab[target]}" with probability ${p0.toFixed(3)}; runs stopped in steps ${stoppedAt.join(", ")}`,
);

const others = {
  "mean attention": (await baselines.attentionMean(lm, ids)).scores,
  "input x gradient": (await baselines.inputXGradient(lm, ids)).scores.map((s) => Math.max(s, 0)),
};
const rows = { ReAGent: importance, ...others };

display({
  kind: "heat-map",
  title: `Why "${vocab[target]}"?`,
  x: { label: "token" },
  y: { label: "method" },
  value: { label: "share" },
  columns: Array.from(ids, (id) => vocab[id]),
  rows: Object.keys(rows),
  values: Object.values(rows).map((scores) => {
    const total = scores.reduce((a, b) => a + b, 0);
    return Array.from(scores, (s) => s / total);
  }),
});
