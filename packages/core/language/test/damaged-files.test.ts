import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type AsyncReaderCase, fuzzAsyncReader } from "@offprint/fuzz";
import {
  ATTRIBUTE,
  type Field,
  fields,
  GRAPH,
  joined,
  lengthField,
  MODEL,
  messageOf,
  NODE,
  type Part,
  readTensorHeader,
} from "@offprint/onnx-format/messages";
import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  gpt2FromSafetensors,
  loadOptimumCausalLM,
  loadOptimumMaskedLM,
  loadTokenizer,
  type ModelFiles,
  openAtEmbeddings,
} from "../src/huggingface/index.js";

const at = (path: string) => fileURLToPath(new URL(`./fixtures/${path}`, import.meta.url));
const whole = (path: string) => new Uint8Array(readFileSync(at(path)));

/** A folder of a few of the fixture's files, one of them other bytes. */
function folder(name: string, files: readonly string[], other: string, bytes: Uint8Array): ModelFiles {
  const known = new Map(files.map((file) => [file, whole(`${name}/${file}`)]));
  return { name, read: (file) => (file === other ? bytes : known.get(file)) };
}

/** What runs a model has no part in what is read of it here. */
const loadModel = async () => ({
  inputs: [{ name: "input_ids", type: "int32" as const, shape: ["batch", "sequence"] }],
  outputs: [{ name: "logits", type: "float32" as const, shape: ["batch", "sequence", 100] }],
  run: async () => ({ logits: tensor([[[0]]]) }),
});

const gpt2Files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const olderFiles = ["vocab.json", "merges.txt"];
const exported = ["config.json", "model.onnx"];
const maskedFiles = [...exported, "tokenizer.json", "tokenizer_config.json"];

const readers: [string, string, readonly string[], string, (files: ModelFiles) => Promise<unknown>][] = [
  ["weights of a GPT-2", "gpt2", gpt2Files, "model.safetensors", (files) => gpt2FromSafetensors(files)],
  ["configuration of a GPT-2", "gpt2", gpt2Files, "config.json", (files) => gpt2FromSafetensors(files)],
  ["tokenizer.json", "gpt2", gpt2Files, "tokenizer.json", loadTokenizer],
  ["tokenizer_config.json", "gpt2", gpt2Files, "tokenizer_config.json", loadTokenizer],
  ["tokenizer.json of word pieces", "bert", maskedFiles, "tokenizer.json", loadTokenizer],
  ["vocab.json", "gpt2", olderFiles, "vocab.json", loadTokenizer],
  ["merges.txt", "gpt2", olderFiles, "merges.txt", loadTokenizer],
  ["exported model", "gpt2", exported, "model.onnx", (files) => loadOptimumCausalLM(files, { loadModel })],
  ["its configuration", "gpt2", exported, "config.json", (files) => loadOptimumCausalLM(files, { loadModel })],
  [
    "tokeniser of a masked model",
    "roberta",
    maskedFiles,
    "tokenizer.json",
    (f) => loadOptimumMaskedLM(f, { loadModel }),
  ],
];

const cases: AsyncReaderCase[] = readers.map(([name, place, files, other, read]) => ({
  name: `language ${name}`,
  read: (bytes) => read(folder(place, files, other, bytes)),
  file: whole(`${place}/${other}`),
}));

describe("damaged folders give typed errors and no huge allocation", () => {
  it.each(cases)("$name", async (reader) => {
    const { read, refused } = await fuzzAsyncReader(reader);
    expect(read + refused).toBeGreaterThan(0);
  });

  describe("a model whose graph", () => {
    const node = (operator: string, inputs: string[], outputs: string[], ...more: Part[]) =>
      lengthField(
        GRAPH.node,
        ...inputs.map((name) => lengthField(NODE.input, name)),
        ...outputs.map((name) => lengthField(NODE.output, name)),
        lengthField(NODE.operator, operator),
        ...more,
      );
    const table = whole("gpt2/model.onnx");
    const graph = [...fields(table)].find(({ number }) => number === MODEL.graph) as Field;
    const initializers = [...fields(table, messageOf(graph))]
      .filter(({ number }) => number === GRAPH.initializer)
      .map(({ begin, end }) => table.subarray(begin, end));
    const tables = [...fields(table, messageOf(graph))]
      .filter(({ number }) => number === GRAPH.initializer)
      .map((field) => readTensorHeader(table, messageOf(field)))
      .filter(({ shape }) => shape.length === 2);
    const opened = (...nodes: Part[]) => {
      return () => openAtEmbeddings(joined([lengthField(MODEL.graph, ...initializers, ...nodes)]));
    };
    const format = (message: RegExp) =>
      expect.objectContaining({ name: "FormatError", message: expect.stringMatching(message) });

    it("turns in a circle, or has a lookup without an output", () => {
      const [{ name }] = tables;
      const circle = [node("Cast", ["a"], ["b"]), node("Identity", ["b"], ["a"])];
      expect(opened(...circle, node("Gather", [name, "a"], ["c"]))).toThrow(format(/made of itself/));
      expect(opened(node("Gather", [name, "input_ids"], []))).toThrow(format(/Gather has no output/));
      expect(opened(node("Gather", [name, "input_ids"], ["c"]))()).toBeDefined();
    });

    it("holds graphs in graphs in graphs", () => {
      let inner: Part = node("Identity", ["a"], ["b"]);
      for (let depth = 0; depth < 70; depth++) {
        inner = node("If", ["a"], ["b"], lengthField(NODE.attribute, lengthField(ATTRIBUTE.graph, inner)));
      }
      expect(opened(inner)).toThrow(format(/nested more than 64 deep/));
    });
  });
});
