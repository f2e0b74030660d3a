import type { MethodCommand } from "@offprint/claims";
import { saveFile } from "@offprint/data/node";
import { linkSplit } from "@offprint/graph";
import { AbortedError, random } from "@offprint/tensor-core";
import { fitLinkPredictor, type LinkMethod, linkAuc, linkMethods, saveModel, scorePairs } from "../src/index.js";
import { openGraph } from "./graph-source.js";
import { chosen, fileOption, graphArgument, trainingArguments, trainingOptions } from "./training-arguments.js";

const methods = Object.keys(linkMethods) as LinkMethod[];

/** `offprint predict-links FOLDER` */
export const predictLinks: MethodCommand = {
  name: "predict-links",
  summary: "Train a graph neural network layer by layer to tell which nodes of a Planetoid folder are linked",
  arguments: [graphArgument],
  options: [{ name: "method", description: methods.join(", "), type: "string", default: "ce" }, ...trainingArguments],
  async run(input) {
    const { options, print } = input;
    const method = chosen("method", options.method, methods);
    const set = fileOption(input, "set");
    const source = String(input.arguments.graph);
    const data = await openGraph(source, { raw: options["raw-features"] === true, ...(set && { set }) });
    const split = linkSplit(data.graph, { rng: random.rng(Number(options.seed)) });
    const task = { features: data.features, split };
    print(
      `${data.name}: ${data.graph.nodes} nodes, ${split.train.positive.length / 2} training links, ${split.test.positive.length / 2} test links`,
    );
    const settings = await trainingOptions(input);
    const { model, history, status } = await fitLinkPredictor(task, method, settings);
    if (status === "aborted") throw new AbortedError("predict-links: interrupted before the training was over");
    const compiled = settings.backend ? { backend: settings.backend } : {};
    print(
      `${method}: ${history.length} epochs, AUC on test links ${(100 * (await linkAuc(model, task, compiled))).toFixed(2)} %`,
    );
    const save = fileOption(input, "save");
    if (save !== undefined) await saveFile(save, saveModel(model));
    const output = fileOption(input, "output");
    if (output === undefined) return;
    const pairs = [...split.test.positive, ...split.test.negative];
    const scores = await scorePairs(model, task, pairs, compiled);
    const linked = split.test.positive.length / 2;
    const name = (i: number) => data.nodeNames?.[i] ?? String(i);
    const rows = Array.from(scores, (s, p) =>
      [name(pairs[2 * p]), name(pairs[2 * p + 1]), p < linked ? 1 : 0, s].join(","),
    );
    await saveFile(output, `node,other,linked,score\n${rows.join("\n")}\n`);
  },
};
