import { random, tensor } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addRemainingSelfLoops,
  augment,
  batch,
  coalesce,
  directed,
  Graph,
  isUndirected,
  khop,
  removeSelfLoops,
  subgraph,
  undirected,
} from "../src/index.js";

const pairsOf = (g: Graph) => Array.from(g.sources, (s, e) => [s, g.targets[e]]);

const anyGraph = fc.integer({ min: 1, max: 12 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    pairs: fc.array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1)), { maxLength: 40 }),
  }),
);

describe("Graph", () => {
  it("lists edges by both ends", () => {
    const g = directed(
      [
        [0, 1],
        [2, 1],
        [1, 0],
        [2, 2],
      ],
      3,
    ); // prettier-ignore
    expect([...g.incoming.indptr]).toEqual([0, 1, 3, 4]);
    expect([...g.incoming.neighbours]).toEqual([1, 0, 2, 2]);
    expect([...g.incoming.edges]).toEqual([2, 0, 1, 3]);
    expect([...g.outgoing.indptr]).toEqual([0, 1, 2, 4]);
    expect([...g.degree("in")]).toEqual([1, 2, 1]);
    expect([...g.degree("out")]).toEqual([1, 1, 2]);
  });

  it("refuses ends that are no nodes, and lengths that differ", () => {
    expect(() => new Graph(2, [0], [2])).toThrow(/targets\[0\] is 2/);
    expect(() => new Graph(2, [-1], [0])).toThrow(/sources\[0\]/);
    expect(() => new Graph(2, [0.5], [0])).toThrow(/integers from 0 to 1/);
    expect(() => new Graph(2, [0, 1], [0])).toThrow(/one for each/);
    expect(() => new Graph(-1, [], [])).toThrow(/number of nodes/);
    expect(() => new Graph(1, [0], [0], { weights: [1, 2] })).toThrow(/weights has 2/);
    const one = (options: object) => () => new Graph(1, [0], [0], options);
    for (const weight of [Number.NaN, Number.POSITIVE_INFINITY, "1"]) {
      expect(one({ weights: [weight] })).toThrow(/weights\[0\] is .*; they must be finite/);
    }
    for (const kind of [-1, 0.5, Number.NaN]) {
      expect(one({ edgeTypes: [kind] })).toThrow(/edgeTypes\[0\] is .*; they must be integers >= 0/);
      expect(one({ graphIds: [kind] })).toThrow(/graphIds\[0\] is .*; they must be integers >= 0/);
    }
    expect(one({ weight: [1] })).toThrow(/no option "weight"; did you mean "weights"/);
    expect(one([1])).toThrow(/Graph: the options are an array/);
    expect(() => directed([[0, 1.5]], 3)).toThrow(/no node number/);
    expect(() => undirected([[0, 1, 2]], 3)).toThrow(/\[pairs, 2\]/);
  });

  it("has the same edges whichever way they are listed", () => {
    fc.assert(
      fc.property(anyGraph, ({ n, pairs }) => {
        const g = new Graph(
          n,
          pairs.map((p) => p[0]),
          pairs.map((p) => p[1]),
        ); // prettier-ignore
        for (const [lists, mine, other] of [
          [g.incoming, g.targets, g.sources],
          [g.outgoing, g.sources, g.targets],
        ] as const) {
          expect([...lists.edges].sort((a, b) => a - b)).toEqual(pairs.map((_, e) => e));
          for (let i = 0; i < n; i++) {
            for (let p = lists.indptr[i]; p < lists.indptr[i + 1]; p++) {
              expect(mine[lists.edges[p]]).toBe(i);
              expect(other[lists.edges[p]]).toBe(lists.neighbours[p]);
            }
          }
        }
      }),
    );
  });
});

describe("changes of a graph", () => {
  it("makes edges go both ways, loops once", () => {
    const g = undirected(
      [
        [0, 1],
        [2, 2],
      ],
      3,
      { weights: [5, 7] },
    ); // prettier-ignore
    expect(pairsOf(g)).toEqual([
      [0, 1],
      [2, 2],
      [1, 0],
    ]); // prettier-ignore
    expect([...(g.weights as Float64Array)]).toEqual([5, 7, 5]);
    expect(isUndirected(g)).toBe(true);
    expect(isUndirected(directed([[0, 1]], 2))).toBe(false);
    expect(
      isUndirected(
        directed(
          [
            [0, 1],
            [1, 0],
          ],
          2,
          { weights: [1, 2] },
        ),
      ),
    ).toBe(false); // prettier-ignore
  });

  it("keeps loops that are there, once, with their weight", () => {
    const g = addRemainingSelfLoops(
      directed(
        [
          [0, 0],
          [0, 1],
          [0, 0],
        ],
        2,
        { weights: [3, 4, 5], edgeTypes: [1, 2, 3] },
      ),
    ); // prettier-ignore
    expect(pairsOf(g)).toEqual([
      [0, 1],
      [0, 0],
      [1, 1],
    ]); // prettier-ignore
    expect([...(g.weights as Float64Array)]).toEqual([4, 5, 1]);
    expect([...(g.edgeTypes as Int32Array)]).toEqual([2, 3, 0]);
    expect(removeSelfLoops(g).edges).toBe(1);
  });

  it("merges parallel edges by the rule asked for, kind by kind", () => {
    const g = directed(
      [
        [1, 0],
        [0, 1],
        [1, 0],
        [1, 0],
      ],
      2,
      { weights: [1, 2, 4, 10] },
    ); // prettier-ignore
    const weights = (how: "sum" | "first" | "max" | "mean") => [...(coalesce(g, how).weights as Float64Array)];
    expect(pairsOf(coalesce(g))).toEqual([
      [0, 1],
      [1, 0],
    ]); // prettier-ignore
    expect(weights("sum")).toEqual([2, 15]);
    expect(weights("first")).toEqual([2, 1]);
    expect(weights("max")).toEqual([2, 10]);
    expect(weights("mean")).toEqual([2, 5]);
    expect(
      coalesce(
        directed(
          [
            [0, 1],
            [0, 1],
          ],
          2,
          { edgeTypes: [0, 1] },
        ),
      ).edges,
    ).toBe(2); // prettier-ignore
  });

  it("puts graphs side by side", () => {
    const g = batch([directed([[0, 1]], 2), directed([[2, 0]], 3)]);
    expect(g.nodes).toBe(5);
    expect(pairsOf(g)).toEqual([
      [0, 1],
      [4, 2],
    ]); // prettier-ignore
    expect([...(g.graphIds as Int32Array)]).toEqual([0, 0, 1, 1, 1]);
    expect(() => batch([])).toThrow(/at least one/);
  });

  it("adds nodes and edges", () => {
    const g = augment(directed([[0, 1]], 2, { weights: [2] }), 1, [
      [0, 2],
      [2, 1],
    ]); // prettier-ignore
    expect(g.nodes).toBe(3);
    expect(pairsOf(g)).toEqual([
      [0, 1],
      [0, 2],
      [2, 1],
    ]); // prettier-ignore
    expect([...(g.weights as Float64Array)]).toEqual([2, 1, 1]);
  });

  it("cuts out nodes with the edges among them", () => {
    const g = directed(
      [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 1],
      ],
      4,
      { weights: [1, 2, 3, 4] },
    ); // prettier-ignore
    const part = subgraph(g, [3, 1, 2]);
    expect(pairsOf(part.graph)).toEqual([
      [1, 2],
      [2, 0],
      [0, 1],
    ]); // prettier-ignore
    expect([...part.edges]).toEqual([1, 2, 3]);
    expect([...(part.graph.weights as Float64Array)]).toEqual([2, 3, 4]);
    expect(() => subgraph(g, [4])).toThrow(/node 4/);
    expect(() => subgraph(g, [1, 1])).toThrow(/twice/);
  });

  it("finds what a node depends on within some hops", () => {
    const path = directed(
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      4,
    ); // prettier-ignore
    expect([...khop(path, [3], 0).nodes]).toEqual([3]);
    expect([...khop(path, [3], 2).nodes]).toEqual([3, 2, 1]);
    expect([...khop(path, [3], 9).nodes]).toEqual([3, 2, 1, 0]);
    expect(() => khop(path, [3], -1)).toThrow(/hops/);
  });

  it("coalescing twice is coalescing once, and keeps the total weight", () => {
    fc.assert(
      fc.property(anyGraph, ({ n, pairs }) => {
        const g = new Graph(
          n,
          pairs.map((p) => p[0]),
          pairs.map((p) => p[1]),
          { weights: pairs.map((_, e) => e + 1) },
        ); // prettier-ignore
        const once = coalesce(g);
        const total = (x: Graph) => (x.weights as Float64Array).reduce((a, b) => a + b, 0);
        expect(total(once)).toBe(total(g));
        expect(pairsOf(coalesce(once))).toEqual(pairsOf(once));
        expect(new Set(pairsOf(once).map(String)).size).toBe(once.edges);
      }),
    );
  });

  it("takes pairs as tensors too", () => {
    const pairs = random.rng(0).randint([5, 2], { high: 4 });
    expect(undirected(pairs, 4).edges).toBeGreaterThanOrEqual(5);
    expect(directed(tensor(new Int32Array(0), { shape: [0, 2] }), 2).edges).toBe(0);
  });
});
