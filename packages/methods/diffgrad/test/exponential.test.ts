import fc from "fast-check";
import { expect, it } from "vitest";
import { exponentialOfMinus } from "../src/exponential.js";

it("equals Math.exp to 1e-13 of its value, from 0 to infinity", () => {
  fc.assert(
    fc.property(fc.oneof(fc.double({ min: 0, max: 45, noNaN: true }), fc.double({ min: 0, noNaN: true })), (x) => {
      const exact = Math.exp(-x);
      expect(Math.abs(exponentialOfMinus(x) - exact)).toBeLessThanOrEqual(1e-13 * exact);
    }),
    { numRuns: 5000, seed: 1 },
  );
  expect(exponentialOfMinus(0)).toBe(1);
  expect(exponentialOfMinus(Number.POSITIVE_INFINITY)).toBe(0);
  expect(exponentialOfMinus(Number.NaN)).toBeNaN();
});
