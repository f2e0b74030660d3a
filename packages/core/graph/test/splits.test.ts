import { random } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  averagePrecision,
  barabasiAlbert,
  erdosRenyi,
  grid,
  isUndirected,
  linkSplit,
  maskIndices,
  nodeAccuracy,
  nodeFolds,
  nodeSplit,
  rocAuc,
  rowNormalize,
  sampleNonLinks,
  undirected,
} from "../src/index.js";

describe("node splits", () => {
  it("test every node once, and are 64, 16 and 20 % by default", () => {
    const folds = nodeFolds(103, { rng: random.rng(0) });
    const tested = new Uint8Array(103);
    for (const { train, validation, test } of folds) {
      for (let i = 0; i < 103; i++) expect(train[i] + validation[i] + test[i]).toBe(1);
      for (const i of maskIndices(test)) tested[i]++;
    }
    expect(tested.every((count) => count === 1)).toBe(true);
    const { train, validation, test } = nodeSplit(100, { rng: random.rng(0) });
    expect([train, validation, test].map((m) => maskIndices(m).length)).toEqual([64, 16, 20]);
    expect(() => nodeFolds(3, { rng: random.rng(0), folds: 4 })).toThrow(/folds/);
  });
});

describe("link splits", () => {
  const graph = erdosRenyi(60, 0.1, random.rng(3));

  it("share out every link once, with different pairs that are no links", () => {
    const split = linkSplit(graph, { rng: random.rng(4) });
    const parts = [split.train, split.validation, split.test];
    const keys = (list: Int32Array) =>
      Array.from({ length: list.length / 2 }, (_, i) => list[2 * i] * 60 + list[2 * i + 1]); // prettier-ignore
    const positive = parts.flatMap((p) => keys(p.positive));
    const negative = parts.flatMap((p) => keys(p.negative));
    const links = new Set(
      Array.from(graph.sources, (s, e) => Math.min(s, graph.targets[e]) * 60 + Math.max(s, graph.targets[e])),
    ); // prettier-ignore
    expect(new Set(positive)).toEqual(links);
    expect(positive.length).toBe(links.size);
    expect(negative.length).toBe(links.size);
    expect(new Set(negative).size).toBe(links.size);
    expect(negative.some((key) => links.has(key))).toBe(false);
    expect(split.trainGraph.edges).toBe(split.train.positive.length);
    expect(split.testGraph.edges).toBe(split.train.positive.length + split.validation.positive.length);
    expect(isUndirected(split.testGraph)).toBe(true);
    expect(split.test.positive.length / 2).toBe(Math.round(0.2 * links.size));
  });

  it("are the same for the same seed", () => {
    expect(linkSplit(graph, { rng: random.rng(4) }).test).toEqual(linkSplit(graph, { rng: random.rng(4) }).test);
  });

  it("find the last pairs that are no links", () => {
    const all = undirected(
      [
        [0, 1],
        [0, 2],
        [1, 2],
        [2, 3],
      ],
      4,
    ); // prettier-ignore
    expect([...sampleNonLinks(all, 2, random.rng(0))].sort()).toEqual([0, 1, 3, 3]);
    expect(() => sampleNonLinks(all, 3, random.rng(0))).toThrow(/fewer than 3/);
  });
});

describe("metrics", () => {
  const scored = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { minLength: 2, maxLength: 40 });

  it("AUC is the chance that a positive scores higher, ties one half", () => {
    fc.assert(
      fc.property(scored, (list) => {
        const positives = list.filter(([, p]) => p).map(([s]) => s);
        const negatives = list.filter(([, p]) => !p).map(([s]) => s);
        fc.pre(positives.length > 0 && negatives.length > 0);
        let wins = 0;
        for (const p of positives) for (const q of negatives) wins += p > q ? 1 : p === q ? 0.5 : 0;
        const auc = rocAuc(
          list.map(([s]) => s),
          list.map(([, p]) => Number(p)),
        ); // prettier-ignore
        expect(auc).toBeCloseTo(wins / (positives.length * negatives.length), 12);
      }),
    );
  });

  it("average precision agrees with scikit-learn on its own example, and with ties", () => {
    expect(averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBeCloseTo(0.8333333333333333, 12);
    expect(averagePrecision([1, 1, 1, 1], [1, 0, 0, 1])).toBeCloseTo(0.5, 12);
  });

  it("refuse what has no answer", () => {
    expect(() => rocAuc([1], [1])).toThrow(/at least one of each/);
    expect(() => rocAuc([1, Number.NaN], [1, 0])).toThrow(/NaN/);
    expect(() => rocAuc([1], [1, 0])).toThrow(/one label per score/);
    expect(() => averagePrecision([1], [0])).toThrow(/no positives/);
    expect(() => nodeAccuracy([1], [1], [0])).toThrow(/no node is chosen/);
    expect(nodeAccuracy([1, 0, 1], [1, 1, 1], [1, 1, 0])).toBe(0.5);
  });

  it("rows of counts become frequencies, rows below one stay", () => {
    expect(
      rowNormalize([
        [1, 3],
        [0, 0],
        [0.25, 0.25],
      ]).toArray(),
    ).toEqual([
      [0.25, 0.75],
      [0, 0],
      [0.25, 0.25],
    ]); // prettier-ignore
  });
});

describe("random graphs", () => {
  it("have the edges they should", () => {
    expect(grid(3, 4).edges).toBe(2 * 17);
    const ba = barabasiAlbert(200, 3, random.rng(0));
    expect(ba.edges).toBe(2 * 3 * 197);
    expect(Math.max(...ba.degree("in"))).toBeGreaterThan(15);
    const er = erdosRenyi(400, 0.05, random.rng(1)).edges / 2;
    expect(Math.abs(er - 0.05 * 79800)).toBeLessThan(4 * Math.sqrt(0.05 * 0.95 * 79800));
    expect(erdosRenyi(20, 1, random.rng(1)).edges).toBe(380);
    expect(erdosRenyi(20, 0, random.rng(1)).edges).toBe(0);
  });
});
