import { readFileSync } from "node:fs";
import { npzNames, readNpz, writeNpz } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { random, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  type PlanetoidFiles,
  readEdgeList,
  readGinText,
  readGnnBenchmark,
  readLinqs,
  readPickle,
  readPlanetoid,
  readTuDataset,
  undirected,
  writeGnnBenchmark,
} from "../src/index.js";

const text = (content: string) => new TextEncoder().encode(content);
const fixture = JSON.parse(readFileSync(new URL("fixtures/planetoid.json", import.meta.url), "utf8"));
const filesOf = (version: "python2" | "python3") =>
  ({
    ...Object.fromEntries(
      Object.entries<string>(fixture[version]).map(([k, v]) => [k, new Uint8Array(Buffer.from(v, "base64"))]),
    ),
    testIndex: fixture.testIndex,
  }) as unknown as PlanetoidFiles;

const ring = undirected(
  [
    [0, 1],
    [1, 2],
    [2, 0],
  ],
  3,
);
const npz = writeGnnBenchmark({
  graph: ring,
  features: random.rng(1).uniform([3, 4]),
  labels: Int32Array.of(0, 1, 1),
});
const csrFeatures = {
  attr_data: tensor([1, 2]),
  attr_indices: tensor([0, 3], { dtype: "int32" }),
  attr_indptr: tensor([0, 1, 2, 2], { dtype: "int32" }),
  attr_shape: tensor([3, 4], { dtype: "int32" }),
};
const benchmarkArrays = readNpz(npz);
/** The archive with some arrays as others. */
function withArrays(arrays: Record<string, Tensor>, without = "attr_matrix"): Uint8Array {
  const { [without]: _, ...rest } = benchmarkArrays;
  return writeNpz({ ...rest, ...arrays }, { compress: false });
}
/** An array of the archive whose numbers are the bytes given. */
const numbers = (name: string) => (bytes: Uint8Array) =>
  readGnnBenchmark(withArrays({ ...csrFeatures, [name]: tensor(Float64Array.from(bytes, (b) => b - 1)) }));

const tu = {
  edges: text("1, 2\n2, 1\n3, 3\n"),
  graphIndicator: text("1\n1\n2\n"),
  graphLabels: text("1\n-1\n"),
  nodeLabels: text("0\n1\n1\n"),
  nodeAttributes: text("0.5, 1\n1.5, 2\n2, 3\n"),
};

const cases: ReaderCase[] = [
  ...(["python2", "python3"] as const).flatMap((version) => {
    const files = filesOf(version);
    return (["x", "allx", "ally", "ty", "graph"] as const).flatMap((field) => [
      { name: `pickle ${version} ${field}`, read: readPickle, file: files[field] },
      {
        name: `Planetoid ${version} ${field}`,
        read: (bytes: Uint8Array) => readPlanetoid({ ...files, [field]: bytes }),
        file: files[field],
      },
    ]);
  }),
  {
    name: "Planetoid test.index",
    read: (testIndex) => readPlanetoid({ ...filesOf("python2"), testIndex }),
    file: text(fixture.testIndex),
  },
  {
    name: "pickle, protocol 0",
    read: readPickle,
    file: text("(dp0\nI1\n(lp1\nI2\naL3L\nas(S'a\\x41'\np2\nF1.5\ntp3\nI01\ns."),
  },
  { name: "gnn-benchmark", read: readGnnBenchmark, file: npz },
  ...["adj_indptr", "adj_indices", "attr_indptr", "attr_shape", "labels"].map((name) => ({
    name: `gnn-benchmark ${name}`,
    read: numbers(name),
    file: Uint8Array.from(readNpz(withArrays(csrFeatures))[name].data(), (v) => Number(v) + 1),
  })),
  { name: "GIN text", read: readGinText, file: text("2\n2 0\n0 1 1\n1 1 0\n1 4\n3 0\n") },
  { name: "edge list", read: readEdgeList, file: text("# comment\nsource,target,weight\n0,1,0.5\n1,2,2\n") },
  { name: "edge list of numbers", read: (b) => readEdgeList(b, { nodes: 3 }), file: text("0 1\n1 2\n") },
  { name: "LINQS content", read: (b) => readLinqs(b, "a\tb\n"), file: text("a\t0\t1\tNeural\nb\t1\t1\tRule\n") },
  { name: "LINQS cites", read: (b) => readLinqs("a\t0\t1\tNeural\nb\t1\t1\tRule\n", b), file: text("a\tb\nb\ta\n") },
  ...(Object.keys(tu) as (keyof typeof tu)[]).map((field) => ({
    name: `TUDataset ${field}`,
    read: (bytes: Uint8Array) => readTuDataset({ ...tu, [field]: bytes }),
    file: tu[field],
  })),
];

describe("damaged files give typed errors and no huge allocation", () => {
  it.each(cases)("$name", (reader) => {
    fuzzReader(reader);
  });
});

/** Bytes of a pickle: numbers as they are, texts as Latin-1. */
const pickle = (...parts: (number | string)[]) =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === "number" ? [part] : Array.from(part, (c) => c.charCodeAt(0)))),
  );
const format = (message: RegExp) =>
  expect.objectContaining({ name: "FormatError", message: expect.stringMatching(message) });

describe("pickles that are larger than their files", () => {
  it("by lists that hold one list twice stay as small as they are", () => {
    // lists 1 to 60, each holding the one before it twice
    const levels = Array.from({ length: 60 }, (_, k) => ["]q", k + 1, "(h", k, "h", k, "e"]).flat();
    const value = readPickle(pickle("]q", 0, ...levels, ".")) as readonly (readonly unknown[])[];
    expect(value).toHaveLength(2);
    expect(value[0]).toBe(value[1]);
  });

  it("by a list that holds itself are refused", () => {
    expect(() => readPickle(pickle("]q", 0, "h", 0, "a."))).toThrow(format(/holds itself/));
    expect(() => readPickle(pickle(`${"(".repeat(3000)}${"l".repeat(3000)}.`))).toThrow(
      format(/nested more than 1000/),
    );
  });

  it("by texts of lists, long integers, or contents that are shared are refused", () => {
    const encode = "c_codecs\nencode\nq\x01";
    const twice = Array.from({ length: 20 }, (_, k) => ["]q", k + 3, "(h", k + 2, "h", k + 2, "e0"]).flat();
    expect(() => readPickle(pickle(encode, "]q", 2, "0", ...twice, "h", 1, "h", 22, "\x85R."))).toThrow(
      format(/no text where/),
    );
    const long = pickle("\x8b\xff\xff\0\0", "\x01".repeat(65535), ".");
    expect(() => readPickle(long)).toThrow(format(/integer of 65535 bytes/));
    const shared = "X\xe8\x03\0\0" + "a".repeat(1000) + "q\x02";
    const calls = Array.from({ length: 50 }, () => "h\x01h\x02U\x06latin1\x86R").join("");
    expect(() => readPickle(pickle(encode, shared, calls, "."))).toThrow(format(/more bytes than the file has/));
  });

  it("by neighbours that are one list many times over are refused", () => {
    const neighbours = `](${"K\x00".repeat(100)}eq\x01`;
    const items = Array.from({ length: 100 }, (_, k) => ["K", k, "h\x01"]).flat();
    const graph = pickle("}q\x00(", "K", 200, neighbours, ...items, "u.");
    expect(() => readPlanetoid({ ...filesOf("python2"), graph })).toThrow(format(/repeats its lists/));
  });
});

describe("files that lie about their size", () => {
  it("are refused before memory is taken", () => {
    expect(() => readGinText("1\n999999999 0\n")).toThrow(format(/999999999 nodes, and 0 lines are left/));
    const index = `${fixture.testIndex.trim().split("\n").slice(0, -1).join("\n")}\n2000000000\n`;
    expect(() => readPlanetoid({ ...filesOf("python2"), testIndex: index })).toThrow(format(/more than is read/));
    const wide = { ...csrFeatures, attr_shape: tensor([3, 2e9], { dtype: "float64" }) };
    expect(() => readGnnBenchmark(withArrays(wide))).toThrow(format(/more than is read/));
    const endless = { ...csrFeatures, attr_indptr: tensor([0, 1, 2, 1e15], { dtype: "float64" }) };
    expect(() => readGnnBenchmark(withArrays(endless))).toThrow(format(/do not fit each other/));
  });

  it("do not hide behind an array of the same meaning", () => {
    expect(npzNames(npz)).toContain("attr_matrix");
    expect(readGnnBenchmark(withArrays(csrFeatures)).features.toArray()).toEqual([
      [1, 0, 0, 0],
      [0, 0, 0, 2],
      [0, 0, 0, 0],
    ]);
    expect(() => readGnnBenchmark(withArrays({ attr_matrix: tensor([1]) }, ""))).toThrow(format(/no matrix/));
    expect(() => readGnnBenchmark(withArrays({ labels: tensor([1, 2]) }, ""))).toThrow(format(/2 labels for 3 nodes/));
  });
});
