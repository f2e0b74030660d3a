import { jitSync, random, sqrt, square, sum, tensor, zeros } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { euclideanNorm } from "../src/index.js";

describe("euclideanNorm", () => {
  const x = random.rng(1).normal([3, 4], { dtype: "float64" });

  it("is the root of the sum of squares, bit for bit where these are ordinary", () => {
    expect(euclideanNorm(x).item()).toBe(sqrt(sum(square(x))).item());
    expect(euclideanNorm(x, 1).data()).toEqual(sqrt(sum(square(x), 1)).data());
    expect(euclideanNorm(x, 1).shape).toEqual([3]);
    expect(euclideanNorm(x).shape).toEqual([]);
    expect(euclideanNorm(zeros([3], "float64")).item()).toBe(0);
    expect(euclideanNorm(zeros([0], "float64")).item()).toBe(0);
  });

  it("scales with its argument, whatever the size of this, compiled too", () => {
    const compiled = jitSync(euclideanNorm);
    for (const unit of [1e-310, 1e-200, 1e-150, 1e150, 1e200, 1e307]) {
      const vector = tensor([3 * unit, -4 * unit], { dtype: "float64" });
      for (const norm of [euclideanNorm, compiled]) expectClose(norm(vector).item() / unit, 5, 1e-12);
    }
    for (const unit of [1e-30, 1e30]) {
      const vector = tensor([3 * unit, 4 * unit], { dtype: "float32" });
      expectClose(euclideanNorm(vector).item() / unit, 5, 1e-5);
    }
    expectClose(
      euclideanNorm(
        tensor(
          [
            [3e200, 4e200],
            [0, 0],
            [3, 4],
          ],
          { dtype: "float64" },
        ),
        1,
      ),
      [5e200, 0, 5],
      1e-12,
    );
  });

  it("is not finite where an element is not", () => {
    expect(euclideanNorm(tensor([1, Number.POSITIVE_INFINITY], { dtype: "float64" })).item()).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(euclideanNorm(tensor([1, Number.NaN], { dtype: "float64" })).item()).toBeNaN();
  });
});
