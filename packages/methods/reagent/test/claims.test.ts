import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import type { Search } from "../claims/cause-search.js";
import { closedForm } from "../claims/closed-form.js";
import { headlineComparison, matchedMass } from "../claims/faithfulness.js";
import { findsTheCause, plausibleReplacement, stopsByItself } from "../claims/finds-the-cause.js";
import { drawSentence, vocabulary, wordClasses } from "../claims/grammar.js";
import { claims } from "../claims/index.js";
import { reagent } from "../src/index.js";
import { loadTinyModels } from "../src/tiny/index.js";

// Compiled where the binding is installed.
const backend = await onnxRuntime().catch(() => undefined);

const result = (claim: Claim) => runClaim(claims, claim, { backend });

/** Never looks at what it replaces: one step of a search whose replacements change nothing. */
const blind: Search = (lm, ids, options) =>
  reagent(lm, ids, { ...options, maxSteps: 1, minSteps: 2, replacer: (prompts) => [...prompts] });

/** Credits the tokens that were not replaced: masks and their complements are confused. */
const confused: Search = (lm, ids, options) => {
  const draw = random.rng("masks");
  const masks =
    options.masks ??
    (() => Array.from(draw.bernoulli([ids.length], { probability: options.ratio ?? 0.3 }).data(), Boolean));
  return reagent(lm, ids, { ...options, masks: (step, run) => masks(step, run).map((replaced) => !replaced) });
};

const patience = 60_000;

describe("the claims", () => {
  it("closed form: it does not hold for a search that confuses kept and replaced", async () => {
    expect((await result(closedForm())).holds).toBe(true);
    expect((await result(closedForm(confused))).holds).toBe(false);
  });

  it(
    "finding the cause, plausibly, faithfully: a blind search does none of it",
    async () => {
      expect((await result(findsTheCause(blind))).holds).toBe(false);
      expect((await result(plausibleReplacement(blind))).holds).toBe(false);
      expect((await result(stopsByItself(blind))).holds).toBe(false);
      expect((await result(headlineComparison(blind))).holds).toBe(false);
      expect((await result(matchedMass(blind))).holds).toBe(false);
    },
    patience,
  );

  it("plausible replacement: random tokens in the place of the masked model's do not bear it out", async () => {
    const quick: Search = (lm, ids, options) => reagent(lm, ids, { ...options, maxSteps: 3 });
    expect((await result(plausibleReplacement(quick, "uniform"))).holds).toBe(false);
  });

  it("stopping: an early stop that nothing was found for is not confirmed", async () => {
    const lying: Search = async (lm, ids, options) => {
      const found = await reagent(lm, ids, { ...options, maxSteps: 1 });
      const ones = found.stopped.map(() => 1);
      return { ...found, converged: true, stoppedAt: ones, stopPrompts: ones.map(() => ids.map(() => ids[1])) };
    };
    expect((await result(stopsByItself(lying))).holds).toBe(false);
  });

  it("are six, each with its own id", () => {
    expect(claims.claims.map(({ id }) => id).length).toBe(6);
  });
});

describe("the small models", () => {
  const models = loadTinyModels(backend ? { backend } : {});

  it("have the vocabulary of the grammar", () => {
    expect(models.vocab).toEqual(vocabulary);
    expect(models.specialIds).toEqual([0, 1, 2, 3]);
    expect(() => models.encode("tree")).toThrow(/"tree" is not among the 172 words/);
  });

  it("know the last word of nearly every sentence, and fill in words that fit", async () => {
    const rng = random.rng("unseen");
    const sentences = Array.from({ length: 60 }, () => drawSentence(rng));
    let known = 0;
    let fitting = 0;
    for (const { words, cause } of sentences) {
      const ids = models.encode(words.join(" "));
      const last = ids.length - 1;
      const next = (await models.lm.allLogits([ids.slice(0, last)])).slice([0, -1]);
      if (next.argMax().item() === ids[last]) known += 1;
      const hidden = ids.map((id, i) => (i === cause + 1 ? models.mlm.maskId : id));
      const logits: any = await models.mlm.logits([hidden]);
      const word =
        vocabulary[
          logits
            .slice([0, cause + 1])
            .argMax()
            .item()
        ];
      if (wordClasses.some((kind) => kind.includes(word) && kind.includes(words[cause]))) fitting += 1;
    }
    expect(known / 60).toBeGreaterThan(0.95);
    expect(fitting / 60).toBeGreaterThan(0.9);
  });

  it("compute the same compiled and on the host", async () => {
    const host = loadTinyModels();
    const ids = models.encode("i knew it was cold before i saw it .");
    const pairs = [
      [await models.lm.nextLogits([ids]), await host.lm.nextLogits([ids])],
      [await models.mlm.logits([ids]), await host.mlm.logits([ids])],
      [await models.lm.attentions(ids), await host.lm.attentions(ids)],
    ] as any[];
    const x = (await host.lm.embed(ids)).reshape([1, ids.length, 48]);
    pairs.push([await models.lm.logProbabilityGradient(x, 9), await host.lm.logProbabilityGradient(x, 9)]);
    for (const [a, b] of pairs) {
      const wanted = b.data();
      for (const [i, value] of a.data().entries()) expect(Math.abs(value - wanted[i])).toBeLessThan(2e-4);
    }
  });
});
