import { type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { breastCancer, digits, iris, karateClub, wine } from "../src/index.js";

const total = (x: Tensor) => Array.from(x.data()).reduce((sum, v) => sum + v, 0);
const counts = (x: Tensor) => {
  const out: number[] = [];
  for (const v of x.data()) out[v] = (out[v] ?? 0) + 1;
  return out;
};

describe("data sets", () => {
  it("digits are the 1797 images of the UCI test part", () => {
    const { inputs, targets, licence } = digits();
    expect([inputs.shape, inputs.dtype, targets.dtype]).toEqual([[1797, 64], "float32", "int32"]);
    expect(counts(targets)).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    expect(total(inputs)).toBe(561718);
    expect([...inputs.data().slice(0, 8)]).toEqual([0, 0, 5, 13, 9, 1, 0, 0]);
    expect(licence).toBe("CC BY 4.0");
    expect(digits({ dtype: "float64" }).inputs.dtype).toBe("float64");
  });

  it.each([
    ["iris", iris, [150, 4], [50, 50, 50], 2078.7],
    ["wine", wine, [178, 13], [59, 71, 48], 159975.295999],
    ["breast cancer", breastCancer, [569, 30], [212, 357], 1056474.4596356],
  ] as [string, typeof iris, number[], number[], number][])(
    "%s has its samples, classes and names",
    (_, set, shape, classes, sum) => {
      const data = set({ dtype: "float64" });
      expect(data.inputs.shape).toEqual(shape);
      expect(counts(data.targets)).toEqual(classes);
      expect(total(data.inputs)).toBeCloseTo(sum, 1);
      expect(data.inputNames).toHaveLength(shape[1]);
      expect(data.classNames).toHaveLength(classes.length);
      expect(data.source).toMatch(/doi/);
      expect(set().inputs.dtype).toBe("float32");
    },
  );

  it("take no other option or type", () => {
    for (const set of [digits, iris, wine, breastCancer]) {
      expect(() => set({ type: "float64" } as never)).toThrow(/there is no option "type"/);
      expect(() => set({ dtype: "int32" as never })).toThrow(/dtype is int32/);
    }
  });

  it("the karate club has 78 friendships; instructor and president have 16 and 17", () => {
    const { edges, targets, nodes } = karateClub();
    expect([nodes, edges.shape]).toEqual([34, [78, 2]]);
    const degree = counts(tensor([...edges.data()], { dtype: "int32" }));
    expect([degree[0], degree[33]]).toEqual([16, 17]);
    expect(total(targets)).toBe(17);
  });
});
