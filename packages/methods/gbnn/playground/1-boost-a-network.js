// Grow a network block by block
// A network for the growers of 178 wines is grown in blocks of two units; the curve shows the accuracy on wines that it has not seen. Change the learning rate, the units of a block, or the data.

import { trainTestSplit } from "@offprint/data";
import { wine } from "@offprint/datasets";
import { fitClassifier, stagedScore } from "@offprint/gbnn";
import { random } from "@offprint/tensor-core";

const { train, test } = trainTestSplit(wine(), { test: 0.4, rng: random.rng(1), stratify: true });
const curves = [];
for (const learningRate of [0.05, 0.3]) {
  const { model } = await fitClassifier(train.inputs, train.targets, { totalUnits: 60, unitsPerStep: 2, learningRate });
  const scores = stagedScore(model, test.inputs, test.targets);
  console.log(
    `learning rate ${learningRate}: ${(100 * scores[scores.length - 1]).toFixed(1)} % of ${test.targets.size} wines right`,
  );
  curves.push({ name: `learning rate ${learningRate}`, y: scores });
}

display({
  kind: "line",
  title: "How many blocks are needed?",
  x: { label: "blocks that are on" },
  y: { label: "accuracy on unseen wines" },
  curves,
});
