import { type Claim, figure } from "@offprint/claims";
import { standardization } from "@offprint/data";
import { iris } from "@offprint/datasets";
import { accuracy, crossEntropy } from "@offprint/optim";
import { add, matmul, zeros } from "@offprint/tensor-core";
import { treeModel } from "../src/index.js";
import { type Method, published } from "./method.js";

const [EPOCHS, BATCH] = [100, 30];
const [LEAST_ACCURACY, MOST_LOSS] = [0.9, 0.3];

/** Softmax regression on Iris, learnt from losses alone. */
export function training(method: Method = published, seeds = { quick: 2, full: 3 }): Claim {
  return {
    id: "training-without-gradients",
    statement: "A classifier is trained on batches of data without a gradient",
    source: "Machine-learning experiments of the authors' repository",
    paper: "trains networks",
    async run({ rng, scale, backend, signal, onProgress }) {
      const count = seeds[scale];
      const { inputs, targets } = iris();
      const data = { inputs: standardization(inputs).apply(inputs), targets };
      const template = { w: zeros([4, 3]), b: zeros([3]) };
      const scores = (p: typeof template, x: typeof inputs) => add(matmul(x, p.w), p.b);
      const model = treeModel(template, (p, batch: typeof data) =>
        crossEntropy(scores(p, batch.inputs), batch.targets),
      );
      const runs: { loss: number; accuracy: number; curve: number[] }[] = [];
      for (let run = 0; run < count; run++) {
        const { theta, objective, history } = await method.cboTrain(model, data, {
          epochs: EPOCHS,
          batchSize: BATCH,
          seed: rng
            .fork(run)
            .randint([], { high: 2 ** 31 - 1 })
            .item(),
          signal,
          ...(backend && { backend }),
          onProgress: ({ epoch }) => onProgress((run + epoch / EPOCHS) / count),
        });
        const right = accuracy(scores(model.toTree(theta), data.inputs), targets).item();
        runs.push({ loss: objective, accuracy: right, curve: history.map(({ loss }) => loss) });
      }
      const worst = Math.min(...runs.map((run) => run.accuracy));
      const highest = Math.max(...runs.map((run) => run.loss));
      return {
        measured: { "least accuracy": worst, "largest loss": highest },
        holds: worst >= LEAST_ACCURACY && highest < MOST_LOSS,
        detail:
          `Iris, softmax regression with 15 parameters, ${EPOCHS} epochs, ${count} seeds: every consensus must have an accuracy of ` +
          `at least ${LEAST_ACCURACY} (least ${figure(worst)}) and a loss below ${MOST_LOSS} (largest ${figure(highest)}).`,
        series: [
          {
            kind: "line",
            title: "Loss of the consensus on its batches",
            x: { label: "epoch" },
            y: { label: "cross-entropy" },
            curves: runs.map(({ curve }, run) => ({
              name: `run ${run + 1}`,
              x: curve.map((_, epoch) => epoch + 1),
              y: curve,
            })),
          },
        ],
      };
    },
  };
}
