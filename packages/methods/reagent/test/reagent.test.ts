import type { CausalLM } from "@offprint/language";
import { NonFiniteError, random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type Attribution, evidence, type ReagentOptions, reagent, replacers, type StepTrace } from "../src/index.js";
import { byZero, onesPrompt, oracle, smallLM } from "./small-models.js";

const additive = oracle((prompt) => 0.4 + 0.1 * prompt[0] + 0.3 * prompt[1] + 0.05 * prompt[3]);
const options: ReagentOptions = {
  replacer: byZero,
  target: 1,
  topK: 1,
  keepTopN: 1,
  maxIterations: 8,
  minIterations: 9,
};

async function traced(more: Partial<ReagentOptions>, lm: CausalLM = additive, length = 4) {
  const steps: StepTrace[] = [];
  const onStep = (trace: StepTrace) => void steps.push(trace);
  const result = await reagent(lm, onesPrompt(length), { ...options, ...more, onStep });
  return { result, steps };
}

function scoresOf({ logScores }: Attribution, run: number): number[] {
  return Array.from(logScores.slice([run]).data());
}

describe("the evidence of a change", () => {
  it("is logit((g + 1) / 2), which is 2 atanh(g)", () => {
    for (const g of [-0.9, -0.2, 0.001, 0.5, 0.99]) {
      const p = g / 2 + 0.5;
      expect(evidence(g)).toBeCloseTo(Math.log(p / (1 - p)), 12);
    }
    expect(evidence(0)).toBe(0);
    expect(evidence(0.3, "linear")).toBe(0.3);
  });

  it("stays finite where a probability falls from 1 to 0", () => {
    expect(evidence(1)).toBeCloseTo(Math.log((2 - 1e-6) / 1e-6), 6);
    expect(evidence(-1)).toBe(-evidence(1));
  });
});

describe("a step", () => {
  it("leaves the scores alone where the prediction does not change", async () => {
    const start = [[0.1, 0.9, 0.5, 0.2]];
    const { result } = await traced(
      { probes: 1, initialScores: start },
      oracle(() => 0.7),
    );
    expect(result.logScores.toArray()).toEqual(start);
  });

  it("credits replaced tokens with the fall of the probability, and debits the others", async () => {
    const mask = [false, true, false, false];
    const zero = tensor(new Float64Array(4), { shape: [1, 4] });
    const { result } = await traced({ probes: 1, maxIterations: 1, initialScores: zero, masks: () => mask });
    const g = 2 * Math.atanh(0.3);
    for (const [i, s] of result.logScores.data().entries()) expect(s).toBeCloseTo(mask[i] ? g : -g, 12);
  });

  it("has the opposite evidence for the complement of the mask and the same replaced prompt", async () => {
    const zero = tensor(new Float64Array(4), { shape: [1, 4] });
    const mask = [true, false, false, true];
    const lm = oracle((prompt) => (prompt[0] === 0 ? 0.2 : 0.85));
    // Whatever is asked for, the prompts that the model sees are the same.
    const first: ReagentOptions["replacer"] = (prompts) => prompts.map(() => Int32Array.of(0, 0, 0, 0));
    const a = await traced(
      { probes: 1, maxIterations: 1, initialScores: zero, masks: () => mask, replacer: first },
      lm,
    );
    const constant = {
      ...lm,
      nextLogits: (p: readonly Int32Array[]) =>
        lm.nextLogits(p.map((x) => (x[1] === 0 ? Int32Array.of(0, 1, 1, 1) : x))),
    };
    const b = await traced(
      {
        probes: 1,
        maxIterations: 1,
        initialScores: zero,
        masks: () => mask.map((m) => !m),
        replacer: first,
        ratio: 0.7,
      },
      constant,
    );
    expect(a.result.logScores.data().map((s) => -s)).toEqual(b.result.logScores.data());
  });

  it("changes only the tokens of the mask, and never a protected one", async () => {
    const lm = smallLM();
    const ids = Int32Array.of(3, 1, 4, 1, 5, 9, 2);
    const protect = ids.map((_, i) => (i === 0 ? 1 : 0));
    const steps: StepTrace[] = [];
    await reagent(lm, ids, {
      replacer: replacers.uniform({ vocabSize: 11 }),
      protect: Array.from(protect, Boolean),
      maxIterations: 20,
      minIterations: 21,
      keepTopN: 2,
      onStep: (trace) => void steps.push(trace),
    });
    expect(steps.length).toBe(20);
    for (const { masks, replaced, kept, filled } of steps) {
      for (const [row, prompt] of replaced.entries()) {
        expect(masks[row][0]).toBe(false);
        expect(kept[row]).not.toContain(0);
        for (const [i, id] of prompt.entries()) if (!masks[row][i]) expect(id).toBe(ids[i]);
        for (const i of [0, ...kept[row]]) expect(filled[row][i]).toBe(ids[i]);
      }
    }
  });

  it("draws binomially many tokens, the empty set included", async () => {
    const { steps } = await traced({ maxIterations: 400, minIterations: 401, probes: 5 });
    const sizes = steps.flatMap(({ masks }) => masks.map((mask) => mask.filter(Boolean).length));
    expect(sizes).toContain(0);
    expect(sizes.reduce((a, b) => a + b, 0) / sizes.length).toBeCloseTo(0.3 * 4, 1);
  });
});

describe("the runs", () => {
  it("give importances that sum to 1", async () => {
    const { result } = await traced({});
    expect(result.importance.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    for (const total of result.perProbe.sum({ axis: 1 }).data()) expect(total).toBeCloseTo(1, 12);
  });

  it("are not changed once they have stopped", async () => {
    const scoresAtStop = new Map<number, number[]>();
    const lm = oracle((prompt) => (prompt[1] === 1 ? 0.9 : 0.1));
    const { result, steps } = await traced({ minIterations: 1, maxIterations: 60, probes: 6, seed: 4 }, lm);
    for (const { runs, scores, stopped } of steps) {
      for (const [row, run] of runs.entries()) {
        expect(scoresAtStop.has(run)).toBe(false);
        if (stopped[row]) scoresAtStop.set(run, Array.from(scores[row]));
      }
    }
    expect(new Set(result.stoppedAt).size).toBeGreaterThan(1);
    for (const [run, scores] of scoresAtStop) expect(scoresOf(result, run)).toEqual(scores);
  });

  it("stop with the target among the topK of the recorded prompt, exactly", async () => {
    const lm = oracle((prompt) => (prompt[1] === 1 ? 0.9 : 0.1));
    const { result } = await traced({ minIterations: 1, maxIterations: 60, probes: 6 }, lm);
    expect(result.status).toBe("converged");
    for (const prompt of result.stopPrompts) expect(prompt?.[1]).toBe(1);
    expect(result.rationale).toContain(1);
  });

  it("permute with their starting scores and masks", async () => {
    const start = random.rng(1).uniform([3, 4], { dtype: "float64" });
    const masks = (order: readonly number[]) => (step: number, run: number) =>
      Array.from(random.rng(`${step}/${order[run]}`).bernoulli([4], { probability: 0.3 }).data(), Boolean);
    const a = await traced({ probes: 3, initialScores: start, masks: masks([0, 1, 2]) });
    const b = await traced({ probes: 3, initialScores: start.take([2, 0, 1]), masks: masks([2, 0, 1]) });
    expect([0, 1, 2].map((run) => scoresOf(b.result, run))).toEqual([2, 0, 1].map((run) => scoresOf(a.result, run)));
    for (const [i, value] of b.result.importance.entries()) expect(value).toBeCloseTo(a.result.importance[i], 14);
  });

  it("are the same for the same seed, and others for another", async () => {
    const [a, b, c] = [await traced({ seed: 3 }), await traced({ seed: 3 }), await traced({ seed: 4 })];
    expect(a.result.importance).toEqual(b.result.importance);
    expect(a.result.importance).not.toEqual(c.result.importance);
  });

  it("as a batch do what they do one by one with the same noise", async () => {
    const start = random.rng(1).uniform([3, 4], { dtype: "float64" });
    const masks = (step: number, run: number) =>
      Array.from(random.rng(`${step}/${run}`).bernoulli([4], { probability: 0.3 }).data(), Boolean);
    const together = await traced({ probes: 3, initialScores: start, masks });
    for (let run = 0; run < 3; run++) {
      const alone = await traced({
        probes: 1,
        initialScores: start.take([run]),
        masks: (step) => masks(step, run),
      });
      expect(scoresOf(alone.result, 0)).toEqual(scoresOf(together.result, run));
    }
  });

  it("of which none stopped are averaged all the same, and the result says so", async () => {
    const { result } = await traced({});
    expect(result).toMatchObject({ sufficient: false, status: "limit", iterations: 8 });
    expect(result.importance.every(Number.isFinite)).toBe(true);
    expect(result.forwardPasses).toBe(1 + 8 * 2 * 5);
  });

  it("find the target at once where everything is kept, and the result says that it is trivial", async () => {
    const { result } = await traced({ keepTopN: 4, minIterations: 1 });
    expect(result).toMatchObject({ trivial: true, sufficient: true, iterations: 1 });
    expect((await traced({ keepTopN: undefined, keepRatio: 0.3, minIterations: 1 })).result.trivial).toBe(false);
  });

  it("go on only from a state of theirs", async () => {
    const { result } = await traced({});
    const resume = result.state;
    await expect(traced({ resume }, additive, 3)).rejects.toThrow(/another prompt/);
    await expect(traced({ resume, probes: 2 })).rejects.toThrow(/set probes to that/);
    await expect(traced({ resume, target: 0 })).rejects.toThrow(/explains token 1, not target 0/);
    const probes = resume.inner.probes.map((probe) => ({ ...probe, scores: Float64Array.of(Number.NaN, 0, 0, 0) }));
    await expect(traced({ resume: { ...resume, inner: { ...resume.inner, probes } } })).rejects.toThrow(/damaged/);
    await expect(traced({ resume: { ...resume, inner: {} as never } })).rejects.toThrow(/no state of reagent/);
  });

  it("have importances of at most 1, however many of them agree", async () => {
    const start = Array.from({ length: 7 }, () => [900, 0, 0, 0]);
    const { result } = await traced({ probes: 7, initialScores: start });
    expect(result.importance[0]).toBe(1);
  });

  it("explain the model's own prediction unless told otherwise", async () => {
    const { result } = await traced({ target: undefined });
    expect(result.target).toBe(1);
    expect(result.p0).toBeCloseTo(0.85, 12);
  });
});

describe("bad input is rejected with its name:", () => {
  const lm = additive;
  const ids = onesPrompt(4);
  const cases: [string, () => Promise<unknown>, RegExp][] = [
    ["ratio", () => reagent(lm, ids, { ...options, ratio: 1 }), /ratio is 1; it must be above 0 and below 1/],
    ["topK of none", () => reagent(lm, ids, { ...options, topK: 0 }), /topK is 0/],
    ["topK beyond V", () => reagent(lm, ids, { ...options, topK: 3 }), /topK is 3; it must be an integer from 1 to 2/],
    ["keepTopN", () => reagent(lm, ids, { ...options, keepTopN: 0 }), /keepTopN is 0/],
    ["keepRatio", () => reagent(lm, ids, { ...options, keepTopN: undefined, keepRatio: 2 }), /keepRatio is 2/],
    ["both", () => reagent(lm, ids, { ...options, keepRatio: 0.5 }), /keepTopN or keepRatio, not both/],
    ["probes", () => reagent(lm, ids, { ...options, probes: 0 }), /probes is 0/],
    ["update", () => reagent(lm, ids, { ...options, update: "log" as never }), /update is "log"/],
    ["an empty prompt", () => reagent(lm, new Int32Array(0), options), /ids is empty/],
    [
      "ids out of range",
      () => reagent(lm, Int32Array.of(1, 2), options),
      /ids\[1\] is 2; the model has the ids 0 to 1/,
    ],
    ["ids of another type", () => reagent(lm, [1, 0.5] as never, options), /Int32Array of token ids/],
    ["target", () => reagent(lm, ids, { ...options, target: 2 }), /target is 2/],
    ["protect", () => reagent(lm, ids, { ...options, protect: [true] }), /protect has 1 entries/],
    [
      "all protected",
      () => reagent(lm, ids, { ...options, protect: ids.length ? [true, true, true, true] : [] }),
      /covers every token/,
    ],
    ["no replacer", () => reagent(lm, ids, { ...options, replacer: undefined as never }), /replacer is missing/],
    ["no options", () => reagent(lm, ids, undefined as never), /replacer is missing/],
    ["no model", () => reagent(undefined as never, ids, options), /nextLogits of the model is missing/],
    [
      "initialScores",
      () => reagent(lm, ids, { ...options, initialScores: [[0, 0]] }),
      /initialScores has shape \[1,2\]/,
    ],
    ["masks", () => reagent(lm, ids, { ...options, masks: () => [true] }), /masks gave 1 entries in step 1/],
    ["fewer prompts", () => reagent(lm, ids, { ...options, replacer: () => [] }), /gave 0 prompts for 5/],
    [
      "other lengths",
      () => reagent(lm, ids, { ...options, replacer: (p) => p.map(() => Int32Array.of(1)) }),
      /step 1: prompt 0 came back with 1 tokens/,
    ],
    [
      "ids from a replacer",
      () => reagent(lm, ids, { ...options, ratio: 0.9, replacer: (p) => p.map((x) => x.map(() => 7)) }),
      /became 7/,
    ],
    [
      "a masked model without a mask",
      async () => replacers.mlm({ vocabSize: 4, maskId: 4, logits: () => [] }),
      /needs a mask token/,
    ],
    [
      "logits of another shape",
      () => reagent({ vocabSize: 2, nextLogits: () => [[1]] }, ids, options),
      /logits has shape \[1,1\]/,
    ],
  ];
  it.each(cases)("%s", async (_, act, message) => {
    await expect(act()).rejects.toThrow(message);
  });

  it.each([
    ["that forbid every token", [-Infinity, -Infinity], /row 0 of logits is -Infinity throughout/],
    ["that are infinite", [0, Infinity], /logits holds Infinity/],
  ])("scores %s", async (_, row, message) => {
    const failing = { vocabSize: 2, nextLogits: (p: readonly Int32Array[]) => p.map(() => row) };
    await expect(reagent(failing, ids, options)).rejects.toThrow(message);
  });

  it("scores that are not a number, with the number of the step and the state before it", async () => {
    let calls = 0;
    const failing = {
      vocabSize: 2,
      nextLogits: (p: readonly Int32Array[]) => p.map(() => [0, calls++ > 20 ? Number.NaN : 1]),
    };
    const error = await reagent(failing, ids, options).catch((cause: unknown) => cause as NonFiniteError);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect((error as NonFiniteError).message).toMatch(/reagent: iteration 3: the model: logits holds NaN/);
    expect((error as NonFiniteError).state).toMatchObject({ iterations: 2 });
  });
});
