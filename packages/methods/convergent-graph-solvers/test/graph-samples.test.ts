import { directed } from "@offprint/graph";
import { asTensor, random, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { expect, it } from "vitest";
import { convergentGraphSolver, graphSamples, predict } from "../src/index.js";

const graphs = [
  directed(
    [
      [0, 1],
      [1, 0],
    ],
    2,
  ),
  directed([[2, 0]], 3),
];
const common = { name: "two", graphs, labels: Int32Array.of(1, 0), classNames: ["a", "b"] };
const values = (x: Parameters<typeof asTensor>[0]) => Array.from(asTensor(x).data());

it("gives kinds as one-hot features with numbers beside them, in one order for all graphs", () => {
  const samples = graphSamples({
    ...common,
    nodeLabels: [Int32Array.of(7, 3), Int32Array.of(3, 5, 3)],
    features: [tensor([[0.5], [1.5]]), tensor([[2], [3], [4]])],
    edgeFeatures: [tensor([[9], [8]]), tensor([[7]])],
  });
  expect(values(samples[0].nodes)).toEqual([0, 0, 1, 0.5, 1, 0, 0, 1.5]);
  expect(values(samples[1].nodes)).toEqual([1, 0, 0, 2, 0, 1, 0, 3, 1, 0, 0, 4]);
  expect(samples.map(({ edges }) => values(edges))).toEqual([[9, 8], [7]]);
  expect(samples.map(({ targets }) => targets)).toEqual([[1], [0]]);
});

it("gives a 1 and the degree over the mean where nodes have nothing", () => {
  const [first, second] = graphSamples(common);
  const mean = 3 / 5;
  expectClose(asTensor(first.nodes), [
    [1, 1 / mean],
    [1, 1 / mean],
  ]);
  expectClose(asTensor(second.nodes), [
    [1, 1 / mean],
    [1, 0],
    [1, 0],
  ]);
  expect(values(second.edges)).toEqual([0]);
});

it("predicts in batches what it predicts at once", async () => {
  const model = convergentGraphSolver({ nodeInputs: 2, edgeInputs: 1, outputs: 2, readout: "mean", tolerance: 1e-12 });
  const params = model.init(random.rng(0), "float64");
  const samples = [...graphSamples(common), ...graphSamples(common), ...graphSamples(common)];
  const [together, apart] = [
    await predict(model, params, samples),
    await predict(model, params, samples, { batchSize: 4 }),
  ];
  expect(apart).toHaveLength(6);
  apart.forEach(({ y }, i) => expectClose(y, together[i].y, { absolute: 1e-10 }));
  await expect(predict(model, params, samples, { batchSize: 0 })).rejects.toThrow(/batchSize/);
  await expect(predict(model, params, [])).rejects.toThrow(/no graphs/);
});
