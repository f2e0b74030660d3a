import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type Search, SOON } from "../claims/cause-search.js";
import { closedForm } from "../claims/closed-form.js";
import { headlineComparison, matchedMass } from "../claims/faithfulness.js";
import { findsTheCause, plausibleReplacement, stopsByItself } from "../claims/finds-the-cause.js";

import { claims } from "../claims/index.js";
import { reagent } from "../src/index.js";

// Compiled where the binding is installed.
const backend = await onnxRuntime().catch(() => undefined);

/** Sentences, where what does not hold need not be measured finely. */
const FEW = 6;

const result = (claim: Claim) => runClaim(claims, claim, { backend });

/** Never looks at what it replaces: one step of a search whose replacements change nothing. */
const blind: Search = (lm, ids, options) =>
  reagent(lm, ids, { ...options, maxIterations: 1, minIterations: 2, replacer: (prompts) => [...prompts] });

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
    expect((await result(closedForm(confused))).holds).toBe(false);
  });

  it(
    "finding the cause, plausibly, faithfully: a blind search does none of it",
    async () => {
      expect((await result(findsTheCause(blind, FEW))).holds).toBe(false);
      expect((await result(plausibleReplacement(blind, "mlm", FEW))).holds).toBe(false);
      expect((await result(stopsByItself(blind, FEW))).holds).toBe(false);
      expect((await result(headlineComparison(blind, FEW))).holds).toBe(false);
      expect((await result(matchedMass(blind, FEW))).holds).toBe(false);
    },
    patience,
  );

  it("plausible replacement: random tokens in the place of the masked model's do not bear it out", async () => {
    const quick: Search = (lm, ids, options) => reagent(lm, ids, { ...options, maxIterations: 3 });
    expect((await result(plausibleReplacement(quick, "uniform", FEW))).holds).toBe(false);
  });

  it("stopping: an early stop that nothing was found for is not confirmed", async () => {
    const lying: Search = async (lm, ids, options) => {
      const found = await reagent(lm, ids, { ...options, maxIterations: 1 });
      const ones = found.stopped.map(() => 1);
      return { ...found, sufficient: true, stoppedAt: ones, stopPrompts: ones.map(() => ids.map(() => ids[1])) };
    };
    expect((await result(stopsByItself(lying, FEW))).holds).toBe(false);
  });

  it("stopping: a sentence of which no run has stopped soon goes on until one does, which counts as late", async () => {
    const late: Search = (lm, ids, options) => reagent(lm, ids, { ...options, minIterations: SOON + 1 });
    const { measured } = await result(stopsByItself(late, 2));
    expect(measured).toMatchObject({ "stopped runs": 0 });
    expect((measured as Record<string, number>)["confirmed stops"]).toBeGreaterThanOrEqual(2);
  });

  it("are six, each with its own id", () => {
    expect(claims.claims.map(({ id }) => id).length).toBe(6);
  });
});
