import { fuzzReader } from "@offprint/fuzz";
import { readOnnxGraph } from "@offprint/onnx-format";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { evaluate, fromOnnx } from "../src/index.js";

interface Case {
  readonly model: string;
  readonly data: string;
  readonly inputs: number[][];
  readonly outputs: number[][];
}

const fixture: Case = readFixture(import.meta.url, "external-data.json");
const model = Uint8Array.from(Buffer.from(fixture.model, "base64"));
const data = Uint8Array.from(Buffer.from(fixture.data, "base64"));
const name = "model.onnx.data";

/** The model with another text of the same length in place of the first one. */
function withText(from: string, to: string) {
  const text = Buffer.from(model).toString("latin1");
  expect([text.includes(from), to.length]).toEqual([true, from.length]);
  return Uint8Array.from(Buffer.from(text.replace(from, to), "latin1"));
}

const read = (bytes: Uint8Array, file: Uint8Array = data) => fromOnnx(bytes, { externalData: { [name]: file } });
const refused = (error: string, message: RegExp) =>
  expect.objectContaining({ name: error, message: expect.stringMatching(message) });

describe("a network whose weights are in a file beside it", () => {
  it("gives PyTorch's outputs", () => {
    const network = read(model);
    for (const [k, x] of fixture.inputs.entries()) {
      const outputs = evaluate(network, x).data();
      for (const [i, expected] of fixture.outputs[k].entries()) expect(outputs[i]).toBeCloseTo(expected, 6);
    }
  });

  it("asks a function for that file once", () => {
    const asked: string[] = [];
    const externalData = (file: string) => {
      asked.push(file);
      return data;
    };
    expect(fromOnnx(model, { externalData })).toEqual(read(model));
    expect(asked).toEqual([name]);
  });

  it.each([
    [{}],
    [{ externalData: {} }],
    [{ externalData: { "other.data": data } }],
    [{ externalData: () => undefined }],
  ])("is refused without it, by the file's name and with what to do", (options) => {
    const message =
      /constant "0\.weight" is in the file "model\.onnx\.data", which is not there; put it beside the model/;
    expect(() => fromOnnx(model, options)).toThrow(refused("UnsupportedError", message));
  });

  it("is not taken for what all objects have", () => {
    const bytes = withText(name, "toLocaleString/");
    expect(() => read(bytes)).toThrow(refused("UnsupportedError", /the file "toLocaleString", which is not there/));
  });

  it("is found by a name with steps that lead nowhere", () => {
    const named = { [name]: data, "onnx.data": data };
    expect(fromOnnx(withText(name, "./././onnx.data"), { externalData: named })).toEqual(read(model));
  });

  it.each([
    "/odel.onnx.data",
    "\\odel.onnx.data",
    "C:/el.onnx.data",
    "../el.onnx.data",
    "m/../../nx.data",
    "m\\..\\..\\nx.data",
  ])("is not looked for in %s, out of the model's folder", (place) => {
    const bytes = withText(name, place);
    const externalData = () => data;
    const message = /constant "0\.weight" is in the file .*; only files in the model's own folder are read/;
    expect(() => fromOnnx(bytes, { externalData })).toThrow(refused("FormatError", message));
  });

  it.each([
    [
      "an offset behind the end",
      "offset\x12\x03168",
      "offset\x12\x03169",
      /"2\.bias" has the bytes 169 to 177 of "model\.onnx\.data", which has 176/,
    ],
    ["a large offset", "offset\x12\x03168", "offset\x12\x03999", /"2\.bias" has the bytes 999 to 1007/],
    [
      "a negative offset",
      "offset\x12\x03168",
      "offset\x12\x03-16",
      /"2\.bias" has the offset "-16" .* no whole number/,
    ],
    ["an offset that is no number", "offset\x12\x03168", "offset\x12\x031e2", /"2\.bias" has the offset "1e2"/],
    [
      "a shorter length than the shape needs",
      "length\x12\x0248",
      "length\x12\x0244",
      /"2\.weight" has 44 bytes in .* its shape needs \(48 bytes\)/,
    ],
    [
      "a longer length",
      "length\x12\x0248",
      "length\x12\x0256",
      /"2\.weight" has 56 bytes in .* its shape needs \(48 bytes\)/,
    ],
    ["a length that is no number", "length\x12\x0248", "length\x12\x02 8", /"2\.weight" has the length " 8"/],
    ["no name of a file", "location", "lacation", /"0\.weight" is in another file, which is not named/],
  ])("refuses %s", (_, from, to, message) => {
    expect(() => read(withText(from, to))).toThrow(refused("FormatError", message));
  });

  it("takes the bytes that a shape needs where no length is said, from the beginning where no offset is", () => {
    expect(read(withText("length\x12\x0248", "lengxh\x12\x0248"))).toEqual(read(model));
    expect(read(withText("offset\x12\x010", "offxet\x12\x010"))).toEqual(read(model));
    expect(() => read(withText("length\x12\x018", "lengxh\x12\x018"), data.subarray(0, 175))).toThrow(
      refused("FormatError", /"2\.bias" has the bytes 168 to 176/),
    );
  });

  it("refuses every truncation of that file, and reads one that is longer", () => {
    for (let length = 0; length < data.length; length++) {
      expect(() => read(model, data.slice(0, length))).toThrow(
        refused("FormatError", /which has \d+; that file is truncated or of another model/),
      );
    }
    expect(read(model, Uint8Array.of(...data, 1, 2, 3))).toEqual(read(model));
  });

  it("damaged, is read or refused by typed errors", () => {
    fuzzReader({ name: "network with external data", read: (bytes) => read(bytes), file: model });
    fuzzReader({ name: "external data of a network", read: (bytes) => read(model, bytes), file: data });
  });

  it("refuses options that would do nothing, or are none", () => {
    const graph = readOnnxGraph(model, { externalData: { [name]: data } });
    expect(fromOnnx(graph)).toEqual(read(model));
    expect(() => fromOnnx(graph, { externalData: {} })).toThrow(refused("ValueError", /give it to readOnnxGraph/));
    expect(() => fromOnnx(model, { external: {} } as never)).toThrow(
      /no option "external"; did you mean "externalData"/,
    );
    expect(() => fromOnnx(model, { externalData: data as never })).toThrow(
      refused("ValueError", /externalData .* by their names/),
    );
    expect(() => read(model, "bytes" as never)).toThrow(
      refused("ValueError", /externalData has no bytes for "model\.onnx\.data"; give a Uint8Array/),
    );
  });
});
