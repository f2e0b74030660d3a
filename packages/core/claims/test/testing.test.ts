import { AbortedError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type Claim, memo, runClaims } from "../src/index.js";
import { claimContext, runClaim } from "../src/testing.js";

const drawing: Claim = {
  id: "drawing",
  statement: "It draws",
  source: "Section 1",
  paper: 1,
  run: ({ rng, seed, scale }) => {
    const measured = rng.uniform([], { dtype: "float64" }).item() + seed;
    return { measured, holds: scale === "quick", detail: "drawn" };
  },
};

describe("a claim in a test", () => {
  it("measures what the runner measures", async () => {
    for (const seed of [0, 7]) {
      const { records } = await runClaims({ method: "method", claims: [drawing] }, { seed });
      const { measured } = await runClaim({ method: "method" }, drawing, { seed });
      expect(measured).toBe(records[0].measured);
    }
    expect((await runClaim({ method: "method" }, drawing, { scale: "full" })).holds).toBe(false);
  });

  it("throws what the claim throws", async () => {
    const broken: Claim = {
      ...drawing,
      run: () => {
        throw new TypeError("broken");
      },
    };
    await expect(runClaim({ method: "method" }, broken)).rejects.toThrow("broken");
  });

  it("is aborted by its signal", async () => {
    const stop = new AbortController();
    const context = claimContext("method", "drawing", { signal: stop.signal });
    await context.onProgress(0.5);
    stop.abort(new AbortedError("enough"));
    await expect(context.onProgress(0.6)).rejects.toThrow("enough");
  });
});

describe("memo", () => {
  it("runs an experiment once for each context and each set of arguments", async () => {
    const ran: string[] = [];
    const experiment = memo(async ({ seed, scale }, name: string, method: object) => {
      ran.push(`${name}/${seed}/${scale}`);
      return { name, method };
    });
    const [first, second] = [{}, {}];
    const at = (seed: number, scale: "quick" | "full" = "quick") => claimContext("method", "a", { seed, scale });
    const one = await experiment(at(0), "a", first);
    expect(await experiment(at(0), "a", first)).toBe(one);
    expect((await experiment(at(0), "a", second)).method).toBe(second);
    await experiment(at(0), "b", first);
    await experiment(at(1), "a", first);
    await experiment(at(0, "full"), "a", first);
    expect(ran).toEqual(["a/0/quick", "a/0/quick", "b/0/quick", "a/1/quick", "a/0/full"]);
  });

  it("compares what keyOf makes of the arguments", async () => {
    let runs = 0;
    const experiment = memo(
      (_, options: { rate: number }) => {
        runs += 1;
        return options.rate;
      },
      ({ rate }) => [rate],
    );
    const context = claimContext("method", "a");
    expect(await experiment(context, { rate: 2 })).toBe(2);
    expect(await experiment(context, { rate: 2 })).toBe(2);
    expect(await experiment(context, { rate: 3 })).toBe(3);
    expect(runs).toBe(2);
  });

  it("lets claims that run at once wait for one run, and forgets what failed", async () => {
    let runs = 0;
    const experiment = memo(async () => {
      runs += 1;
      await Promise.resolve();
      if (runs === 1) throw new Error("the first fails");
      return runs;
    });
    const context = claimContext("method", "a");
    const both = await Promise.allSettled([experiment(context), experiment(context)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await Promise.all([experiment(context), experiment(context)])).toEqual([2, 2]);
  });
});
