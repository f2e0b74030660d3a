import type { MethodCommand } from "@offprint/claims";
import { saveFile } from "@offprint/data/node";
import { nodeAccuracy, nodeSplit } from "@offprint/graph";
import { AbortedError, random } from "@offprint/tensor-core";
import { fitNodeClassifier, type NodeMethod, nodeMethods, predictNodes, saveModel } from "../src/index.js";
import { openGraph } from "./graph-source.js";
import { chosen, fileOption, graphArgument, trainingArguments, trainingOptions } from "./training-arguments.js";

const methods = Object.keys(nodeMethods) as NodeMethod[];

/** `offprint classify-nodes FOLDER` */
export const classifyNodes: MethodCommand = {
  name: "classify-nodes",
  summary: "Train a graph neural network layer by layer on a Planetoid folder and predict the class of every node",
  arguments: [graphArgument],
  options: [
    { name: "method", description: methods.join(", "), type: "string", default: "sf" },
    { name: "random-split", description: "64/16/20 % of nodes rather than the split of the files", type: "boolean" },
    ...trainingArguments,
  ],
  async run(input) {
    const { options, print } = input;
    const method = chosen("method", options.method, methods);
    const set = fileOption(input, "set");
    const source = String(input.arguments.graph);
    const data = await openGraph(source, { raw: options["raw-features"] === true, ...(set && { set }) });
    const random64 = () => nodeSplit(data.graph.nodes, { rng: random.rng(Number(options.seed)) });
    const split = options["random-split"] === true ? random64() : (data.split ?? random64());
    const task = { graph: data.graph, features: data.features, labels: data.labels, ...split };
    print(
      `${data.name}: ${data.graph.nodes} nodes, ${data.graph.edges} directed edges, ${data.features.shape[1]} features`,
    );
    const settings = await trainingOptions(input);
    const { model, history, status } = await fitNodeClassifier(task, method, settings);
    if (status === "aborted") throw new AbortedError("classify-nodes: interrupted before the training was over");
    const { classes, scores } = await predictNodes(model, task, settings.backend ? { backend: settings.backend } : {});
    print(
      `${method}: ${history.length} epochs, ${(100 * nodeAccuracy(classes, data.labels, split.test)).toFixed(2)} % of test nodes right`,
    );
    const save = fileOption(input, "save");
    if (save !== undefined) await saveFile(save, saveModel(model));
    const output = fileOption(input, "output");
    if (output !== undefined) await saveFile(output, predictionTable(data, classes, scores.toArray() as number[][]));
  },
};

/** A line per node: its name, the class predicted, and the score of every class. */
function predictionTable(
  { nodeNames, classNames }: { nodeNames?: readonly string[]; classNames?: readonly string[] },
  classes: Int32Array,
  scores: readonly (readonly number[])[],
): string {
  const named = (k: number) => classNames?.[k] ?? String(k);
  const heading = ["node", "class", ...scores[0].map((_, k) => `score ${named(k)}`)];
  const rows = Array.from(classes, (k, i) => [nodeNames?.[i] ?? String(i), named(k), ...scores[i].map(String)]);
  return `${[heading, ...rows].map((cells) => cells.join(",")).join("\n")}\n`;
}
