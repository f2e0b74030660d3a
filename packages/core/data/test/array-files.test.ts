import { type Tensor, tensor } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  readIdx,
  readNpy,
  readNpz,
  readSafetensors,
  writeIdx,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from "../src/index.js";
import { files, named } from "./fixture-files.js";

const anyTensor = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    fc.constantFrom("float32", "float64", "int32", "bool"),
    fc.integer(),
  )
  .map(([shape, dtype, seed]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: size }, (_, i) => ((seed + i * 7919) % 1000) / 8);
    return tensor(dtype === "bool" ? values.map((v) => v > 0) : dtype === "int32" ? values.map(Math.trunc) : values, {
      dtype: dtype as "float32",
      shape,
    });
  });

function expectEqual(a: Tensor, b: Tensor): void {
  expect(a.dtype).toBe(b.dtype);
  expect(a.shape).toEqual(b.shape);
  expect(a.data()).toEqual(b.data());
}

const error = (name: string, message: RegExp) =>
  expect.objectContaining({ name, message: expect.stringMatching(message) });

describe("npy", () => {
  it.each(named("npy/"))("reads what NumPy wrote: %s", (name) => {
    const { bytes, shape, values } = files[name];
    const x = readNpy(bytes);
    expect(x.shape).toEqual(shape);
    expect([...x.data()]).toEqual(values);
  });

  it("gives each kind its dtype", () => {
    const dtype = (kind: string) => readNpy(files[`npy/<${kind}`].bytes).dtype;
    expect(["b1", "i1", "u2", "i4", "u4", "i8"].map(dtype)).toEqual(["bool", ...new Array(5).fill("int32")]);
    expect(["f2", "f4", "f8"].map(dtype)).toEqual(["float32", "float32", "float64"]);
    expect(readNpy(files["npy/wide-integers"].bytes).dtype).toBe("float64");
  });

  it.each([
    ["complex", /real and imaginary part/],
    ["text", /convert it to numbers/],
    ["records", /each field/],
    ["huge", /beyond 2\^53/],
  ])("says that %s are not supported, and what to do", (name, message) => {
    expect(() => readNpy(files[`bad-npy/${name}`].bytes)).toThrow(error("UnsupportedError", message));
  });

  it("reads back what it wrote", () => {
    fc.assert(fc.property(anyTensor, (x) => expectEqual(readNpy(writeNpy(x)), x)));
  });

  it("aligns the data to 64 bytes and writes half precision", () => {
    const x = tensor([1, 0.5, 65504]);
    const bytes = writeNpy(x, { floatType: "float16" });
    expect((bytes.length - 6) % 64).toBe(0);
    expectEqual(readNpy(bytes), x);
  });

  const lying = (shape: string) => {
    const text = Buffer.from(writeNpy(tensor([1, 2]))).toString("latin1");
    const damaged = text.replace(/\(2,\), \} *\n/, (end) => `${`${shape}, }`.padEnd(end.length - 1)}\n`);
    return Uint8Array.from(Buffer.from(damaged, "latin1"));
  };

  it.each([
    ["an empty file", new Uint8Array(0), /ends within the signature/],
    ["another file", new TextEncoder().encode("PK\u0003\u0004 something"), /not an .npy file/],
    ["a shape larger than the file", lying("(1<<9,)"), /not a Python dictionary/],
    ["a shape of 10^15", lying("(10**15)"), /not a Python dictionary/],
    ["a huge shape", lying("(99999,)"), /399996 bytes needed, 8 left/],
    ["a shape smaller than the data", lying("(1,)"), /4 bytes follow the data/],
    ["a negative shape", lying("(-1,)"), /a value is missing/],
    ["a truncated file", writeNpy(tensor([1, 2])).slice(0, -1), /truncated/],
  ])("%s is a FormatError with an offset", (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(error("FormatError", message));
    try {
      readNpy(bytes);
    } catch (e) {
      expect((e as { offset: number }).offset).toBeGreaterThanOrEqual(0);
    }
  });
});

describe("npz", () => {
  it.each(["stored", "deflated"])("reads what NumPy wrote: %s", (name) => {
    const { weights, step } = readNpz(files[`npz/${name}`].bytes, ["weights", "step"]);
    expect(weights.toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(step.item()).toBe(7);
  });

  it("says which array is missing or not supported", () => {
    const { bytes } = files["npz/stored"];
    expect(() => readNpz(bytes, ["bias"])).toThrow(
      error("FormatError", /no array bias; the archive holds weights, step, name/),
    );
    expect(() => readNpz(bytes)).toThrow(error("UnsupportedError", /array name/));
  });

  it("reads back what it wrote, and equal tensors give equal bytes", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), anyTensor, { maxKeys: 4 }),
        fc.boolean(),
        (tensors, compress) => {
          const bytes = writeNpz(tensors, { compress });
          expect(writeNpz(tensors, { compress })).toEqual(bytes);
          const back = readNpz(bytes);
          const expected = Object.entries(tensors).filter(([name]) => !name.endsWith(".npy"));
          for (const [name, x] of expected) expectEqual(back[name], x);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("finds any damage to the data by its checksum", () => {
    const bytes = writeNpz({ x: tensor(new Float64Array(100).fill(0.1)) }, { compress: false });
    for (let at = 50; at < 800; at += 97) {
      const damaged = bytes.slice();
      damaged[at] ^= 1;
      expect(() => readNpz(damaged)).toThrow(error("FormatError", /npz/));
    }
  });

  it("does not believe a size that the data does not have", () => {
    const bytes = writeNpz({ x: tensor([1, 2, 3]) });
    const view = new DataView(bytes.buffer);
    const central = bytes.length - 22 - 46 - "x.npy".length;
    view.setUint32(central + 24, 0xfffffff0, true);
    expect(() => readNpz(bytes)).toThrow(error("FormatError", /cannot hold the 4294967280 bytes that the header says/));
  });
});

describe("safetensors", () => {
  it("reads every element type", () => {
    const { tensors, metadata } = readSafetensors(files.safetensors.bytes);
    expect(metadata).toEqual({ format: "pt" });
    expect(tensors.bf16.toArray()).toEqual([1.5, -2, 3.140625]);
    expect(tensors.f16.toArray()).toEqual([0.5, -1024]);
    expect(tensors.f32.toArray()).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(tensors.f64.item()).toBe(0.1);
    expect(tensors.i64.toArray()).toEqual([[5, -6]]);
    expect(tensors.u8.toArray()).toEqual([0, 128, 255]);
    expect(tensors.bool.toArray()).toEqual([true, false]);
    expect(tensors.empty.shape).toEqual([0, 4]);
    expect(["bf16", "f16", "f32", "f64", "i64", "u8", "bool"].map((name) => tensors[name].dtype)).toEqual([
      "float32",
      "float32",
      "float32",
      "float64",
      "int32",
      "int32",
      "bool",
    ]);
  });

  it("reads back what it wrote, names that JavaScript finds special included", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 12 }), anyTensor, { maxKeys: 5 }), (tensors) => {
        const back = readSafetensors(writeSafetensors(tensors, { metadata: { a: "1" } }));
        expect(back.metadata).toEqual({ a: "1" });
        expect(Object.keys(back.tensors).sort()).toEqual(Object.keys(tensors).sort());
        for (const [name, x] of Object.entries(tensors)) expectEqual(back.tensors[name], x);
      }),
      { numRuns: 50 },
    );
    const odd = JSON.parse('{"__proto__": 1}');
    odd["constructor"] = tensor([2]);
    Object.defineProperty(odd, "__proto__", { value: tensor([1]), enumerable: true });
    expect(Object.keys(readSafetensors(writeSafetensors(odd)).tensors).sort()).toEqual(["__proto__", "constructor"]);
  });

  it("aligns the header to 8 bytes and writes bfloat16", () => {
    const bytes = writeSafetensors({ w: tensor([1, 3.140625]) }, { floatType: "bfloat16" });
    expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0);
    expect(readSafetensors(bytes).tensors.w.toArray()).toEqual([1, 3.140625]);
  });

  const withHeader = (header: unknown, data = new Uint8Array(8)) => {
    const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
    const bytes = new Uint8Array(8 + json.length + data.length);
    new DataView(bytes.buffer).setUint32(0, json.length, true);
    bytes.set(json, 8);
    bytes.set(data, 8 + json.length);
    return bytes;
  };
  const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

  it.each([
    ["a header that is not JSON", withHeader("{"), /not JSON/],
    ["a header that is a list", withHeader([]), /not a JSON object/],
    ["an entry without a shape", withHeader({ a: { dtype: "F32" } }), /lacks dtype, shape/],
    ["an entry that is null", withHeader({ a: null }), /lacks dtype, shape/],
    ["a shape that the bytes do not fill", withHeader({ a: f32([3], 0, 8) }), /needs 12/],
    ["a shape of 10^30 numbers", withHeader({ a: f32([1e15, 1e15], 0, 8) }), /needs 4e\+30/],
    ["overlapping tensors", withHeader({ a: f32([2], 0, 8), b: f32([1], 4, 8) }), /b begins at 4/],
    ["a gap", withHeader({ a: f32([1], 4, 8) }), /begins at 4 of the data, not at 0/],
    ["data that is cut off", withHeader({ a: f32([4], 0, 16) }), /truncated/],
    ["data that nothing names", withHeader({ a: f32([1], 0, 4) }), /4 bytes follow/],
    ["a header length beyond the file", new Uint8Array([255, 255, 0, 0, 0, 0, 0, 0, 123]), /truncated/],
    ["a header length of 2^63", new Uint8Array([0, 0, 0, 0, 0, 0, 0, 128, 123]), /more than any file/],
    ["metadata that is not text", withHeader({ __metadata__: { a: 1 } }, new Uint8Array(0)), /__metadata__/],
  ])("%s is a FormatError", (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(error("FormatError", message));
  });

  it("a type that tensors cannot hold is an UnsupportedError", () => {
    const header = { a: { dtype: "F8_E4M3", shape: [8], data_offsets: [0, 8] } };
    expect(() => readSafetensors(withHeader(header))).toThrow(error("UnsupportedError", /F8_E4M3; convert it to F32/));
  });
});

describe("IDX", () => {
  it.each(named("idx/"))("reads %s", (name) => {
    const { bytes, shape, values } = files[name];
    const x = readIdx(bytes);
    expect(x.shape).toEqual(shape);
    expect([...x.data()]).toEqual(values);
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(anyTensor, (x) => {
        const back = readIdx(writeIdx(x));
        expect(back.shape).toEqual(x.shape);
        expect([...back.data()]).toEqual([...x.data()]);
      }),
    );
  });

  it.each([
    ["another file", new Uint8Array([1, 2, 3, 4]), /magic number/],
    ["a file that ends in the dimensions", new Uint8Array([0, 0, 8, 2, 0, 0, 0, 1]), /truncated/],
    ["dimensions that overflow", new Uint8Array([0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255, 0]), /truncated/],
    ["more data than dimensions", new Uint8Array([0, 0, 8, 1, 0, 0, 0, 1, 5, 6]), /1 bytes follow/],
    ["damaged gzip", files["idx/gzip"].bytes.slice(0, 30), /gzip/],
  ])("%s is a FormatError", (_, bytes, message) => {
    expect(() => readIdx(bytes)).toThrow(error("FormatError", message));
  });
});
