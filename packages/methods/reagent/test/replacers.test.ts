import { batchedCausal, cachedCausal, type MaskedLM } from "@offprint/language";
import { type Rng, random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { coarseWordClass, matchVocabularies, type Replacer, reagent, replacers } from "../src/index.js";
import { byZero, onesPrompt, oracle, smallLM } from "./small-models.js";

const at = { step: 1, purpose: "update", runs: [0] } as const;
const prompt = Int32Array.of(3, 1, 4, 1, 5);
const mask = [false, true, true, false, true];

async function once(replacer: Replacer, rng: Rng = random.rng(0), ids = prompt): Promise<Int32Array> {
  return (await replacer([ids], [mask.slice(0, ids.length)], [rng], at))[0];
}

/** Prefers id `place + 2` at each place, then `place + 3`; tells what it was asked. */
function maskedModel(asked: Int32Array[] = []): MaskedLM {
  return {
    vocabSize: 9,
    maskId: 8,
    specialIds: [0],
    logits(prompts) {
      asked.push(...prompts);
      return prompts.map((p) =>
        Array.from(p, (_, i) =>
          Array.from({ length: 9 }, (_, id) => (id === i + 2 ? 3 : id === i + 3 ? 2 : id === 8 || id === 0 ? 9 : 0)),
        ),
      );
    },
  };
}

describe("mlm", () => {
  it("hides all chosen tokens at once, and takes the most probable token that is not special", async () => {
    const asked: Int32Array[] = [];
    expect(Array.from(await once(replacers.mlm(maskedModel(asked))))).toEqual([3, 3, 4, 1, 6]);
    expect(asked.map((ids) => Array.from(ids))).toEqual([[3, 8, 8, 1, 8]]);
  });

  it("can forbid the original token", async () => {
    expect(Array.from(await once(replacers.mlm(maskedModel(), { excludeOriginal: true })))).toEqual([3, 3, 5, 1, 6]);
  });

  it("does not ask the model where nothing is replaced", async () => {
    const asked: Int32Array[] = [];
    const [same] = await replacers.mlm(maskedModel(asked))([prompt], [mask.map(() => false)], [random.rng(0)], at);
    expect(same).toEqual(prompt);
    expect(asked.length).toBe(0);
  });

  it("asks once for what it was asked before, unless it draws", async () => {
    const asked: Int32Array[] = [];
    const argmax = replacers.mlm(maskedModel(asked));
    const first = await argmax([prompt, prompt], [mask, mask], [random.rng(0), random.rng(1)], at);
    expect(first[0]).toEqual(first[1]);
    expect(await once(argmax)).toEqual(first[0]);
    expect(asked.length).toBe(1);
    const drawn = replacers.mlm(maskedModel(asked), { mode: "sample" });
    await drawn([prompt, prompt], [mask, mask], [random.rng(0), random.rng(1)], at);
    expect(asked.length).toBe(3);
  });

  it("samples by probability, among the most probable ones with topP", async () => {
    const counts = (topP: number) => {
      const rng = random.rng(1);
      const replacer = replacers.mlm(maskedModel(), { mode: "sample", topP });
      return Promise.all(Array.from({ length: 4000 }, async () => (await once(replacer, rng))[1]));
    };
    const all = await counts(1);
    const weight = Math.exp(3) + Math.exp(2) + 5;
    expect(all.filter((id) => id === 3).length / 4000).toBeCloseTo(Math.exp(3) / weight, 1);
    expect(new Set(all)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
    expect(new Set(await counts(0.8))).toEqual(new Set([3, 4]));
    expect(new Set(await counts(1e-9))).toEqual(new Set([3]));
  });

  it("goes through the ids of another vocabulary, hiding tokens without a partner and keeping them", async () => {
    const idMap = matchVocabularies({ a: 3, b: 1, c: 4, d: 5, e: 0 }, { a: 1, b: 2, c: 3, d: 4, x: 5 });
    expect(Array.from(idMap.toMasked)).toEqual([-1, 2, -1, 1, 3, 4]);
    const asked: Int32Array[] = [];
    const ids = Int32Array.of(0, 1, 0, 3, 5);
    // At places 1 and 4 the model prefers its 3 (c) and, as 6 has no partner, anything that has one.
    const out = await once(replacers.mlm(maskedModel(asked), { idMap }), random.rng(0), ids);
    expect(Array.from(asked[0])).toEqual([8, 8, 8, 1, 8]);
    expect(out[1]).toBe(4);
    expect([0, 2, 3].map((i) => out[i])).toEqual([0, 0, 3]);
    expect([3, 1, 4, 5]).toContain(out[4]);
    expect(() => matchVocabularies({ a: 0 }, { b: 0 })).toThrow(/wordMlm/);
  });

  it("refuses what it cannot use", async () => {
    expect(() => replacers.mlm({ ...maskedModel(), maskId: -1 })).toThrow(/needs a mask token/);
    expect(() => replacers.mlm(maskedModel(), { mode: "best" as never })).toThrow(/mode is "best"/);
    expect(() => replacers.mlm(maskedModel(), { topP: 0 })).toThrow(/topP is 0/);
    const wrong = { ...maskedModel(), logits: () => [[[1]]] };
    await expect(once(replacers.mlm(wrong))).rejects.toThrow(/logits has shape \[1,1,1\]; it must be \[1,5,9\]/);
    const silent = { ...maskedModel(), logits: () => [mask.map(() => new Float32Array(9).fill(-Infinity, 0, 8))] };
    await expect(once(replacers.mlm(silent))).rejects.toThrow(/forbids every token that may be filled in/);
    expect(() => replacers.mlm(maskedModel(), { topp: 0.5 } as never)).toThrow(/did you mean "topP"/);
    await expect(once(replacers.mlm(maskedModel()), random.rng(0), Int32Array.of(9, 9))).rejects.toThrow(
      /give an idMap/,
    );
  });
});

describe("the other samplers", () => {
  it("uniform draws all allowed ids equally often", async () => {
    const rng = random.rng(2);
    const replacer = replacers.uniform({ vocabSize: 6, forbid: [0, 3] });
    const counts = new Map<number, number>();
    for (let k = 0; k < 3000; k++) {
      const out = await once(replacer, rng);
      expect([out[0], out[3]]).toEqual([3, 1]);
      counts.set(out[2], (counts.get(out[2]) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([1, 2, 4, 5]);
    for (const count of counts.values()) expect(count / 3000).toBeCloseTo(0.25, 1);
    expect(() => replacers.uniform({ vocabSize: 1, forbid: [0] })).toThrow(/covers all 1 ids/);
  });

  it("posTag stays within the class of a token", async () => {
    const rng = random.rng(2);
    const replacer = replacers.posTag((id) => id % 2, { vocabSize: 10, forbid: [1] });
    const seen = new Set<number>();
    for (let k = 0; k < 300; k++) {
      const out = await once(replacer, rng);
      for (const i of [1, 2, 4]) expect(out[i] % 2).toBe(prompt[i] % 2);
      seen.add(out[1]);
    }
    expect([...seen].sort()).toEqual([3, 5, 7, 9]);
    const lonely = replacers.posTag((id) => id, { vocabSize: 10, forbid: [1, 4] });
    expect(await once(lonely)).toEqual(prompt);
    expect(() => replacers.posTag(undefined as never, { vocabSize: 2 })).toThrow(/tagOf is missing/);
  });

  it("causal takes what the model expects after the original prefix, with one pass or many", async () => {
    const lm = smallLM();
    const expected = await Promise.all(
      Array.from(prompt, async (id, i) =>
        i === 0
          ? id
          : tensor((await lm.nextLogits([prompt.slice(0, i)])) as never)
              .argMax()
              .item(),
      ),
    );
    const wanted = prompt.map((id, i) => (mask[i] ? expected[i] : id));
    expect(await once(replacers.causal(lm))).toEqual(wanted);
    const { allLogits: _, ...blackBox } = lm;
    let calls = 0;
    const counted = {
      ...blackBox,
      nextLogits(p: readonly Int32Array[]) {
        calls += 1;
        return lm.nextLogits(p);
      },
    };
    const replacer = replacers.causal(counted);
    expect(await once(replacer)).toEqual(wanted);
    expect(await once(replacer)).toEqual(wanted);
    expect(calls).toBe(4);
    // Prompts in turn, as searches that run together ask: each is known from its first time on.
    const others = [Int32Array.of(2, 2, 7, 1, 1), Int32Array.of(5, 4, 3, 2, 1)];
    for (let turn = 0; turn < 3; turn++) {
      for (const ids of [prompt, ...others]) await once(replacer, random.rng(0), ids);
    }
    expect(calls).toBe(4 + 2 * 4);
  });

  it("coarse word classes tell what is common", () => {
    const classes = [" the", " quickly", " Paris", " 42", ".", " running", "ing", " walked", " "].map(coarseWordClass);
    expect(classes).toEqual([
      "determiner",
      "adverb",
      "name",
      "number",
      "sign .",
      "gerund",
      "continued word",
      "past",
      "blank",
    ]);
  });
});

it("searches that share passes and answers find what they find alone", async () => {
  const lm = smallLM();
  const prompts = [prompt, prompt.slice(0, 3), Int32Array.of(2, 2, 7)];
  const options = { replacer: replacers.uniform({ vocabSize: 11 }), maxIterations: 5, minIterations: 6, probes: 2 };
  const shared = cachedCausal(batchedCausal(lm));
  const together = await Promise.all(prompts.map((ids) => reagent(shared, ids, options)));
  for (const [k, ids] of prompts.entries()) {
    const { importance } = await reagent(lm, ids, options);
    for (const [i, value] of importance.entries()) expect(together[k].importance[i]).toBeCloseTo(value, 9);
  }
});

it("a plain function is enough of a model, with rows as arrays or typed arrays", async () => {
  const plain = oracle((p) => (p[1] === 1 ? 0.9 : 0.1));
  const typed = {
    ...plain,
    nextLogits: async (p: readonly Int32Array[]) => (await plain.nextLogits(p)).map((row) => Float64Array.from(row)),
  };
  for (const lm of [plain, typed]) {
    const { rationale } = await reagent(lm, onesPrompt(4), { replacer: byZero, topK: 1, keepTopN: 1 });
    expect(rationale).toEqual([1]);
  }
});
