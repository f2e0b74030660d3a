// One bit per weight
// Train a network whose weights and activations are -1 or +1 to read digits, pack it into bits, and read with XNOR and popcount. Change the frequency of the square wave, or put straightThrough() in its place.

import { fitNetwork, packNetwork, periodic, quantizationReport, smallNetwork } from "@offprint/biper";
import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { accuracy } from "@offprint/optim";
import { div, hostBackend, random, reshape, sub } from "@offprint/tensor-core";

const set = digits();
const images = reshape(sub(div(set.inputs, 8), 1), [1797, 1, 8, 8]);
const { train, test } = trainTestSplit({ inputs: images, targets: set.targets }, { test: 1400, rng: random.rng(0) });

const network = smallNetwork({ weights: periodic({ omega: 60 }) });
const { model, history } = await fitNetwork(network, train, {
  batchSize: 32,
  stage1: { epochs: 6, learningRate: 0.1, warmUpEpochs: 1, tauMax: 0.037 },
  stage2: { epochs: 3, learningRate: 0.02, warmUpEpochs: 1, tauMax: 0.0468 },
  backend: hostBackend, // compiles the steps
});

const packed = packNetwork(model);
const right = accuracy(packed.run(test.inputs), test.targets).item();
console.log(
  `${(100 * right).toFixed(1)} % of ${test.targets.size} digits right with ${packed.byteLength} bytes of weights`,
);
for (const { path, deviation } of quantizationReport(network, model.params).layers) {
  console.log(`${path}: |sin(omega w)| is ${deviation.toFixed(3)} from 1 on average`);
}

const epochs = history.filter((record) => record.epochLoss !== null);
display({
  kind: "line",
  title: "Real weights first, then bits",
  x: { label: "epoch" },
  y: { label: "loss" },
  curves: [1, 2].map((stage) => ({
    name: `stage ${stage}`,
    x: epochs.map((_, i) => i + 1).filter((_, i) => epochs[i].stage === stage),
    y: epochs.filter((record) => record.stage === stage).map((record) => record.epochLoss),
  })),
});
