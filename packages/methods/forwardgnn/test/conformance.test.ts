import { gcn } from "@offprint/graph";
import { runConformance } from "@offprint/solvers/conformance";
import { mean, mul, square, sub } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { fitLayerwise, fitLinkPredictor, fitNodeClassifier, type NodeMethod } from "../src/index.js";
import { smallLinks, smallTask } from "./tasks.js";

const tools = { describe, it, expect };
const task = smallTask("conformance", 24);
const broken = mul(task.features, Number.NaN);
const small = { hidden: 4, layers: 2, validateEvery: 2 };
const endless = { epochs: 1e9, patience: 1e9 };
const invalid = [
  { learningRate: 0 },
  { weightDecay: -1 },
  { layers: 0 },
  { validateEvery: 0 },
  { patience: 0.5 },
  { dtype: "float16" },
];

for (const method of ["sf", "sf-top-to-input", "sf-top-to-loss", "ff-la", "ff-vn", "bp"] satisfies NodeMethod[]) {
  runConformance(
    `fitNodeClassifier, ${method}`,
    {
      run: (options) => fitNodeClassifier(task, method, { ...small, ...options }),
      limit: "epochs",
      short: 5,
      endless,
      seeded: true,
      invalid: [...invalid, { tau: 0 }, { goodness: "max" }, { direction: "up" }, { clipNorm: 0 }],
      nonFinite: [() => fitNodeClassifier({ ...task, features: broken }, method, small)],
    },
    tools,
  );
}

const links = smallLinks("conformance", 24);

for (const method of ["ce", "ce-top-to-input", "bp"] as const) {
  runConformance(
    `fitLinkPredictor, ${method}`,
    {
      run: (options) => fitLinkPredictor(links, method, { ...small, ...options }),
      limit: "epochs",
      short: 5,
      endless,
      seeded: true,
      invalid: [...invalid, { theta: Number.NaN }, { collectFrom: 10 }],
      nonFinite: [() => fitLinkPredictor({ ...links, features: mul(links.features, Number.NaN) }, method, small)],
    },
    tools,
  );
}

const layers = [gcn({ inputs: 6, outputs: 4 }), gcn({ inputs: 4, outputs: 4 })];

runConformance(
  "fitLayerwise",
  {
    run: (options) =>
      fitLayerwise(layers, (h) => mean(square(sub(h, 1))), task.features, task.graph, { dtype: "float64", ...options }),
    limit: "epochs",
    short: 5,
    endless,
    seeded: true,
    invalid: invalid.filter((bad) => !("layers" in bad)),
    nonFinite: [() => fitLayerwise(layers, (h) => mean(square(h)), broken, task.graph)],
  },
  tools,
);
