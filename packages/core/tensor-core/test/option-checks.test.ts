import { describe, expect, it } from "vitest";
import { requireChoice, ValueError } from "../src/index.js";

describe("requireChoice", () => {
  it("takes one of the choices, and an option that is left out", () => {
    requireChoice("fit", "rule", "greedy", ["greedy", "random"]);
    requireChoice("fit", "norm", 2, [1, 2]);
    requireChoice("fit", "rule", undefined, ["greedy"]);
  });

  it("refuses anything else by name, shown as it would be written", () => {
    const refused = (value: unknown) => () => requireChoice("fit", "rule", value, ["greedy", "random", 1]);
    expect(refused("best")).toThrow(new ValueError('fit: rule is "best"; it must be one of "greedy", "random", 1'));
    expect(refused(null)).toThrow(/rule is null/);
    expect(refused("x".repeat(1000))).toThrow(/^fit: rule is "x{40}";/);
  });
});
