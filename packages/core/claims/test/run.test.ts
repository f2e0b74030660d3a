import { AbortedError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  type Claim,
  type ClaimContext,
  type ClaimRecord,
  defineClaims,
  isClaimRecord,
  resumeKey,
  runClaims,
} from "../src/index.js";

function claim(id: string, run: Claim["run"]): Claim {
  return { id, statement: `Statement of ${id}`, source: "Table 1", paper: 1, run };
}

const ok = { measured: 1, holds: true, detail: "done" };

function plotResult(x: ArrayLike<number>, y: ArrayLike<number>) {
  const curves = [{ name: "c", x, y }];
  return { ...ok, series: [{ kind: "line" as const, title: "t", x: { label: "x" }, y: { label: "y" }, curves }] };
}

function drawing(id: string): Claim {
  return claim(id, ({ rng }) => {
    const measured = rng.uniform([1], { dtype: "float64" }).item() as number;
    return { measured, holds: measured >= 0, detail: `drew ${measured}` };
  });
}

describe("defineClaims", () => {
  it.each([
    ["an empty set", { method: "m", claims: [] }, /no claims/],
    ["a malformed id", { method: "m", claims: [drawing("Not An Id")] }, /lower-case words/],
    ["a malformed method", { method: "M!", claims: [drawing("a")] }, /method must be/],
    ["an id used twice", { method: "m", claims: [drawing("a"), drawing("a")] }, /used twice/],
    ["an empty statement", { method: "m", claims: [{ ...drawing("a"), statement: "" }] }, /needs a statement/],
  ])("rejects %s", (_, set, message) => {
    expect(() => defineClaims(set)).toThrow(message);
  });
});

describe("runClaims", () => {
  it("gives a claim the same numbers alone, in another order and after a resume", async () => {
    const both = await runClaims({ method: "m", claims: [drawing("a"), drawing("b")] }, { seed: 3 });
    const alone = await runClaims({ method: "m", claims: [drawing("b")] }, { seed: 3 });
    const resumed = await runClaims(
      { method: "m", claims: [drawing("b"), drawing("a")] },
      { seed: 3, finished: [both.records[0]!] },
    );
    expect(alone.records[0]!.measured).toBe(both.records[1]!.measured);
    expect(resumed.records[0]!.measured).toBe(both.records[1]!.measured);
    expect(both.records[0]!.measured).not.toBe(both.records[1]!.measured);
    const other = await runClaims({ method: "m", claims: [drawing("a")] }, { seed: 4 });
    expect(other.records[0]!.measured).not.toBe(both.records[0]!.measured);
  });

  it("records an error as a claim that does not hold, and goes on", async () => {
    const failing = claim("fails", () => {
      throw new RangeError("a step is not finite");
    });
    const run = await runClaims({ method: "m", claims: [failing, drawing("a")] });
    expect(run.records.map(({ holds }) => holds)).toEqual([false, true]);
    expect(run.records[0]!.error).toBe("RangeError: a step is not finite");
  });

  it.each([
    ["no verdict", { measured: 1, detail: "" }],
    ["a plot whose lengths differ", plotResult([1, 2], [1])],
    ["a table with a short row", { ...ok, tables: [{ title: "t", columns: ["a", "b"], rows: [[1]] }] }],
  ])("does not accept a result with %s", async (_, result) => {
    const run = await runClaims({ method: "m", claims: [claim("a", () => result as never)] });
    expect(run.records[0]).toMatchObject({ holds: false, error: expect.stringMatching(/ValueError|ShapeError/) });
  });

  it("does not run what is finished, and keeps the order of the set", async () => {
    const ran: string[] = [];
    const named = (id: string) =>
      claim(id, () => {
        ran.push(id);
        return ok;
      });
    const set = { method: "m", claims: [named("a"), named("b"), named("c")] };
    const first = await runClaims(set);
    ran.length = 0;
    const again = await runClaims(set, { finished: [first.records[1]!] });
    expect(ran).toEqual(["a", "c"]);
    expect(again.records.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("stops at once when aborted, even in a claim that ignores the signal, and has handed over what was done", async () => {
    const controller = new AbortController();
    const kept: ClaimRecord[] = [];
    const endless = claim("endless", () => new Promise(() => {}));
    const run = runClaims(
      { method: "m", claims: [drawing("a"), endless, drawing("b")] },
      {
        signal: controller.signal,
        onFinished: (record) => {
          kept.push(record);
          setTimeout(() => controller.abort(), 10);
        },
      },
    );
    await expect(run).rejects.toBeInstanceOf(AbortedError);
    expect(kept.map(({ id }) => id)).toEqual(["a"]);
  });

  it("lets an abort through to a claim that computes without pause but awaits its progress", async () => {
    const controller = new AbortController();
    let rounds = 0;
    const busy = claim("busy", async ({ onProgress }: ClaimContext) => {
      for (; rounds < 1e6; rounds++) {
        const end = performance.now() + 5;
        while (performance.now() < end);
        await onProgress(rounds / 1e6);
      }
      return ok;
    });
    setTimeout(() => controller.abort(), 60);
    await expect(runClaims({ method: "m", claims: [busy] }, { signal: controller.signal })).rejects.toThrow(/aborted/);
    expect(rounds).toBeLessThan(1000);
  });

  it("reports progress that rises from 0 to 1", async () => {
    const fractions: number[] = [];
    const half = claim("half", async ({ onProgress }) => {
      await onProgress(0.5, "half way");
      return ok;
    });
    await runClaims({ method: "m", claims: [half, half] }, { onProgress: ({ fraction }) => fractions.push(fraction) });
    expect(fractions).toEqual([0, 0.25, 0.5, 0.5, 0.75, 1]);
  });

  it("keeps records unchanged through JSON, typed arrays and NaN included", async () => {
    const typed = claim("typed", () => ({
      ...plotResult(Float64Array.of(0, 1, 2), Float32Array.of(1, Number.NaN, 3)),
      measured: { best: Number.NaN, other: Number.POSITIVE_INFINITY, third: 2 },
      tables: [{ title: "t", columns: ["a"], rows: [[Number.NaN], [1]] }],
    }));
    const run = await runClaims({ method: "m", claims: [typed] });
    expect(JSON.parse(JSON.stringify(run))).toEqual(run);
    expect(run.records[0]).toMatchObject({
      measured: { best: "NaN", other: "Infinity", third: 2 },
      series: [{ curves: [{ x: [0, 1, 2], y: [1, null, 3] }] }],
    });
  });

  it("keys stored results by everything that they depend on", () => {
    const run = { method: "m", version: "1.0.0", seed: 0, scale: "quick", device: "cpu" } as const;
    const others = [{ version: "1.0.1" }, { seed: 1 }, { scale: "full" as const }, { device: "host" }, { method: "n" }];
    const keys = [run, ...others.map((change) => ({ ...run, ...change }))].map(resumeKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("rejects a seed that is not an integer", async () => {
    await expect(runClaims({ method: "m", claims: [drawing("a")] }, { seed: 0.5 })).rejects.toThrow(/seed/);
  });
});

describe("isClaimRecord", () => {
  const record = {
    id: "a",
    statement: "b",
    source: "c",
    paper: 1,
    measured: { x: 1, y: "NaN" },
    holds: true,
    detail: "",
    series: [],
    tables: [{ title: "t", columns: ["a"], rows: [[1]] }],
    seconds: 1,
  };

  it("is true for whole records only", () => {
    expect(isClaimRecord(JSON.parse(JSON.stringify(record)))).toBe(true);
    for (const name of Object.keys(record))
      expect([name, isClaimRecord({ ...record, [name]: undefined })]).toEqual([name, false]);
    for (const other of [null, 1, "a", [], { ...record, series: [{ kind: "line", title: "t" }] }]) {
      expect(isClaimRecord(other)).toBe(false);
    }
  });
});
