import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodeSource, writeOnnxGraph } from "@offprint/onnx-format";
import {
  DTypeError,
  type ElementType,
  type TensorLike,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { afterAll, describe, expect, it } from "vitest";
import { loadModel, onnxRuntime } from "../src/index.js";
import { besideWeights as data, saveBeside } from "./weights-beside.js";

const folder = mkdtempSync(join(tmpdir(), "offprint-foreign-"));
afterAll(() => rmSync(folder, { recursive: true }));

function modelOf(nodes: readonly NodeSource[], type: ElementType = "float32", names = ["x", "y"]): Uint8Array {
  const [input, output] = names.map((name) => ({ name, type, shape: ["n"] }));
  return writeOnnxGraph({ inputs: [input], outputs: [output], nodes }, { opset: 17, irVersion: 8 });
}

const identity = [{ operator: "Identity", inputs: ["x"], outputs: ["y"] }];

async function passed(type: ElementType, x: TensorLike): Promise<unknown[]> {
  const model = await loadModel(modelOf(identity, type));
  try {
    const { y } = await model.run({ x });
    return [y.dtype, y.toArray()];
  } finally {
    await model.release();
  }
}

describe("feeds", () => {
  it.each<[ElementType, TensorLike, unknown]>([
    ["float16", [1.5, -2, 65504], ["float32", [1.5, -2, 65504]]],
    ["float16", tensor([0.1], { dtype: "float64" }), ["float32", [0.0999755859375]]],
    ["uint8", [1, 255], ["int32", [1, 255]]],
    ["uint8", Uint8Array.of(3, 200), ["int32", [3, 200]]],
    ["uint8", Int32Array.of(0, 255), ["int32", [0, 255]]],
    ["int8", [-128, 127], ["int32", [-128, 127]]],
    ["int16", [-3], ["int32", [-3]]],
    ["uint16", [65535], ["int32", [65535]]],
    ["uint32", [7], ["int32", [7]]],
    ["int32", [-7], ["int32", [-7]]],
    ["int64", [1, -2], ["int32", [1, -2]]],
    ["int64", Int32Array.of(5), ["int32", [5]]],
    ["uint64", [9], ["int32", [9]]],
    ["bool", [1, 0], ["bool", [true, false]]],
    ["bool", [true], ["bool", [true]]],
    ["float64", [0.1], ["float64", [0.1]]],
  ])("to %s from %o", async (type, x, expected) => {
    expect(await passed(type, x)).toEqual(expected);
  });

  it("that the type does not hold are refused by name", async () => {
    await expect(passed("uint8", [1, 256])).rejects.toThrow(
      /input "x" has 256; the model takes uint8: whole numbers from 0 to 255/,
    );
    await expect(passed("int64", [1.5])).rejects.toThrow(ValueError);
    await expect(passed("int64", tensor([1, 2]))).rejects.toThrow(DTypeError);
    const model = await loadModel(modelOf(identity));
    await expect(model.run(null as never)).rejects.toThrow(/the feeds are null; give an object with x: float32\[n\]/);
    await model.release();
  });

  it("may have names that objects have of their own", async () => {
    const nodes = [{ operator: "Neg", inputs: ["__proto__"], outputs: ["constructor"] }];
    const model = await loadModel(modelOf(nodes, "float32", ["__proto__", "constructor"]));
    const results = await model.run({ ["__proto__"]: [1, 2] });
    expect(Object.values(results)[0].toArray()).toEqual([-1, -2]);
    await model.release();
  });
});

describe("operators that the engine lacks", () => {
  const chain = (operators: readonly string[]): NodeSource[] =>
    operators.map((name, k) => {
      const [operator, domain = ""] = name.split(".").reverse();
      return {
        operator,
        domain,
        inputs: [k === 0 ? "x" : `v${k}`],
        outputs: [k === operators.length - 1 ? "y" : `v${k + 1}`],
      };
    });
  const refusal = (bytes: Uint8Array | string) =>
    loadModel(bytes).then(
      () => undefined,
      (error: Error) => error,
    );

  it("are named all at once, whatever is wrong with each", async () => {
    const bytes = modelOf(chain(["Sin", "Foo", "example.Bar", "Tan", "Neg", "Foo", "Erf"]), "float64");
    const path = join(folder, "lacking.onnx");
    writeFileSync(path, bytes);
    for (const source of [bytes, path]) {
      const error = await refusal(source);
      expect(error).toBeInstanceOf(UnsupportedError);
      expect(error?.message).toMatch(
        /4 kinds of operators .* lacking here: (?=.*Foo)(?=.*example\.Bar)(?=.*Tan)(?=.*Erf)/,
      );
    }
  });
  it("are found in the branches of others", async () => {
    const branch = (operator: string) => ({
      graph: {
        inputs: [],
        outputs: [{ name: operator, type: "float32", shape: ["n"] } as const],
        nodes: [{ operator, inputs: ["x"], outputs: [operator] }],
      },
    });
    const choice = {
      operator: "If",
      inputs: ["c"],
      outputs: ["y"],
      attributes: { then_branch: branch("Foo"), else_branch: branch("Bar") },
    };
    const condition = { operator: "Cast", inputs: ["s"], outputs: ["c"], attributes: { to: 9 } };
    const total = { operator: "ReduceMax", inputs: ["x"], outputs: ["s"], attributes: { keepdims: 0 } };
    const error = await refusal(modelOf([total, condition, choice]));
    expect(error?.message).toMatch(/2 kinds of operators .*: (?=.*Foo)(?=.*Bar)/);
  });
  it("one alone is named with what the engine says", async () => {
    const error = await refusal(modelOf(chain(["Foo", "Neg"])));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error?.message).toMatch(/cpu lacks an operator .* No Op registered for Foo/);
  });
});

describe("weights in a file beside the model", () => {
  const digest = createHash("sha1").update(data).digest("hex");
  const place = { location: "w.bin", offset: "0", length: "24" };
  const saved = (name: string, entries: Readonly<Record<string, string>>, file?: Uint8Array) =>
    saveBeside(join(folder, name), entries, file);

  it.each([
    ["whole", place],
    ["without a length", { location: "./w.bin" }],
    ["with its checksum", { ...place, checksum: digest.toUpperCase() }],
  ])("are found %s", async (name, entries) => {
    const model = await loadModel(saved(name, entries, data));
    expect((await model.run({ x: [1, 1] })).y.toArray()).toEqual([3, 5, 7]);
    await model.release();
  });

  it.each<[string, Record<string, string>, Uint8Array | undefined, string, RegExp]>([
    [
      "truncated",
      place,
      data.subarray(0, 20),
      "FormatError",
      /bytes 0 to 24 of "w.bin", which has 20; that file is truncated/,
    ],
    [
      "truncated, no length",
      { location: "w.bin" },
      data.subarray(0, 20),
      "FormatError",
      /which has 20; that file is truncated/,
    ],
    ["empty", place, data.subarray(0, 0), "FormatError", /which has 0; that file is truncated/],
    ["too far", { ...place, offset: "8" }, data, "FormatError", /bytes 8 to 32 of "w.bin", which has 24/],
    ["below zero", { ...place, offset: "-4" }, data, "FormatError", /offset "-4"/],
    ["too long", { ...place, length: "48" }, data, "FormatError", /does not hold as many numbers as its shape needs/],
    ["other", { ...place, checksum: "0".repeat(40) }, data, "FormatError", /whose SHA-1 digest is .* and not 0{40}/],
    ["no digest", { ...place, checksum: "none" }, data, "FormatError", /is no SHA-1 digest/],
    ["out", { ...place, location: "../whole/w.bin" }, undefined, "FormatError", /only files in the model's own folder/],
    [
      "absent",
      place,
      undefined,
      "UnsupportedError",
      /file "w.bin", which is not there; put it beside the model, or save/,
    ],
  ])("are refused: %s", async (name, entries, file, error, message) => {
    const path = saved(name, entries, file);
    await expect(loadModel(path)).rejects.toThrow(
      expect.objectContaining({ name: error, message: expect.stringMatching(message) }),
    );
    await expect(loadModel(path)).rejects.toThrow(`loadModel ${path}: `);
  });

  it("that are a folder cannot be read", async () => {
    const path = saved("folder", place);
    mkdirSync(join(folder, "folder", "w.bin"));
    await expect(loadModel(path)).rejects.toThrow(
      /the file "w.bin" beside the model, which holds weights, cannot be read/,
    );
  });

  it("need the path of the model", async () => {
    const bytes = new Uint8Array(readFileSync(saved("bytes", place, data)));
    await expect(loadModel(bytes)).rejects.toThrow(
      expect.objectContaining({
        name: "UnsupportedError",
        message: expect.stringMatching(/"w.bin".*give the model's path/),
      }),
    );
  });
});

describe("options", () => {
  it("that are misspelt or wrong are refused", async () => {
    await expect(loadModel(modelOf(identity), { thread: 2 } as never)).rejects.toThrow(/did you mean "threads"/);
    await expect(loadModel(modelOf(identity), { threads: 0 })).rejects.toThrow(/threads is 0/);
    await expect(onnxRuntime({ devices: "cpu" } as never)).rejects.toThrow(/did you mean "device"/);
    await expect(onnxRuntime({ device: 3 } as never)).rejects.toThrow(/device is 3; give "cpu"/);
  });
});
