import { tensor } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import { applyUpdates, chain, keepNonNegative, masked, sgd } from "../src/index.js";

const params = { w: tensor([0.5, 1]), b: tensor([0.5]) };
const gradients = { w: tensor([0.7, 0.25]), b: tensor([2]) };

it("keepNonNegative ends at exactly 0 what would pass it, and leaves the rest", () => {
  const optimizer = chain(sgd({ learningRate: 1 }), masked(keepNonNegative(), { w: true, b: false }));
  const { updates } = optimizer.update(gradients, optimizer.init(params), params);
  const { w, b } = applyUpdates(params, updates);
  expect(w.toArray()).toEqual([0, 0.75]);
  expect(b.toArray()).toEqual([-1.5]);
});
