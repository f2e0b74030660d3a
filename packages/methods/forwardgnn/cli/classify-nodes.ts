import { defineCommand, option } from "@offprint/commands";
import { Table, writeCsv } from "@offprint/data";
import { nodeAccuracy, nodeSplit } from "@offprint/graph";
import { random, type Tensor } from "@offprint/tensor-core";
import { fitNodeClassifier, predictNodes, saveModel } from "../src/index.js";
import { openGraph } from "./graph-source.js";
import { graphOptions, preparedTraining, trainingOptions } from "./training-options.js";

/** `offprint classify-nodes --graph FOLDER --output classes.csv` */
export const classifyNodes = defineCommand({
  name: "classify-nodes",
  summary: "Train a graph neural network layer by layer on a Planetoid folder and predict the class of every node",
  options: {
    ...graphOptions,
    method: option.choice(["sf", "sf-top-to-input", "sf-top-to-loss", "ff-la", "ff-vn", "bp"], "how layers learn", {
      default: "sf",
    }),
    randomSplit: option.flag("64/16/20 % of nodes rather than the split of the files"),
    ...trainingOptions,
  },
  async run(input) {
    const { options, print, report, write } = input;
    const { method, seed } = options;
    const data = await openGraph(options.graph, { raw: options.rawFeatures, ...(options.set && { set: options.set }) });
    const drawn = () => nodeSplit(data.graph.nodes, { rng: random.rng(seed) });
    const split = options.randomSplit ? drawn() : (data.split ?? drawn());
    const task = { graph: data.graph, features: data.features, labels: data.labels, ...split };
    print(
      `${data.name}: ${data.graph.nodes} nodes, ${data.graph.edges} directed edges, ${data.features.shape[1]} features`,
    );
    const { run, settings } = await preparedTraining(input);
    const fitted = await fitNodeClassifier(task, method, settings);
    await run.settle(fitted);
    const { model, history } = fitted;
    const { classes, scores } = await predictNodes(model, task, settings.backend ? { backend: settings.backend } : {});
    const right = 100 * nodeAccuracy(classes, data.labels, split.test);
    report([
      ["method", method],
      ["epochs", history.length],
      ["test nodes right", `${right.toFixed(2)} %`],
    ]);
    await write(options.save, saveModel(model));
    await write(options.output, predictionCsv(data, classes, scores));
  },
});

/** A line per node: its name, the class predicted, and the score of every class. */
function predictionCsv(
  { nodeNames, classNames }: { nodeNames?: readonly string[]; classNames?: readonly string[] },
  classes: Int32Array,
  scores: Tensor,
): string {
  const named = (k: number) => classNames?.[k] ?? String(k);
  const width = scores.shape[1]!;
  const data = scores.data();
  return writeCsv(
    new Table([
      { name: "node", type: "text", values: Array.from(classes, (_, i) => nodeNames?.[i] ?? String(i)) },
      { name: "class", type: "text", values: Array.from(classes, named) },
      ...Array.from({ length: width }, (_, k) => ({
        name: `score ${named(k)}`,
        type: "number" as const,
        values: Float64Array.from(classes, (_, i) => data[i * width + k]!),
      })),
    ]),
  );
}
