import { tensor } from "@offprint/tensor-core";
import { failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { decodeFrame, encodeFrame } from "../src/tree-frame.js";

describe("a frame", () => {
  it("gives back what went in, bit for bit, and arrays of their own", () => {
    const value = {
      numbers: [0.1, -0, NaN, Infinity],
      arrays: [new Float32Array([0.1]), new Uint8Array([1, 2, 3]), new BigInt64Array([5n]), new Float64Array(0)],
      x: tensor([[1, 2]], { dtype: "int32" }),
      $ref: { $tensor: "no tensor" },
      text: "ü",
      nothing: null,
    };
    const back = decodeFrame<typeof value>(encodeFrame(value));
    expect(back.numbers).toEqual(value.numbers);
    expect(Object.is(back.numbers[1], -0)).toBe(true);
    expect(back.arrays).toEqual(value.arrays);
    expect([back.x.dtype, back.x.shape, back.x.toArray()]).toEqual(["int32", [1, 2], [[1, 2]]]);
    expect([back.$ref, back.text, back.nothing]).toEqual([value.$ref, "ü", null]);
    const view = new Float64Array(10).subarray(2, 4);
    expect(decodeFrame<Float64Array>(encodeFrame(view)).buffer.byteLength).toBe(16);
  });

  it("is equal for equal values, whatever the order of their keys", () => {
    expect(encodeFrame({ a: 1, b: [2] })).toEqual(encodeFrame({ b: [2], a: 1 }));
  });

  it("can lie anywhere in a buffer", () => {
    const frame = encodeFrame({ w: new Float64Array([1, 2]) });
    const shifted = new Uint8Array(frame.length + 3);
    shifted.set(frame, 3);
    expect(decodeFrame(shifted.subarray(3))).toEqual({ w: new Float64Array([1, 2]) });
  });

  it("that is damaged at any place is an error or another value, never a crash", async () => {
    const frame = encodeFrame({ w: new Float64Array([1, 2]), n: [1, "x"] });
    for (let length = 0; length < frame.length; length++) {
      expect((await failureOf(() => decodeFrame(frame.subarray(0, length)))).name).toBe("FormatError");
    }
    for (let at = 0; at < frame.length; at++) {
      const damaged = frame.slice();
      damaged[at]! ^= 0x55;
      try {
        decodeFrame(damaged);
      } catch (error) {
        expect((error as Error).name).toMatch(/FormatError/);
      }
    }
  });

  it("cannot reach a prototype, nor name arrays that are not there, nor announce more than there is", async () => {
    const frameOf = (text: string) => {
      const header = new TextEncoder().encode(text);
      const frame = new Uint8Array((8 + header.length + 7) & ~7);
      new DataView(frame.buffer).setUint32(0, 0x3146504f, true);
      new DataView(frame.buffer).setUint32(4, header.length, true);
      frame.set(header, 8);
      return frame;
    };
    const value = decodeFrame<object>(frameOf('{"tree":{"a":1,"__proto__":{"polluted":true}},"lengths":[]}'));
    expect(Object.keys(value)).toEqual(["a"]);
    expect("polluted" in Object.assign({}, value)).toBe(false);
    for (const text of [
      '{"tree":{"$array":"Float64Array","data":"7"},"lengths":[]}',
      '{"tree":1,"lengths":[1e9]}',
      '{"tree":1,"lengths":[-8]}',
      '{"tree":1}',
      "null",
      "{",
    ]) {
      expect((await failureOf(() => decodeFrame(frameOf(text)))).name).toBe("FormatError");
    }
  });

  it("refuses what cannot travel, and says where it is", async () => {
    expect((await failureOf(() => encodeFrame({ a: [() => 1] }))).message).toContain('frame: "a.0" is a function');
    expect((await failureOf(() => encodeFrame(new Map(), "cluster"))).message).toContain("cluster: the tree is a Map");
  });
});
