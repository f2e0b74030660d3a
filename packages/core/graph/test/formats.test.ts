import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import fc from "fast-check";
import { DirectedGraph, MultiGraph, UndirectedGraph } from "graphology";
import gexf from "graphology-gexf";
import graphml from "graphology-graphml";
import { describe, expect, it } from "vitest";
import {
  directed,
  fromGraphology,
  type Graph,
  maskIndices,
  type PlanetoidFiles,
  readEdgeList,
  readGinText,
  readGnnBenchmark,
  readLinqs,
  readPickle,
  readPlanetoid,
  readTuDataset,
  undirected,
  writeEdgeList,
  writeGnnBenchmark,
} from "../src/index.js";
import { loadPlanetoid, loadTuDataset } from "../src/node.js";

const fixture = readFixture<any>(import.meta.url, "planetoid.json");
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const filesOf = (version: "python2" | "python3") =>
  ({
    ...Object.fromEntries(Object.entries<string>(fixture[version]).map(([k, v]) => [k, bytesOf(v)])),
    testIndex: fixture.testIndex,
  }) as unknown as PlanetoidFiles;
const pairsOf = (g: Graph) => Array.from(g.sources, (s, e) => [s, g.targets[e]]);

async function inFolder<R>(
  files: Record<string, Uint8Array | string>,
  use: (folder: string) => Promise<R>,
): Promise<R> {
  const folder = await mkdtemp(join(tmpdir(), "graph-"));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.each(["python2", "python3"] as const)("Planetoid files of %s", (version) => {
  it("read as they were written, with the split, a gap among the test nodes, and edges both ways once", () => {
    const data = readPlanetoid(filesOf(version));
    expect(data.features.toArray()).toEqual(fixture.features);
    expect([...data.labels]).toEqual(fixture.labels);
    expect(pairsOf(data.graph)).toEqual(fixture.edges);
    expect([...maskIndices(data.split?.train as Uint8Array)]).toEqual([0, 1, 2]);
    expect([...maskIndices(data.split?.validation as Uint8Array)]).toEqual([3, 4]);
    expect([...maskIndices(data.split?.test as Uint8Array)]).toEqual([5, 6, 8]);
  });

  it("load from a folder by their names", async () => {
    const files = filesOf(version);
    const named = Object.entries(files).map(([k, v]) => [`ind.tiny.${k === "testIndex" ? "test.index" : k}`, v]);
    await inFolder(Object.fromEntries(named), async (folder) => {
      const data = await loadPlanetoid(folder);
      expect(data.name).toBe("tiny");
      expect(data.features.toArray()).toEqual(fixture.features);
      await expect(loadPlanetoid(folder, { name: "cora" })).rejects.toThrow(/it has tiny/);
      await rm(join(folder, "ind.tiny.ty"));
      await expect(loadPlanetoid(folder)).rejects.toThrow(/ind\.tiny\.ty/);
    });
    await expect(loadPlanetoid("no such folder")).rejects.toThrow(/cannot read the folder/);
  });

  it("are told when they are of different sets or cut off", () => {
    const files = filesOf(version);
    expect(() => readPlanetoid({ ...files, testIndex: "5\n6\n" })).toThrow(/equally many/);
    expect(() => readPlanetoid({ ...files, testIndex: "5\n6\n1\n" })).toThrow(/also among/);
    expect(() => readPlanetoid({ ...files, allx: files.allx.slice(0, -40) })).toThrow(/pickle/);
    expect(() => readPlanetoid({ ...files, graph: files.y })).toThrow(/no dictionary/);
    expect(() => readPlanetoid({ ...files, x: files.graph })).toThrow(/no matrix/);
  });
});

describe("pickles", () => {
  it("of any other class are refused by name, and nothing is run", () => {
    expect(() => readPickle(bytesOf(fixture.forbidden))).toThrow(/pathlib/);
    const system = new TextEncoder().encode("cos\nsystem\n(S'echo'\ntR.");
    expect(() => readPickle(system)).toThrow(/os\.system/);
  });

  it("that are damaged give a typed error, never another one", () => {
    const whole = bytesOf(fixture.python2.allx);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const bytes = cut ? whole.slice(0, at) : Uint8Array.from(whole, (b, i) => (i === at ? value : b));
        try {
          readPickle(bytes);
        } catch (error) {
          expect((error as Error).name).toMatch(/FormatError|UnsupportedError/);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("of protocol 0 read too", () => {
    const text = "(dp0\nI1\n(lp1\nI2\naL3L\nas(S'a\\x41'\np2\nF1.5\ntp3\nI01\ns.";
    const value = readPickle(new TextEncoder().encode(text)) as ReadonlyMap<unknown, unknown>;
    expect([...value.keys()]).toEqual([1, ["aA", 1.5]]);
    expect([...value.values()]).toEqual([[2, 3], true]);
  });
});

describe("LINQS files", () => {
  const content = "31336\t0\t1\tNeural\n1061127\t1\t1\tRule\n9\t0\t0\tNeural\n";

  it("give features, classes in order of their names, and citations both ways", () => {
    const data = readLinqs(content, "31336\t9\n9\t31336\n31336\t777\n1061127\t9\n");
    expect(data.features.toArray()).toEqual([
      [0, 1],
      [1, 1],
      [0, 0],
    ]); // prettier-ignore
    expect([...data.labels]).toEqual([0, 1, 0]);
    expect(data.classNames).toEqual(["Neural", "Rule"]);
    expect(data.nodeNames).toEqual(["31336", "1061127", "9"]);
    expect(pairsOf(data.graph)).toEqual([
      [0, 2],
      [1, 2],
      [2, 0],
      [2, 1],
    ]); // prettier-ignore
  });

  it("name the line that is wrong", () => {
    expect(() => readLinqs("a\t1\tx\nb\t1\t2\tx\n", "")).toThrow(/4 cells.*line 2/);
    expect(() => readLinqs("a\t1\tx\na\t1\tx\n", "")).toThrow(/comes twice/);
    expect(() => readLinqs(content, "31336\t777\n", { unknown: "fail" })).toThrow(/777/);
    expect(() => readLinqs("", "")).toThrow(/empty/);
  });
});

describe("npz archives", () => {
  it("come back as they were written", () => {
    const graph = undirected(
      [
        [0, 1],
        [1, 2],
      ],
      3,
    ); // prettier-ignore
    const features = tensor([
      [1, 2],
      [0, 0],
      [3, 4],
    ]); // prettier-ignore
    const bytes = writeGnnBenchmark({ graph, features, labels: Int32Array.of(0, 1, 1) });
    const back = readGnnBenchmark(bytes);
    expect(back.features.toArray()).toEqual(features.toArray());
    expect([...back.labels]).toEqual([0, 1, 1]);
    expect(pairsOf(back.graph)).toEqual([
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1],
    ]); // prettier-ignore
    expect(
      pairsOf(
        readGnnBenchmark(
          writeGnnBenchmark({ graph: directed([[2, 0]], 3), features, labels: Int32Array.of(0, 1, 1) }),
          { undirected: false },
        ).graph,
      ),
    ).toEqual([[2, 0]]); // prettier-ignore
  });
});

describe("TUDataset files", () => {
  const files = {
    "DS_A.txt": "1, 2\n2, 1\n3, 4\n",
    "DS_graph_indicator.txt": "1\n1\n2\n2\n2\n",
    "DS_graph_labels.txt": "1\n-1\n",
    "DS_node_labels.txt": "5\n6\n7\n8\n9\n",
    "DS_node_attributes.txt": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 4\n4.5, 5\n",
    "DS_edge_attributes.txt": "1\n2\n3\n",
  };

  it("load from a folder", () =>
    inFolder(files, async (folder) => {
      const data = await loadTuDataset(folder);
      expect(data.graphs.map((g) => g.nodes)).toEqual([2, 3]);
      expect(data.graphs.map(pairsOf)).toEqual([
        [
          [0, 1],
          [1, 0],
        ],
        [[0, 1]],
      ]); // prettier-ignore
      expect([...data.labels]).toEqual([1, 0]);
      expect(data.classNames).toEqual(["-1", "1"]);
      expect(data.features?.[1].toArray()).toEqual([
        [2.5, 3],
        [3.5, 4],
        [4.5, 5],
      ]); // prettier-ignore
      expect(data.nodeLabels?.map((l) => [...l])).toEqual([
        [5, 6],
        [7, 8, 9],
      ]); // prettier-ignore
      expect(data.edgeFeatures?.[0].toArray()).toEqual([[1], [2]]);
    }));

  it("name what does not fit", () => {
    const sets = { edges: "1, 3\n", graphIndicator: "1\n1\n2\n", graphLabels: "0\n1\n" };
    expect(() => readTuDataset(sets)).toThrow(/not in one graph.*line 1/);
    expect(() => readTuDataset({ ...sets, edges: "", nodeLabels: "1\n" })).toThrow(/1 lines; there must be 3/);
    expect(() => readTuDataset({ ...sets, graphLabels: "0\n" })).toThrow(/graph 2 of 1/);
  });
});

describe("text formats", () => {
  it("GIN text gives graphs, tags and classes", () => {
    const data = readGinText("2\n2 7\n0 1 1\n3 1 0 0.5\n1 3\n1 0\n");
    expect(data.graphs.map(pairsOf)).toEqual([
      [
        [1, 0],
        [0, 1],
      ],
      [],
    ]); // prettier-ignore
    expect(data.nodeLabels?.map((l) => [...l])).toEqual([[0, 3], [1]]);
    expect([...data.labels]).toEqual([1, 0]);
    expect(() => readGinText("1\n2 0\n0 1 1\n")).toThrow(/truncated/);
    expect(() => readGinText("1\n1 0\n0 1 1\n")).toThrow(/neighbour 1/);
  });

  it("edge lists come back as they were written", () => {
    const g = directed(
      [
        [0, 1],
        [1, 2],
        [2, 0],
      ],
      3,
      { weights: [1, 2.5, -3] },
    ); // prettier-ignore
    const back = readEdgeList(writeEdgeList(g), { nodes: 3 });
    expect(pairsOf(back.graph)).toEqual(pairsOf(g));
    expect(back.graph.weights).toEqual(g.weights);
    const named = readEdgeList("# a comment\nann bob\nbob eve\n", { undirected: true });
    expect(named.nodeNames).toEqual(["ann", "bob", "eve"]);
    expect(pairsOf(named.graph)).toEqual([
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1],
    ]); // prettier-ignore
    expect(() => readEdgeList("0,1\n0,1,2\n")).toThrow(/equally many cells.*line 2/);
    expect(() => readEdgeList("0,1\n0,5\n", { nodes: 3 })).toThrow(/5 is not among the nodes 0 to 2 .line 2/);
  });
});

describe("graphology", () => {
  it("reads GraphML and GEXF", () => {
    const source = new UndirectedGraph();
    for (const [name, kind] of [
      ["a", 1],
      ["b", 0],
      ["c", 1],
    ] as const)
      source.addNode(name, { kind }); // prettier-ignore
    source.addEdge("a", "b", { weight: 2 });
    source.addEdge("b", "c");
    const xml = gexf.write(source);
    const back = fromGraphology(gexf.parse(UndirectedGraph as never, xml) as never);
    expect(back.nodeNames).toEqual(["a", "b", "c"]);
    expect(pairsOf(back.graph)).toEqual([
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1],
    ]); // prettier-ignore
    expect([...(back.graph.weights as Float64Array)]).toEqual([2, 2, 1, 1]);
    expect(back.nodeAttributes.map((a) => a.kind)).toEqual([1, 0, 1]);
    const ml =
      '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed"><node id="x"/><node id="y"/>' +
      '<edge source="x" target="y"/></graph></graphml>';
    const one = fromGraphology(graphml.parse(DirectedGraph as never, ml) as never);
    expect(pairsOf(one.graph)).toEqual([[0, 1]]);
    expect(one.graph.weights).toBeUndefined();
    expect(fromGraphology(new MultiGraph() as never).graph.nodes).toBe(0);
  });
});
