import { defineCommand, option } from "@offprint/commands";
import { Table, writeCsv } from "@offprint/data";
import { linkSplit } from "@offprint/graph";
import { random } from "@offprint/tensor-core";
import { fitLinkPredictor, linkAuc, saveModel, scorePairs } from "../src/index.js";
import { openGraph } from "./graph-source.js";
import { graphOptions, preparedTraining, trainingOptions } from "./training-options.js";

/** `offprint predict-links --graph FOLDER --output links.csv` */
export const predictLinks = defineCommand({
  name: "predict-links",
  summary: "Train a graph neural network layer by layer to tell which nodes of a Planetoid folder are linked",
  options: {
    ...graphOptions,
    method: option.choice(["ce", "ff", "ce-top-to-input", "bp"], "how layers learn", { default: "ce" }),
    ...trainingOptions,
  },
  async run(input) {
    const { options, print, report, write } = input;
    const { method } = options;
    const data = await openGraph(options.graph, { raw: options.rawFeatures, ...(options.set && { set: options.set }) });
    const split = linkSplit(data.graph, { rng: random.rng(options.seed) });
    const task = { features: data.features, split };
    print(
      `${data.name}: ${data.graph.nodes} nodes, ${split.train.positive.length / 2} training links, ${split.test.positive.length / 2} test links`,
    );
    const { run, settings } = await preparedTraining(input);
    const fitted = await fitLinkPredictor(task, method, settings);
    await run.settle(fitted);
    const { model, history } = fitted;
    const compiled = settings.backend ? { backend: settings.backend } : {};
    report([
      ["method", method],
      ["epochs", history.length],
      ["AUC on test links", `${(100 * (await linkAuc(model, task, compiled))).toFixed(2)} %`],
    ]);
    await write(options.save, saveModel(model));
    if (options.output === undefined) return;
    const pairs = [...split.test.positive, ...split.test.negative];
    const scores = Float64Array.from(await scorePairs(model, task, pairs, compiled));
    const linked = split.test.positive.length / 2;
    const end = (which: 0 | 1) =>
      Array.from(scores, (_, p) => {
        const node = pairs[2 * p + which]!;
        return data.nodeNames?.[node] ?? String(node);
      });
    const table = new Table([
      { name: "node", type: "text", values: end(0) },
      { name: "other", type: "text", values: end(1) },
      { name: "linked", type: "integer", values: scores.map((_, p) => (p < linked ? 1 : 0)) },
      { name: "score", type: "number", values: scores },
    ]);
    await write(options.output, writeCsv(table));
  },
});
