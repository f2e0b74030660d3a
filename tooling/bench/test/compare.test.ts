import { expect, it, vi } from "vitest";
import { compare, median } from "../src/compare.js";
import { contender } from "../src/contender.js";
import { python } from "../src/python.js";

const quick = { repetitions: 3, repetitionSeconds: 0.002 };

/** Work that lasts about so many milliseconds. */
function busy(milliseconds: number): () => void {
  return () => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  };
}

it("takes the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

it("times each call, also of asynchronous work", async () => {
  const seconds = await contender(busy(2)).time(3);
  expect(seconds).toBeGreaterThanOrEqual(0.002);
  expect(await contender(() => new Promise((resolve) => setTimeout(resolve, 5))).time(2)).toBeGreaterThan(0.004);
});

it("alternates, and gives the ratio and whether goals are met", async () => {
  // A clock that nothing but the work moves.
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  const lasting = (milliseconds: number) => () => {
    now += milliseconds;
  };
  const row = await compare({
    name: "busy",
    ours: lasting(1),
    peers: { slow: lasting(10) },
    work: { amount: 1, unit: "call" },
    maxRatio: 0.9,
    minRate: 1e9,
    ...quick,
  }).finally(() => clock.mockRestore());
  expect(row.peers[0]!.ratio).toBeCloseTo(0.1, 10);
  expect(row.goals.map(({ met }) => met)).toEqual([false, true]);
});

it("says why a Python peer is absent", async () => {
  const absent = python(new URL("missing.py", import.meta.url)).peer("add", 10);
  const row = await compare({ name: "absent peer", ours: busy(1), peers: { absent }, maxRatio: 1, ...quick });
  expect(row.peers[0]).toEqual({ name: "absent", absent: expect.stringMatching(/missing\.py|not installed/) });
  expect(row.goals).toEqual([]);
});
