import { describe, expect, it } from "vitest";
import { jit, requireChoice, requireFinite, type Tensor, tensor, ValueError } from "../src/index.js";

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

describe("requireFinite", () => {
  it("names the argument and the first value that is not finite", () => {
    requireFinite("fit", "inputs", tensor([[1, -2], [0, 1e300]], { dtype: "float64" })); // biome-ignore format: one line
    requireFinite("fit", "targets", tensor(new Int32Array([3, 4])));
    expect(() => requireFinite("fit", "inputs", tensor([1, Number.NaN, 2]))).toThrow(
      new ValueError("fit: inputs holds NaN at position 1, which is not finite; look for it where inputs is made"),
    );
    expect(() => requireFinite("fit", "inputs", tensor([[1], [2], [-Infinity]]))).toThrow(/-Infinity at position 2/);
  });

  it("lets traced values pass, which cannot be looked into", async () => {
    const f = (x: Tensor) => {
      requireFinite("f", "x", x);
      return x.add(1);
    };
    expect((await jit(f)(tensor([1]))).item()).toBe(2);
  });
});
