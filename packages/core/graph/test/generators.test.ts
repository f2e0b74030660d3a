import { digits } from "@offprint/datasets";
import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  contextualBlockModel,
  isUndirected,
  nearestNeighbourGraph,
  randomGeometric,
  ringMolecules,
  stochasticBlockModel,
} from "../src/index.js";

describe("block models", () => {
  it("link within and between classes as often as they should", () => {
    const data = contextualBlockModel({
      nodes: 600,
      classes: 3,
      features: 16,
      within: 0.1,
      between: 0.02,
      noise: 1,
      rng: random.rng(0), // prettier-ignore
    });
    const { graph, labels } = data;
    expect(isUndirected(graph)).toBe(true);
    let [inside, insidePairs, across, acrossPairs] = [0, 0, 0, 0];
    for (let e = 0; e < graph.edges; e++) {
      if (labels[graph.sources[e]] === labels[graph.targets[e]]) inside++;
      else across++;
    }
    for (let i = 0; i < 600; i++)
      for (let j = 0; j < 600; j++) if (i !== j) labels[i] === labels[j] ? insidePairs++ : acrossPairs++; // prettier-ignore
    expect(inside / insidePairs).toBeCloseTo(0.1, 2);
    expect(across / acrossPairs).toBeCloseTo(0.02, 2);
    const squares = Array.from(data.features.data()).reduce((s, v) => s + v * v, 0) / 600;
    expect(squares).toBeGreaterThan(1.4);
    expect(squares).toBeLessThan(2.6);
  });

  it("link everything at 1, nothing at 0", () => {
    const g = stochasticBlockModel(
      [0, 1, 0, 1],
      [
        [1, 0],
        [0, 1],
      ],
      random.rng(0),
    ); // prettier-ignore
    expect(Array.from(g.sources, (s, e) => `${s}${g.targets[e]}`).sort()).toEqual(["02", "13", "20", "31"]);
    expect(() => stochasticBlockModel([2], [[1]], random.rng(0))).toThrow(/class 2/);
    expect(() => stochasticBlockModel([0], [[2]], random.rng(0))).toThrow(/in \[0, 1\]/);
  });
});

describe("nearest neighbours", () => {
  it("of the digits are the known graph", () => {
    const set = digits();
    const graph = nearestNeighbourGraph(set.inputs, 8);
    expect(graph.nodes).toBe(1797);
    expect(graph.edges / 2).toBe(9929);
    const classes = set.targets.data();
    const same = graph.sources.reduce((n, s, e) => n + Number(classes[s] === classes[graph.targets[e]]), 0);
    expect(same / graph.edges).toBeCloseTo(0.961, 3);
  });

  it("go to the lower number where distances are equal", () => {
    const g = nearestNeighbourGraph(tensor([[0], [1], [-1], [5]]), 1);
    expect(Array.from(g.sources.slice(0, g.edges / 2), (s, e) => [s, g.targets[e]])).toEqual([
      [0, 1],
      [0, 2],
      [1, 3],
    ]); // prettier-ignore
    expect(() => nearestNeighbourGraph([[0], [1]], 2)).toThrow(/from 1 to 1/);
  });
});

describe("other generators", () => {
  it("geometric graphs link what is near", () => {
    const { graph, positions } = randomGeometric(50, 0.3, random.rng(2));
    for (let e = 0; e < graph.edges; e++) {
      const [i, j] = [graph.sources[e], graph.targets[e]];
      expect(Math.hypot(positions[2 * i] - positions[2 * j], positions[2 * i + 1] - positions[2 * j + 1])).toBeLessThan(
        0.3,
      ); // prettier-ignore
    }
  });

  it("molecules differ in rings only", () => {
    const { graphs, labels, features } = ringMolecules({ count: 40, rng: random.rng(0) });
    graphs.forEach((g, i) => {
      const rings = g.edges / 2 - g.nodes + 1;
      expect(rings > 0).toBe(labels[i] === 1);
      expect(features?.[i].shape).toEqual([g.nodes, 4]);
    });
  });
});
