import { type Claim, meanOf } from "@offprint/claims";
import { fitNodeClassifier, type NodeMethod, predictNodes } from "../src/index.js";
import { variantTask } from "./block-models.js";
import { countingConvolution } from "./counting.js";
import { type Fit, percent, testAccuracies } from "./trained.js";

const METHODS: readonly NodeMethod[] = ["bp", "sf", "sf-top-to-loss", "sf-top-to-input", "ff-la", "ff-vn"];

/** Mean test accuracies by method. */
export type VariantAccuracies = Readonly<Record<NodeMethod, number>>;

/** Single-forward methods and label appending come near backpropagation; virtual nodes alone stay behind. */
export function judgeVariants(accuracy: VariantAccuracies): boolean {
  const { bp, sf } = accuracy;
  return (
    Math.abs(bp - sf) <= 0.05 &&
    Math.abs(bp - accuracy["sf-top-to-loss"]) <= 0.05 &&
    Math.abs(bp - accuracy["sf-top-to-input"]) <= 0.08 &&
    Math.abs(bp - accuracy["ff-la"]) <= 0.08 &&
    accuracy["ff-vn"] <= sf - 0.05
  );
}

/** All variants on one kind of graph. */
export function variants(train: Fit = fitNodeClassifier, runs = 5): Claim {
  return {
    id: "variants",
    statement: "Single-forward methods come near backpropagation; forward-forward with virtual nodes stays behind",
    source: "Table 1, Table 2",
    paper: "SF 84.95 %, SF-Top-Down 86.01 % (CoraML, mean of backbones and depths)",
    async run(context) {
      const rows = new Map<NodeMethod, number[]>(METHODS.map((method) => [method, []]));
      const full = context.scale === "full";
      const count = full ? 3 * runs : runs;
      const options = { hidden: 32, learningRate: 1e-2, validateEvery: 10, patience: 10, epochs: full ? 1000 : 200 };
      for (let run = 0; run < count; run++) {
        const task = variantTask(context.seed, run);
        for (const [m, method] of METHODS.entries()) {
          const [accuracy] = await testAccuracies(context, train, task, method, { ...options, seed: run }, [2]);
          rows.get(method)?.push(accuracy);
          await context.onProgress((run + (m + 1) / METHODS.length) / count, `${method}, graph ${run + 1} of ${count}`);
        }
      }
      const accuracy = Object.fromEntries([...rows].map(([m, values]) => [m, meanOf(values)])) as VariantAccuracies;
      return {
        measured: accuracy,
        holds: judgeVariants(accuracy),
        detail:
          `Mean of ${count} block-model graphs, GCN, 2 layers, against BP ${percent(accuracy.bp)}: SF ${percent(accuracy.sf)} and ` +
          `Top-To-Loss ${percent(accuracy["sf-top-to-loss"])} must be within 5 points, Top-To-Input ${percent(accuracy["sf-top-to-input"])} and ` +
          `FF-LA ${percent(accuracy["ff-la"])} within 8, FF-VN ${percent(accuracy["ff-vn"])} at least 5 below SF.`,
        series: [
          {
            kind: "bar",
            title: "Test accuracy of the variants",
            category: "method",
            categories: METHODS,
            value: { label: "accuracy" },
            bars: [{ name: "mean", values: METHODS.map((m) => accuracy[m]) }],
          },
        ],
      };
    },
  };
}

/** What one epoch and one prediction cost, in convolutions. */
export function passes(train: Fit = fitNodeClassifier): Claim {
  return {
    id: "passes",
    statement: "Single forward needs one pass an epoch and one in prediction, forward-forward one for every class",
    source: "Section 3.3, Algorithm 1",
    paper: "1 against 1 + (C - 1) passes, and 1 against C in prediction",
    async run(context) {
      // Without validation nodes, which would be predicted while training.
      const { validation: _, ...task } = variantTask(context.seed, 0);
      const epochs = 7;
      const counts: Record<string, number> = {};
      for (const method of ["sf", "ff-la", "ff-vn"] as const) {
        const counter = countingConvolution();
        const options = { layers: 1, hidden: 32, epochs, convolution: counter.convolution, signal: context.signal };
        const { model } = await train(task, method, options);
        // Going on to the next layer would be one more pass; with one layer there is none.
        counts[`${method}, an epoch`] = counter.passes / epochs;
        counter.passes = 0;
        await predictNodes(model, task);
        counts[`${method}, prediction`] = counter.passes;
      }
      const classes = 4;
      const expected = { sf: [1, 1], "ff-la": [classes, classes], "ff-vn": [classes, classes] };
      const holds = Object.entries(expected).every(
        ([m, [epoch, prediction]]) => counts[`${m}, an epoch`] === epoch && counts[`${m}, prediction`] === prediction,
      );
      return {
        measured: counts,
        holds,
        detail: `Convolutions of one layer with ${classes} classes, counted as they are called.`,
      };
    },
  };
}
