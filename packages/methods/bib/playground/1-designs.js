// Better sequences than any of the table
// Sequences of DNA are designed from a table of the worse half of a landscape, with a language model that has read what evolution left. gamma,
// the weight of the forward mapping, adapts. Change `mode` to "bdi" (fixed weight), "forward" or "backward".
import { designSequences, dnaLandscape, loadExampleModel } from "@offprint/bib";
import { random } from "@offprint/tensor-core";

const mode = "bib";
const landscape = dnaLandscape({ seed: 0 });
const table = landscape.table(500, random.rng("table"));
const model = await loadExampleModel({ landscape: 0 });

const { sequences, starts, history } = await designSequences(table, model, { mode, starts: 32, steps: 60 });

const order = (names) => names.map(landscape.score).sort((a, b) => a - b);
const ranks = starts.map((_, i) => i + 1);
display(
  {
    kind: "line",
    title: "True scores of 32 designs, and of what they began with",
    x: { label: "rank" },
    y: { label: "score (best of all 65,536 is 1)" },
    curves: [
      { name: "designs", x: ranks, y: order(sequences), style: "line-points" },
      { name: "best of the table", x: ranks, y: order(starts), style: "line-points" },
    ],
  },
  "picture",
);
display({
  kind: "line",
  title: "Mean weight of the forward mapping",
  x: { label: "step" },
  y: { label: "gamma" },
  curves: [
    {
      name: "gamma",
      x: history.map(({ step }) => step),
      y: history.map(({ gamma }) => gamma.reduce((a, b) => a + b, 0) / gamma.length),
    },
  ],
});
