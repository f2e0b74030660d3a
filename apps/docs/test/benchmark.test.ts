import { describe, expect, it } from "vitest";
import { difference, measure, median } from "../src/benchmark/measure.js";
import { offprint } from "../src/benchmark/offprint.js";
import { type Library, type Run, workloads } from "../src/benchmark/workloads.js";

/** A clock that only work moves, and a library whose runs take a given number of its milliseconds. */
function simulated() {
  let now = 0;
  const order: string[] = [];
  const library = (name: string, cost: number, result: number[] = [1, 2]): Library => ({
    name,
    version: "1",
    prepare: async () => () => {
      now += cost;
      order.push(name);
      return Float32Array.from(result);
    },
  });
  return { clock: () => now, order, library };
}

describe("measuring libraries beside each other", () => {
  it("gives the median time of a run, whatever the number of runs a turn", async () => {
    const { clock, library } = simulated();
    const { cells } = await measure("chain", [library("a", 3), library("b", 0.25)], { rounds: 5, turn: 10 }, clock);
    expect(cells).toEqual([
      { kind: "time", milliseconds: 3 },
      { kind: "time", milliseconds: 0.25 },
    ]);
  });

  it("lets every library have its turn in every round, in changing order", async () => {
    const { clock, library, order } = simulated();
    await measure("chain", [library("a", 10), library("b", 10)], { rounds: 3, turn: 10 }, clock);
    expect(order.slice(4).join("")).toBe("abbaab");
  });

  it("does not time what computes something else, cannot do the work, or fails; and says so", async () => {
    const { clock, library } = simulated();
    const unable: Library = { name: "c", version: "1", prepare: async () => "has no gradients" };
    const failing: Library = { name: "d", version: "1", prepare: () => Promise.reject(new Error("no memory")) };
    const libraries = [library("a", 1), library("b", 1, [1, 2.1]), unable, failing, library("e", 1, [1, Number.NaN])];
    const { cells } = await measure("chain", libraries, { rounds: 1, turn: 1 }, clock);
    expect(cells.map((cell) => (cell.kind === "absent" ? cell.reason : cell.milliseconds))).toEqual([
      1,
      "its result differs by 0.050",
      "has no gradients",
      "failed: Error: no memory",
      "its result differs by Infinity",
    ]);
  });

  it("takes the middle of times, and differences relative to the largest number", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 9])).toBe(3);
    expect(difference([1, 2.5], [1, 2])).toBe(0.25);
    expect(difference([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  });

  it("has work that begins anew at every run, and whose results are finite", async () => {
    for (const { id } of workloads) {
      const run = (await offprint("").prepare(id)) as Run;
      const first = Float32Array.from(await run());
      expect(difference(await run(), first), id).toBe(0);
    }
  });
});
