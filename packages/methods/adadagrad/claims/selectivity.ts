import type { Claim } from "@offprint/claims";
import { type AdaptiveOptions, type BatchTest, trainAdaptive } from "../src/index.js";
import { runOn, softmax20, type Trainer } from "./softmax-20.js";

/** Samples of a run; the same for every test. */
const BUDGET = { quick: 5e4, full: 1e6 };

const tests: readonly { readonly name: string; readonly test: BatchTest }[] = [
  { name: "inner product, 0.5", test: { kind: "inner-product", theta: 0.5 } },
  { name: "augmented, 0.5 and 1", test: { kind: "augmented", theta: 0.5, nu: 1 } },
  { name: "norm, 0.5", test: { kind: "norm", eta: 0.5 } },
  { name: "norm, 0.25", test: { kind: "norm", eta: 0.25 } },
  { name: "norm, 0.1", test: { kind: "norm", eta: 0.1 } },
  { name: "coordinate-wise, 0.5", test: { kind: "coordinate-wise", eta: 0.5 } },
];

/** Whether mean batch sizes rise from test to test. */
export function judgeOrder(sizes: readonly number[]): boolean {
  return sizes.every((size, i) => i === 0 || size > sizes[i - 1]);
}

/** The tests differ in how much they ask for, in a fixed order. */
export function selectivity(train: Trainer = trainAdaptive): Claim {
  return {
    id: "selectivity",
    statement:
      "The tests ask for batches in this order: inner product, augmented, norm with falling eta, coordinate-wise",
    source: "Section 3",
    paper: "order of the conditions",
    async run(context) {
      const data = softmax20(context.seed);
      const optimizers: readonly NonNullable<AdaptiveOptions["optimizer"]>[] =
        context.scale === "full" ? ["adagrad", "adagrad-norm"] : ["adagrad"];
      const { backend, signal } = context;
      const sizes: number[][] = [];
      for (const [k, optimizer] of optimizers.entries()) {
        sizes.push([]);
        for (const [i, { test }] of tests.entries()) {
          const learningRate = optimizer === "adagrad" ? 0.05 : 1;
          const run = await runOn(data, train, {
            optimizer,
            learningRate,
            initialBatch: 16,
            test,
            maxSamples: BUDGET[context.scale],
            signal,
            ...(backend && { backend }),
          });
          sizes[k].push(run.meanBatch);
          await context.onProgress((k + (i + 1) / tests.length) / optimizers.length, tests[i].name);
        }
      }
      return {
        measured: Object.fromEntries(tests.map(({ name }, i) => [name, Math.round(sizes[0][i])])),
        holds: sizes.every(judgeOrder),
        detail: `Mean batch sizes must rise from test to test; with AdaGrad they are ${sizes[0].map((size) => size.toFixed(0)).join(" < ")}.`,
        tables: [
          {
            title: "Mean batch size of a run",
            columns: ["test", ...optimizers.map(String)],
            rows: tests.map(({ name }, i) => [name, ...sizes.map((each) => each[i])]),
          },
        ],
      };
    },
  };
}
