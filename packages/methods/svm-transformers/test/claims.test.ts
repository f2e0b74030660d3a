import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { expect, it } from "vitest";
import { implicitBias } from "../claims/implicit-bias.js";
import { claims } from "../claims/index.js";
import { localOptima, severalTokens } from "../claims/local-optima.js";
import { type Method, svmTransformers } from "../claims/method.js";
import { pathConverges, separability } from "../claims/path-and-feasibility.js";
import { lowRank, svmValues } from "../claims/svm-values.js";
import { equalMargins } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;
const variant = (change: Partial<Method>): Method => ({ ...svmTransformers, ...change });
/** Every margin 1, instead of at least 1. */
const withoutSupport = variant({
  attentionSvm: async (examples, tokens, options) => ({
    ...(await svmTransformers.attentionSvm(examples, tokens, options)),
    w: equalMargins(examples, tokens),
  }),
});
/** The Frobenius margin whatever was asked for. */
const oneNorm = variant({ attentionSvm: (examples, tokens) => svmTransformers.attentionSvm(examples, tokens) });

it("svm-values and low-rank fail where the norms are not told apart", async () => {
  expect(await holds(svmValues(oneNorm))).toBe(false);
  expect(await holds(lowRank(oneNorm))).toBe(false);
});

it("implicit-bias fails for equal margins, and for training that stops early", async () => {
  const brief = (method: Method) =>
    variant({
      ...method,
      trainAttentions: (sets, options) => svmTransformers.trainAttentions(sets, { ...options, steps: 60 }),
    });
  expect(await holds(implicitBias(brief(svmTransformers), 2))).toBe(false);
  expect(await holds(implicitBias(withoutSupport, 2))).toBe(false);
});

it("regularisation-path fails where the path ends early", async () => {
  const early = variant({
    regularisationPath: async (examples, v, radii, options) =>
      await svmTransformers.regularisationPath(
        examples,
        v,
        radii.map((r) => r / 30),
        options,
      ),
  });
  expect(await holds(pathConverges(early))).toBe(false);
});

it("separability fails where a solver gives up on every other problem", async () => {
  let turn = 0;
  expect(await holds(separability(async () => turn++ % 2 === 0))).toBe(false);
});

it("local-optima fails where every choice is taken for one", async () => {
  const generous = variant({
    locallyOptimal: async (examples, v) => (await svmTransformers.locallyOptimal(examples, v)).slice(1),
  });
  expect(await holds(localOptima(generous))).toBe(false);
});

it("several-tokens fails without the finite part and the equalities", async () => {
  const single = variant({
    generalisedSvm: async (examples, selected, attention, options) => {
      const first = selected.map((tokens) => tokens.slice(0, 1));
      return svmTransformers.generalisedSvm(examples, first, attention, options);
    },
  });
  expect(await holds(severalTokens(single))).toBe(false);
});
