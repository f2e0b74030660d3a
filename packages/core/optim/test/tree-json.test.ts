import { tensor } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import { treeFromJson, treeToJson } from "../src/index.js";

it("keeps every bit of every dtype, and what is beside the tensors", () => {
  const state = {
    a: tensor(new Float64Array([0.1, -0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324])),
    b: [tensor(new Float32Array([1 / 3]), { shape: [1, 1] }), tensor(new Int32Array([-7])), tensor([true, false])],
    note: "kept",
    step: 12,
    nothing: null,
  };
  const back = treeFromJson(treeToJson(state));
  expect(Object.is(back.a.data()[1], -0)).toBe(true);
  expect(back.a.data()).toEqual(state.a.data());
  expect(back.b[0].shape).toEqual([1, 1]);
  expect(back.b.map((x: any) => x.dtype)).toEqual(["float32", "int32", "bool"]);
  expect([back.note, back.step, back.nothing]).toEqual(["kept", 12, null]);
});

it("rejects what it cannot keep and what is damaged", () => {
  expect(() => treeToJson({ x: Number.NaN })).toThrow(/make it a tensor/);
  const text = treeToJson(tensor([1, 2, 3]));
  expect(() => treeFromJson(text.slice(0, -3))).toThrow(/damaged/);
  expect(() => treeFromJson(text.replace('"shape":[3]', '"shape":[4]'))).toThrow(/do not fill/);
  expect(() => treeFromJson(text.replace("float32", "float16"))).toThrow(/do not fill/);
  expect(() => treeFromJson(text.replace('"data":"', '"data":"*'))).toThrow(/damaged/);
});
