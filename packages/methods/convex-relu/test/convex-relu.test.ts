import { expect, it } from "vitest";
import { convexRelu } from "../src/index.js";

it("rejects an iteration count below one, and says what to give", () => {
  expect(() => convexRelu({ iterations: 0 })).toThrow(/iterations is 0; it must be an integer >= 1/);
});

it("has its method, tests and claims", () => {
  expect.fail(
    [
      "This package is new. Replace this test by tests that read like statements of the paper:",
      "  - identities and limits in which the answer is known exactly;",
      "  - brute force, or a second way to the same number, on small cases;",
      "  - gradients against finite differences in float64;",
      "  - bad input: the typed error, and its message;",
      "  - for every claim, that it does not hold for a baseline or a broken variant.",
      "The method goes into src/convex-relu.ts, the claims into claims/index.ts.",
      "docs/adding-a-method.md takes you through it.",
    ].join("\n"),
  );
});
