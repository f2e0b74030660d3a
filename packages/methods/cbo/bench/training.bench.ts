// What does an epoch of training without gradients cost, beside the same in NumPy?
import { compare, python } from "@offprint/bench";
import { crossEntropy } from "@offprint/optim";
import { add, matmul, random, zeros } from "@offprint/tensor-core";
import { cboTrain, treeModel } from "../src/index.js";

const peers = python(new URL("cbo_peers.py", import.meta.url));

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const [features, classes, samples, epochs] of [
    [4, 3, 150, 20],
    [64, 10, 600, 1],
    [784, 10, 120, 1],
  ]) {
    const rng = random.rng(0);
    const data = { inputs: rng.normal([samples, features]), targets: rng.randint([samples], { high: classes }) };
    const model = treeModel({ b: zeros([classes]), w: zeros([features, classes]) }, (p, batch: typeof data) =>
      crossEntropy(add(matmul(batch.inputs, p.w), p.b), batch.targets),
    );
    const options = { epochs, batchSize: 30 };
    const initial = rng.normal([100, model.parameters]);
    // The result takes the losses of all particles on all data once more: that is timed too.
    await compare({
      name: `${epochs} epoch(s), ${model.parameters} parameters, ${samples} samples, 100 particles`,
      ours: () => cboTrain(model, data, { ...options, initial }),
      peers: { "the same in NumPy": peers.peer("training", 100, 10, samples, features, classes, 30, epochs) },
      maxRatio: 0.6,
      repetitions: 3,
    });
  }
}
