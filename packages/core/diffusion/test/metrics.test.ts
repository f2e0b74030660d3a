import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { expect, it } from "vitest";
import {
  frechetDistance,
  peakSignalToNoise,
  rootMeanSquareError,
  sampleErrors,
  slicedWasserstein,
  structuralSimilarity,
} from "../src/index.js";
import { normal } from "./problems.js";

it("differences of images", () => {
  const [a, b] = [
    [
      [0, 1],
      [2, 3],
    ],
    [
      [0, 1],
      [2, 5],
    ],
  ];
  expectClose(rootMeanSquareError(a, b), 1, 1e-15);
  expectClose(sampleErrors(a, b), [0, Math.SQRT2], 1e-15);
  expectClose(peakSignalToNoise(a, b, 10), 20, 1e-12);
});

it("structural similarity: 1 for itself, and the formula for two constants", () => {
  const x = normal(1, [2, 1, 9, 9]);
  expectClose(structuralSimilarity(x, x), 1, 1e-12);
  const [a, b] = [x.mul(0).add(0.2), x.mul(0).add(0.6)];
  expectClose(structuralSimilarity(a, b), (2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4), 1e-9);
  expect(structuralSimilarity(x, x.add(normal(2, [2, 1, 9, 9]).mul(0.5)))).toBeLessThan(0.95);
});

it("distances of distributions: a shift is measured exactly", async () => {
  const x = normal(3, [500, 2]);
  expectClose(frechetDistance(x, x), 0, 1e-10);
  expectClose(frechetDistance(x, x.add([3, 4])), 25, 1e-8);
  expectClose(
    frechetDistance(x, x.mul(2).sub(x.mean(0))),
    frechetDistance(x.sub(x.mean(0)), x.mul(2).sub(x.mean(0).mul(2))),
    1e-8,
  );
  expectClose(slicedWasserstein(x, x), 0, 1e-12);
  const distance = slicedWasserstein(x, x.add([3, 0]), { directions: 2000 });
  expectClose(distance, 3 * Math.SQRT1_2, 0.05);
  expect(await failureOf(() => rootMeanSquareError([1], [1, 2]))).toEqual(errorLike("ShapeError", /differ/));
});
