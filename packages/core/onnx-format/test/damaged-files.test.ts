import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { random, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { hasExternalData, readOnnxGraph, writeOnnxGraph } from "../src/index.js";
import { checkExternalData, externalFileNames, joined, lengthField, numberField, type Part } from "../src/messages.js";
import { ATTRIBUTE, ATTRIBUTE_TYPE, ENTRY, GRAPH, MODEL, NODE, TENSOR } from "../src/schema.js";
import { sha1 } from "../src/sha1.js";

const { model } = JSON.parse(readFileSync(new URL("./fixtures/onnx.json", import.meta.url), "utf8")) as {
  model: string;
};
const bytes = Uint8Array.from(Buffer.from(model, "base64"));

/** Reads everything that is there, or says in a typed error what is wrong. */
function outcome(file: Uint8Array): "read" | "refused" {
  try {
    hasExternalData(file);
    const graph = readOnnxGraph(file);
    for (const constant of Object.values(graph.constants)) constant.data();
    return "read";
  } catch (error) {
    const { name, message } = error as Error;
    if (name !== "FormatError" && name !== "UnsupportedError") throw error;
    expect(message.length).toBeGreaterThan(20);
    return "refused";
  }
}

/** A file whose graph begins with some parts and has an output. */
function withGraph(...parts: Part[]): Uint8Array {
  return joined([lengthField(MODEL.graph, ...parts, lengthField(GRAPH.output, lengthField(1, "y")))]);
}

const constant = (...parts: Part[]) => withGraph(lengthField(GRAPH.initializer, ...parts));
const attribute = (...parts: Part[]) =>
  withGraph(lengthField(GRAPH.node, lengthField(NODE.operator, "Any"), lengthField(NODE.attribute, ...parts)));
/** Parts of a constant `w` of float32 whose numbers are in another file. */
const external = (entries: Readonly<Record<string, string>>) => [
  lengthField(TENSOR.name, "w"),
  numberField(TENSOR.type, 1),
  numberField(TENSOR.location, 1),
  ...Object.entries(entries).map(([key, value]) =>
    lengthField(TENSOR.external, lengthField(ENTRY.key, key), lengthField(ENTRY.value, value)),
  ),
];
const refused = (name: string, pattern: RegExp) =>
  expect.objectContaining({ name, message: expect.stringMatching(pattern) });

describe("files that lie about sizes", () => {
  it.each([
    ["a billion rows in few bytes", [numberField(TENSOR.dims, 1), numberField(TENSOR.dims, 1e9)]],
    ["more rows than numbers have bits", [numberField(TENSOR.dims, 2 ** 52), numberField(TENSOR.dims, 2 ** 52)]],
    ["a negative extent", [numberField(TENSOR.dims, -4)]],
    ["too few bytes", [numberField(TENSOR.dims, 2), lengthField(TENSOR.raw, new Uint8Array(4))]],
    ["bytes within a number", [numberField(TENSOR.dims, 2), lengthField(TENSOR.raw, new Uint8Array(9))]],
    ["too many numbers", [numberField(TENSOR.dims, 1), lengthField(TENSOR.floats, new Uint8Array(8))]],
  ])("with %s are refused before memory is taken", (_, parts) => {
    const file = constant(numberField(TENSOR.type, 1), lengthField(TENSOR.name, "w"), ...parts);
    expect(() => readOnnxGraph(file)).toThrow(refused("FormatError", /"w" does not hold as many numbers/));
  });

  it("with more axes than arrays have are refused", () => {
    const file = constant(lengthField(TENSOR.dims, new Uint8Array(1e5)), numberField(TENSOR.type, 1));
    expect(() => readOnnxGraph(file)).toThrow(refused("FormatError", /more than 64 numbers/));
  });
});

describe("what is not read is named", () => {
  it("weights in another file", () => {
    const file = constant(...external({ location: "w.bin" }));
    const message = /"w" is in the file "w\.bin", which is not there; put it beside the model/;
    expect(() => readOnnxGraph(file)).toThrow(refused("UnsupportedError", message));
    expect([hasExternalData(file), hasExternalData(bytes)]).toEqual([true, false]);
  });
  it("element types that tensors cannot hold", () => {
    const file = constant(lengthField(TENSOR.name, "w"), numberField(TENSOR.type, 17));
    expect(() => readOnnxGraph(file)).toThrow(refused("UnsupportedError", /"w" has element type float8e4m3fn/));
  });
});

describe("numbers in a file beside the model", () => {
  const place = { location: "w.bin", offset: "4", length: "8" };
  const vector = [...external(place), numberField(TENSOR.dims, 2)];
  const file = new Uint8Array(Float32Array.of(1, 2.5, -3).buffer);

  it("are read of constants and of attributes", () => {
    const { constants } = readOnnxGraph(constant(...vector), { externalData: { "w.bin": file } });
    expect(constants.w.toArray()).toEqual([2.5, -3]);
    const held = [lengthField(ATTRIBUTE.name, "value"), lengthField(ATTRIBUTE.tensor, ...vector)];
    const node = attribute(...held, numberField(ATTRIBUTE.type, ATTRIBUTE_TYPE.tensor));
    const [{ attributes }] = readOnnxGraph(node, { externalData: () => file }).nodes;
    expect((attributes.value as Tensor).toArray()).toEqual([2.5, -3]);
  });
  it("are those of the checksum, where one is given", () => {
    const digest = createHash("sha1").update(file).digest("hex");
    const read = (checksum: string) => {
      const model = constant(...external({ ...place, checksum }), numberField(TENSOR.dims, 2));
      return readOnnxGraph(model, { externalData: { "w.bin": file } }).constants.w.toArray();
    };
    expect(read(digest)).toEqual([2.5, -3]);
    expect(read(digest.toUpperCase())).toEqual([2.5, -3]);
    const other = createHash("sha1").update("another file").digest("hex");
    const message = `"w" is in "w.bin", whose SHA-1 digest is ${digest} and not ${other}; that file is damaged`;
    expect(() => read(other)).toThrow(refused("FormatError", new RegExp(message)));
    expect(() => read("none")).toThrow(refused("FormatError", /the checksum "none" of "w.bin", which is no SHA-1/));
  });
  it("of branches and attributes are found, and looked at without being read", () => {
    const weights = (entries: Readonly<Record<string, string>>) => [...external(entries), numberField(TENSOR.dims, 2)];
    const branch = attribute(
      lengthField(ATTRIBUTE.graph, lengthField(GRAPH.initializer, ...weights({ location: "./w.bin", length: "8" }))),
    );
    const own = attribute(lengthField(ATTRIBUTE.tensor, ...weights({ location: "w.bin", offset: "4" })));
    for (const model of [branch, own]) {
      expect([hasExternalData(model), externalFileNames(model)]).toEqual([true, ["w.bin"]]);
      checkExternalData(model, () => ({ size: 12, digest: () => "" }));
      expect(() => checkExternalData(model, () => ({ size: 7, digest: () => "" }))).toThrow(
        refused("FormatError", /which has 7; that file is truncated/),
      );
      expect(() => checkExternalData(model, () => undefined)).toThrow(refused("UnsupportedError", /is not there/));
    }
    expect(externalFileNames(bytes)).toEqual([]);
    expect(() => checkExternalData(branch, {} as never)).toThrow(refused("ValueError", /files must be a function/));
    let deep = lengthField(GRAPH.name, "innermost");
    for (let depth = 0; depth < 100; depth++) {
      deep = lengthField(GRAPH.node, lengthField(NODE.attribute, lengthField(ATTRIBUTE.graph, deep)));
    }
    expect(() => externalFileNames(withGraph(deep))).toThrow(refused("FormatError", /nested more than 64 deep/));
  });
  it.each([0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 128, 100_003])("digests of %d bytes are SHA-1", (size) => {
    const padded = Uint8Array.from({ length: size + 3 }, (_, i) => (i * i * 31 + i) & 255);
    const bytes = padded.subarray(3);
    expect(sha1(bytes)).toBe(createHash("sha1").update(bytes).digest("hex"));
  });
  it("stay there until they are asked for", () => {
    const own = file.slice();
    const { constants } = readOnnxGraph(constant(...vector), { externalData: { "w.bin": own } });
    own.set(new Uint8Array(Float32Array.of(7).buffer), 4);
    expect(constants.w.toArray()).toEqual([7, -3]);
  });
  it.each([
    ["a billion rows", [numberField(TENSOR.dims, 1e9)], {}],
    ["more rows than numbers have bits", [numberField(TENSOR.dims, 2 ** 52), numberField(TENSOR.dims, 2 ** 52)], {}],
    ["a negative extent", [numberField(TENSOR.dims, -2)], {}],
    ["a billion rows and as many bytes", [numberField(TENSOR.dims, 1e9)], { length: "4000000000" }],
    ["an offset beyond all numbers", [numberField(TENSOR.dims, 2)], { offset: "99999999999999999999" }],
  ])("with %s are refused before memory is taken", (_, dims, other) => {
    const bytes = constant(...external({ ...place, ...other }), ...dims);
    expect(() => readOnnxGraph(bytes, { externalData: { "w.bin": file } })).toThrow(refused("FormatError", /"w" has/));
  });
});

describe("damaged structure", () => {
  it.each([
    ["tensor", ATTRIBUTE_TYPE.tensor],
    ["graph", ATTRIBUTE_TYPE.graph],
  ])("an attribute without its %s", (_, type) => {
    const file = attribute(lengthField(ATTRIBUTE.name, "body"), numberField(ATTRIBUTE.type, type));
    expect(() => readOnnxGraph(file)).toThrow(refused("FormatError", /attribute "body" has no content/));
  });
  it("attributes without a name, nodes without an operator, two constants of one name", () => {
    const twice = lengthField(
      GRAPH.initializer,
      lengthField(TENSOR.name, "w"),
      numberField(TENSOR.type, 1),
      lengthField(TENSOR.floats, new Uint8Array(4)),
    );
    expect(() => readOnnxGraph(attribute(numberField(ATTRIBUTE.type, 1)))).toThrow(/an attribute has no name/);
    expect(() => readOnnxGraph(withGraph(lengthField(GRAPH.node)))).toThrow(/names no operator/);
    expect(() => readOnnxGraph(withGraph(twice, twice))).toThrow(/two constants "w"/);
  });
  it("a field of another kind than its own", () => {
    expect(() => readOnnxGraph(constant(numberField(TENSOR.name, 3)))).toThrow(/field 8 is of the wrong kind/);
  });
  it("graphs nested without end do not end the stack", () => {
    let graph = new Uint8Array(0);
    for (let k = 0; k < 3000; k++) {
      const content = [lengthField(ATTRIBUTE.graph, graph), numberField(ATTRIBUTE.type, ATTRIBUTE_TYPE.graph)];
      const body = lengthField(NODE.attribute, lengthField(ATTRIBUTE.name, "a"), ...content);
      graph = joined([lengthField(GRAPH.node, lengthField(NODE.operator, "If"), body)]) as typeof graph;
    }
    expect(() => readOnnxGraph(withGraph(graph))).toThrow(refused("FormatError", /nested more than 64 deep/));
  });
});

describe("damaged bytes give typed errors or a graph", () => {
  const rng = random.rng("onnx");
  const draw = (high: number) => rng.randint([], { high }).item();

  it("every truncation", () => {
    for (let length = 0; length < bytes.length; length++) outcome(bytes.slice(0, length));
    expect(outcome(bytes)).toBe("read");
  });
  it("flipped bits, replaced, dropped and inserted bytes", () => {
    let reads = 0;
    for (let run = 0; run < 2000; run++) {
      const damaged = [...bytes];
      for (let k = draw(3); k >= 0; k--) {
        const kind = draw(4);
        const at = draw(bytes.length);
        if (kind === 0) damaged[at] ^= 1 << draw(8);
        else if (kind === 1) damaged[at] = [0, 255, 127, 128, 57][draw(5)];
        else if (kind === 2) damaged.splice(at, 1 + draw(4));
        else damaged.splice(at, 0, draw(256));
      }
      if (outcome(Uint8Array.from(damaged)) === "read") reads++;
    }
    expect(reads).toBeGreaterThan(0);
  });
  it("anything but bytes is refused", () => {
    expect(() => readOnnxGraph("model.onnx" as never)).toThrow(refused("FormatError", /must be given as a Uint8Array/));
  });
});

describe("large files", () => {
  it("weights stay in the file until they are asked for, and are copied once", () => {
    const weights = new Float32Array(1 << 22).fill(1.5);
    const file = writeOnnxGraph({
      inputs: [],
      outputs: [{ name: "w", type: "float32", shape: [1 << 22] }],
      constants: [{ name: "w", type: "float32", shape: [1 << 22], data: weights }],
      nodes: [],
    });
    const before = process.memoryUsage().arrayBuffers;
    const graph = readOnnxGraph(file);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    const { w } = graph.constants;
    expect(graph.constants.w).toBe(w);
    expect(w.sum().item()).toBe(1.5 * (1 << 22));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((1 << 24) + (1 << 22));
  });
});
