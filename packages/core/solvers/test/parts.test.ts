import { describe, expect, it } from "vitest";
import { breathing, inOneGo, type Parts } from "../src/index.js";

describe("a computation in parts", () => {
  function* total(values: readonly number[]): Parts<number> {
    let sum = 0;
    for (const value of values) {
      sum += value;
      yield;
    }
    return sum;
  }

  it("gives the same in one go and with pauses", async () => {
    expect(inOneGo(total([1, 2, 4]))).toBe(7);
    await expect(breathing(total([1, 2, 4]))).resolves.toBe(7);
  });

  it("lets the event loop go on between parts", async () => {
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    function* until(): Parts<string> {
      // Without a pause this never ends.
      while (!turned) yield;
      return "done";
    }
    await expect(breathing(until())).resolves.toBe("done");
  });

  it("is left where the signal fires, and not begun where it has fired", async () => {
    const controller = new AbortController();
    let parts = 0;
    function* endless(): Parts<never> {
      for (;;) {
        if (++parts === 3) controller.abort();
        yield;
      }
    }
    await expect(breathing(endless(), controller.signal)).resolves.toBeUndefined();
    expect(parts).toBe(3);
    await expect(breathing(endless(), controller.signal)).resolves.toBeUndefined();
    expect(parts).toBe(3);
  });
});
