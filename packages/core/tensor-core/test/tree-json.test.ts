import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError, isTensor, type Tensor, tensor, tree, ValueError } from "../src/index.js";

const kept = <T>(value: T): T => tree.fromJson<T>(tree.toJson(value));

describe("tree.toJson and tree.fromJson", () => {
  it("keep every bit of tensors of every dtype, and what is beside them", () => {
    const state = {
      a: tensor(new Float64Array([0.1, -0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324])),
      b: [tensor(new Float32Array([1 / 3]), { shape: [1, 1] }), tensor(new Int32Array([-7])), tensor([true, false])],
      empty: tensor([], { shape: [0, 3] }),
      note: "kept",
      step: 12,
      nothing: null,
    };
    const back = kept(state);
    expect(Object.is(back.a.data()[1], -0)).toBe(true);
    expect(back.a.data()).toEqual(state.a.data());
    expect(back.b[0].shape).toEqual([1, 1]);
    expect(back.empty.shape).toEqual([0, 3]);
    expect(back.b.map((x) => x.dtype)).toEqual(["float32", "int32", "bool"]);
    expect([back.note, back.step, back.nothing]).toEqual(["kept", 12, null]);
  });

  it("keep typed arrays of every kind, also a view into a larger buffer and Node's Buffer", () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, i) => (i * 37) % 251);
    for (const kind of [
      Float32Array,
      Float64Array,
      Int8Array,
      Int16Array,
      Int32Array,
      Uint8Array,
      Uint8ClampedArray,
      Uint16Array,
      Uint32Array,
      BigInt64Array,
      BigUint64Array,
    ]) {
      const values = new kind(bytes.buffer, 8, 3);
      const back = kept({ values }).values;
      expect(back).toBeInstanceOf(kind);
      expect(back).toEqual(values);
    }
    expect(kept(Buffer.from([1, 2]))).toEqual(new Uint8Array([1, 2]));
  });

  it("keep numbers that JSON has no words for", () => {
    const numbers = [-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 2 ** 64 + 4096];
    const back = kept(numbers);
    numbers.forEach((x, i) => {
      expect(Object.is(back[i], x)).toBe(true);
    });
    expect(kept(12345678901234567890n)).toBe(12345678901234567890n);
    expect(kept(undefined)).toBeUndefined();
    expect(kept([undefined, 1])).toEqual([undefined, 1]);
  });

  it("leave out keys without a value, and write equal trees alike", () => {
    expect(tree.toJson({ b: 1, a: undefined, c: [2] })).toBe('{"b":1,"c":[2]}');
    expect(tree.toJson({ b: 1, a: 2 })).toBe(tree.toJson({ a: 2, b: 1 }));
  });

  it("keep keys that look like marks, and a key named __proto__, without touching prototypes", () => {
    const odd = JSON.parse('{"$tensor":"float32","$$number":1,"__proto__":{"polluted":1},"constructor":2}');
    const back = kept(odd);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Object.keys(back).sort()).toEqual(["$$number", "$tensor", "__proto__", "constructor"]);
    expect(Object.entries(back).sort()).toEqual(Object.entries(odd).sort());
    expect((back as { polluted?: number }).polluted).toBeUndefined();
  });

  it("give back any tree of plain values", () => {
    fc.assert(
      fc.property(fc.object({ withNullPrototype: false, withBigInt: true, withTypedArray: true }), (value) => {
        const back = kept({ value });
        expect(tree.toJson(back)).toBe(tree.toJson({ value }));
      }),
      { seed: 1 },
    );
  });

  it("refuse what is not data, by its place", () => {
    const refused = (value: unknown) => {
      expect(() => tree.toJson(value)).toThrow(ValueError);
      return expect(() => tree.toJson(value));
    };
    refused({ optimizer: [{ rate: () => 1 }] }).toThrow('"optimizer.0.rate" is a function');
    refused(() => 1).toThrow("the tree is a function");
    refused({ s: Symbol("s") }).toThrow('"s" is a symbol');
    refused({ when: new Date(0) }).toThrow('"when" is a Date');
    refused({ m: new Map() }).toThrow('"m" is a Map');
    const loop: { self?: unknown } = {};
    loop.self = loop;
    refused(loop).toThrow('"self" is a reference to what holds it');
  });

  it("share is no cycle", () => {
    const shared = { a: 1 };
    expect(kept([shared, shared])).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it("refuse damaged texts with a FormatError", () => {
    const text = tree.toJson({ x: tensor([1, 2, 3]), y: new Int16Array([1]), z: -0, b: tensor([true]), n: 1n });
    const damage: [string | RegExp, string][] = [
      ['"shape":[3]', '"shape":[4]'],
      ['"shape":[3]', '"shape":[-3]'],
      ['"shape":[3]', '"shape":{}'],
      ['"float32"', '"float16"'],
      ['"float32"', '"__proto__"'],
      ['"float32"', "{}"],
      ['"data":"', '"data":"*'],
      ['"data":"', '"date":"'],
      ["Int16Array", "Int32Array"],
      ["Int16Array", "Map"],
      ["-0", "1; 2"],
      ["AQ==", "Ag=="],
      ["$bigint", "$surprise"],
      ['"$bigint":"1"', '"$bigint":"x"'],
    ];
    for (const [from, to] of damage) {
      expect(text.replace(from, to)).not.toBe(text);
      expect(() => tree.fromJson(text.replace(from, to)), `${from} -> ${to}`).toThrow(FormatError);
    }
    for (let length = 0; length < text.length; length++) {
      expect(() => tree.fromJson(text.slice(0, length))).toThrow(FormatError);
    }
    expect(() => tree.fromJson(undefined as never)).toThrow(FormatError);
    const deep = "[".repeat(1e5) + "]".repeat(1e5);
    expect(() => tree.fromJson(deep)).toThrow(FormatError);
  });
});

it("tree.map and tree.unflatten keep a key named __proto__ and set no prototype", () => {
  const value = JSON.parse('{"__proto__":{"a":1},"b":2}');
  const doubled = tree.map((x: number) => 2 * x, value);
  expect(Object.getPrototypeOf(doubled)).toBe(Object.prototype);
  expect(Object.getOwnPropertyDescriptor(doubled, "__proto__")?.value).toEqual({ a: 2 });
  const { leaves, structure } = tree.flatten(value);
  const back = tree.unflatten<object>(structure, leaves);
  expect(Object.keys(back).sort()).toEqual(["__proto__", "b"]);
  expect(tree.leaves<Tensor | number>(back).some(isTensor)).toBe(false);
});
