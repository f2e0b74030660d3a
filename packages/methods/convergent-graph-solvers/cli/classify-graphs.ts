import { defineCommand, deviceOptions, Failure, option, seedOption, stateOptions } from "@offprint/commands";
import { Table, writeCsv } from "@offprint/data";
import { type GraphData, maskIndices, type NodeSplit, nodeFolds } from "@offprint/graph";
import { loadTuDataset } from "@offprint/graph/node";
import type { TrainingRecord, TrainingState } from "@offprint/optim";
import { asTensor, random, softmax, type TensorLike } from "@offprint/tensor-core";
import {
  type ConvergentGraphSolverParams,
  convergentGraphSolver,
  fitGraphModel,
  graphSamples,
  predict,
} from "../src/index.js";

/** Folds that are done, and the training of the one after them. */
interface CrossValidation {
  readonly scores: readonly (readonly number[] | null)[];
  readonly fold: number;
  readonly training: TrainingState<ConvergentGraphSolverParams> | null;
}

/** `offprint classify-graphs --graphs MUTAG --output classes.csv` */
export const classifyGraphs = defineCommand({
  name: "classify-graphs",
  summary: "Classify the graphs of a TUDataset folder: each fold by a model that was trained on the others",
  options: {
    graphs: option.fileIn("folder with NAME_A.txt, NAME_graph_indicator.txt, NAME_graph_labels.txt, ...", {
      required: true,
      kind: "folder",
    }),
    set: option.text("NAME, where the folder holds several"),
    folds: option.integer("parts of which each is judged once", { default: 10, least: 2 }),
    heads: option.integer("maps side by side", { default: 16, least: 1 }),
    layers: option.integer("layers of the encoder before its last one", { default: 1, least: 0 }),
    hidden: option.integer("their width", { default: 32, least: 1 }),
    gamma: option.number("contraction factor", { default: 0.5, above: 0, below: 1 }),
    weights: option.choice(["degree", "attention"], "how weights are normalised", { default: "attention" }),
    readout: option.choice(["sum", "mean", "max"], "how nodes are put together", { default: "sum" }),
    steps: option.integer("updates for each fold", { default: 200, least: 1 }),
    batchSize: option.integer("graphs of an update", { default: 32, least: 1 }),
    learningRate: option.number("of Adam", { default: 3e-3, above: 0 }),
    ...seedOption,
    output: option.fileOut("file for the predictions (CSV)", { short: "o", endings: [".csv"] }),
    ...stateOptions,
    ...deviceOptions,
  },
  async run({ options, print, report, write, longRun, backend: opened }) {
    const { folds, steps, seed, gamma } = options;
    if (options.set === "") throw new Failure('--set is ""; give the NAME of a set in the folder, or leave it out');
    const data = await loadTuDataset(options.graphs, options.set === undefined ? {} : { name: options.set });
    const classes = data.classNames.length;
    if (classes < 2) throw new Failure(`${data.name}: all graphs are of one class; there is nothing to tell apart`);
    if (folds > data.graphs.length) {
      throw new Failure(`${data.name}: ${data.graphs.length} graphs; give at most as many --folds`);
    }
    const samples = graphSamples(data);
    const [nodes, edges] = [widthOf(samples[0].nodes), widthOf(samples[0].edges)];
    const model = convergentGraphSolver({
      ...{ nodeInputs: nodes, edgeInputs: edges, outputs: classes, gamma, normalise: options.weights },
      ...{ heads: options.heads, hiddenLayers: options.layers, hidden: options.hidden, mlp: [2 * options.hidden] },
      ...{ activation: "silu", readout: options.readout, decoder: [32] },
    });
    print(
      `${data.name}: ${samples.length} graphs, ${classes} classes, ${nodes} features of a node, ${edges} of an edge`,
    );
    const run = await longRun<TrainingRecord & { readonly fold: number }, CrossValidation>({
      progress: ({ fold, step, loss }) => ({
        fraction: (fold + step / steps) / folds,
        label: `fold ${fold + 1}, step ${step}, loss ${loss.toPrecision(3)}`,
      }),
    });
    const backend = await opened();
    const { signal, onProgress, checkpoint, resume } = run.options;
    const scores: (readonly number[] | null)[] = resume?.scores.slice() ?? samples.map(() => null);
    const parts = nodeFolds(samples.length, { rng: random.rng(`${seed}/folds`), folds, validation: 0 });
    for (let fold = resume?.fold ?? 0; fold < folds; fold++) {
      const chosen = (mask: Uint8Array) => Array.from(maskIndices(mask));
      const before = resume?.fold === fold ? resume.training : null;
      const fitted = await fitGraphModel(
        model,
        chosen(parts[fold].train).map((i) => samples[i]),
        {
          ...{ steps, batchSize: options.batchSize, learningRate: options.learningRate, clipNorm: 5 },
          ...{ loss: "crossEntropy", seed: `${seed}/${fold}`, signal },
          onProgress: (record) => onProgress({ ...record, fold }),
          checkpoint: { ...checkpoint, save: (training) => checkpoint.save({ scores, fold, training }) },
          ...(before && { resume: before }),
          ...(backend && { backend }),
        },
      );
      if (fitted.status !== "limit") {
        await run.settle({ status: fitted.status, state: { scores, fold, training: fitted.state } });
      }
      const test = chosen(parts[fold].test);
      const found = await predict(
        model,
        fitted.params,
        test.map((i) => samples[i]),
        { batchSize: 256, ...(backend && { backend }) },
      );
      found.forEach(({ y }, k) => {
        scores[test[k]] = Array.from(softmax(y.cast("float64")).data());
      });
    }
    await run.settle({ status: "limit", state: { scores, fold: folds, training: null } });
    const judged = judge(data, parts, scores as readonly (readonly number[])[]);
    report([
      ["graphs of other folds right", `${percent(judged.mean)} +- ${percent(judged.spread)}`],
      ["the commonest class", percent(judged.commonest)],
    ]);
    await write(options.output, judged.csv);
  },
});

/** Accuracy over folds, and a line per graph: its class, the class predicted, and the probability of each. */
function judge(
  { labels, classNames }: GraphData,
  folds: readonly NodeSplit[],
  scores: readonly (readonly number[])[],
): { readonly mean: number; readonly spread: number; readonly commonest: number; readonly csv: string } {
  const predicted = scores.map((row) => row.reduce((best, p, k) => (p > row[best] ? k : best), 0));
  const rates = folds.map(({ test }) => {
    const places = maskIndices(test);
    return places.filter((i) => predicted[i] === labels[i]).length / places.length;
  });
  const mean = rates.reduce((total, rate) => total + rate, 0) / rates.length;
  const spread = Math.sqrt(rates.reduce((total, rate) => total + (rate - mean) ** 2, 0) / rates.length);
  const commonest = Math.max(...classNames.map((_, k) => labels.filter((label) => label === k).length)) / labels.length;
  const named = (k: number) => classNames[k];
  const table = new Table([
    { name: "graph", type: "integer", values: Float64Array.from(labels, (_, i) => i + 1) },
    { name: "class", type: "text", values: Array.from(labels, named) },
    { name: "predicted", type: "text", values: predicted.map(named) },
    ...classNames.map((name, k) => ({
      name: `probability ${name}`,
      type: "number" as const,
      values: Float64Array.from(scores, (row) => row[k]),
    })),
  ]);
  return { mean, spread, commonest, csv: writeCsv(table) };
}

const widthOf = (features: TensorLike): number => asTensor(features).shape[1];

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
