import { mul, random, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { expect, it } from "vitest";
import {
  firstDifference,
  firstDifferenceToTheEnds,
  partition,
  periodicDifference,
  periodicSecondDifference,
  secondDifference,
  unpartition,
} from "../src/index.js";

it("cutting a grid and joining it again is the identity, for one, two and three axes", () => {
  for (const [grid, experts] of [
    [[6], [3]],
    [
      [4, 6],
      [2, 3],
    ],
    [
      [4, 6, 2],
      [2, 3, 2],
    ],
  ]) {
    const x = random.rng(1).normal([2, ...grid, 3], { dtype: "float64" });
    const blocks = partition(x, experts);
    expect(blocks.shape).toEqual([2, experts.reduce((a, b) => a * b), ...grid.map((n, i) => n / experts[i]), 3]);
    expect(unpartition(blocks, experts).toArray()).toEqual(x.toArray());
  }
});

it("the first axis varies fastest in the number of an expert", () => {
  const x = tensor(Float64Array.from({ length: 16 }, (_, i) => i)).reshape([1, 4, 4, 1]);
  const firsts = (partition(x, [2, 2]).toArray() as number[][][][][]).flat().map((block) => block[0][0][0]);
  expect(firsts).toEqual([0, 8, 2, 10]);
});

it("refuses experts that do not divide the grid", () => {
  const x = random.rng(1).normal([1, 4, 6, 2]);
  expect(() => partition(x, [1, 4])).toThrow(/4 experts do not divide the 6 points of axis 1/);
  expect(() => partition(x, [2])).toThrow(/give one number for each axis/);
  expect(() => unpartition(partition(x, [2, 2]), [4, 1])).not.toThrow();
  expect(() => unpartition(partition(x, [2, 2]), [2, 1])).toThrow(/x has 4 blocks; experts \[2,1\] are 2/);
});

it("differences are exact on lines, on parabolas inside, and as said at the ends", () => {
  const h = 0.3;
  const t = tensor(Float64Array.from({ length: 7 }, (_, i) => i * h)).reshape([1, 7, 1]);
  const line = t.mul(2).add(1);
  for (const d of [firstDifference, firstDifferenceToTheEnds])
    expectClose(d(line, 1, h), new Float64Array(7).fill(2), 1e-12);
  const parabola = mul(t, t);
  const slope = (d: (x: Tensor, axis: number, h: number) => Tensor) => sub(d(parabola, 1, h), t.mul(2)).data();
  expectClose(slope(firstDifferenceToTheEnds), new Float64Array(7), 1e-12);
  expectClose(slope(firstDifference), [h, 0, 0, 0, 0, 0, -h], 1e-12);
  expectClose(secondDifference(parabola, 1, h).slice([null, { start: 2, stop: 5 }]), [2, 2, 2], 1e-12);
  const n = 64;
  const wave = tensor(Float64Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * i) / n))).reshape([1, n]);
  const step = (2 * Math.PI) / n;
  expectClose(periodicSecondDifference(wave, 1, step), wave.mul(-1), 1e-2);
  expect(periodicDifference(wave, 1, step).data()[0]).toBeCloseTo(1, 2);
  expect(() => firstDifference(tensor([[1]]), 1, 1)).toThrow(/there must be 2 at least/);
});
