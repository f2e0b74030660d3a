import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { batchedCausal, batchedMasked, cachedCausal, type MaskedLM } from "../src/index.js";

const prompts = [Int32Array.of(3, 1, 4, 1, 5), Int32Array.of(3, 1, 4), Int32Array.of(2, 2, 7)];
/** A row for each prompt: its length and its sum. */
const answer = (prompt: Int32Array): Float32Array =>
  Float32Array.of(
    prompt.length,
    prompt.reduce((a, b) => a + b, 0),
  );

function counting(mixedLengths: boolean) {
  const sizes: number[] = [];
  const lm = {
    vocabSize: 2,
    mixedLengths,
    nextLogits(asked: readonly Int32Array[]) {
      sizes.push(asked.length);
      if (!mixedLengths) expect(new Set(asked.map(({ length }) => length)).size).toBe(1);
      return asked.map(answer);
    },
  };
  return { lm, sizes };
}

/** Says each token itself, and -1 where there is none. */
const echo: MaskedLM = {
  vocabSize: 3,
  maskId: 0,
  mixedLengths: true,
  logits(asked) {
    const longest = Math.max(...asked.map(({ length }) => length));
    return tensor(asked.map((ids) => Array.from({ length: longest }, (_, i) => [ids[i] ?? -1])));
  },
};

describe("requests that come together", () => {
  it.each([
    [true, [3]],
    [false, [1, 2]],
  ])("share a pass, and get their own rows (lengths mixed: %s)", async (mixed, expected) => {
    const { lm, sizes } = counting(mixed);
    const batched = batchedCausal(lm);
    const rows = await Promise.all(prompts.map(async (p) => tensor(await batched.nextLogits([p]))));
    expect(sizes).toEqual(expected);
    for (const [k, p] of prompts.entries()) expect(rows[k].toArray()).toEqual([Array.from(answer(p))]);
  });

  it("are cut into passes of the size that is wanted, longest prompts first", async () => {
    const { lm, sizes } = counting(true);
    const batched = batchedCausal(lm, { rows: 2 });
    const [two, one] = await Promise.all([
      batched.nextLogits(prompts.slice(1)),
      batched.nextLogits(prompts.slice(0, 1)),
    ]);
    expect(sizes).toEqual([2, 1]);
    expect(tensor(two).toArray()).toEqual(prompts.slice(1).map((p) => Array.from(answer(p))));
    expect(tensor(one).toArray()).toEqual([Array.from(answer(prompts[0]))]);
    expect(() => batchedCausal(lm, { rows: 0 })).toThrow(/rows is 0/);
    expect(() => batchedMasked(echo, { row: 3 } as never)).toThrow(/did you mean "rows"/);
  });

  it("fail together", async () => {
    const failing = batchedMasked({ ...echo, logits: () => Promise.reject(new Error("no memory")) });
    const both = await Promise.allSettled([failing.logits([prompts[0]]), failing.logits([prompts[1]])]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("of a masked model are cut to their own lengths", async () => {
    const model = batchedMasked(echo);
    const [a, b] = await Promise.all([model.logits([prompts[0]]), model.logits([prompts[0].slice(0, 2)])]);
    expect(tensor(a).toArray()).toEqual([Array.from(prompts[0], (id) => [id])]);
    expect(tensor(b).toArray()).toEqual([[[3], [1]]]);
  });
});

describe("answers that are kept", () => {
  it("are asked for once, also by requests that come together", async () => {
    const { lm, sizes } = counting(true);
    const cached = cachedCausal(lm);
    const [a] = await Promise.all([cached.nextLogits([...prompts, prompts[1]]), cached.nextLogits([prompts[1]])]);
    expect(sizes).toEqual([3]);
    expect(tensor(a).toArray()).toEqual([...prompts, prompts[1]].map((p) => Array.from(answer(p))));
    await cached.nextLogits([prompts[2], Int32Array.of(1)]);
    expect(sizes).toEqual([3, 1]);
  });

  it("are the newest, as many as are wanted; failures are not kept", async () => {
    const { lm, sizes } = counting(true);
    const cached = cachedCausal(lm, { prompts: 1 });
    for (const k of [0, 1, 1, 0]) await cached.nextLogits([prompts[k]]);
    expect(sizes).toEqual([1, 1, 1]);
    let fails = true;
    const once = cachedCausal({
      ...lm,
      nextLogits: (asked) => (fails ? Promise.reject(new Error("no")) : asked.map(answer)),
    });
    await expect(once.nextLogits(prompts)).rejects.toThrow(/no/);
    fails = false;
    expect(tensor(await once.nextLogits(prompts)).shape).toEqual([3, 2]);
    expect(() => cachedCausal(lm, { prompts: 0 })).toThrow(/prompts is 0/);
  });
});
