// Learn without backpropagation
// Train a graph network layer by layer on four members of a karate club, and see which side it gives everybody else. Change the method, the convolution or the number of layers.

import { karateClub } from "@offprint/datasets";
import { fitNodeClassifier, predictNodes } from "@offprint/forwardgnn";
import { mask, nodeAccuracy, undirected } from "@offprint/graph";
import { eye } from "@offprint/tensor-core";

const club = karateClub();
const graph = undirected(club.edges, club.nodes);
const labels = club.targets.data();
const task = { graph, features: eye(club.nodes), labels, train: mask(club.nodes, [0, 1, 32, 33]) };

const options = { convolution: "gcn", layers: 3, hidden: 16, epochs: 80, learningRate: 0.01 };
const { model, history } = await fitNodeClassifier(task, "sf", options);
for (const layers of [1, 2, 3]) {
  const { classes } = await predictNodes(model, task, { layers });
  console.log(`${layers} layers: ${(100 * nodeAccuracy(classes, labels)).toFixed(0)} % of the club right`);
}

display({
  kind: "line",
  title: "Each layer has a loss of its own",
  x: { label: "epoch of the layer" },
  y: { label: "loss" },
  curves: [1, 2, 3].map((layer) => ({
    name: `layer ${layer}`,
    y: history.filter((record) => record.layer === layer).map((record) => record.loss),
  })),
});
