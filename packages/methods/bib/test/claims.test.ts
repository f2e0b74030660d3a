import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { expect, it } from "vitest";
import { adaptiveBalance } from "../claims/adaptive-balance.js";
import { betterMapping } from "../claims/better-mapping.js";
import { closedForm } from "../claims/closed-form.js";
import { claims } from "../claims/index.js";
import { doubleDescent, preTraining, smallData } from "../claims/language-model.js";
import { bib, type Method } from "../claims/method.js";
import { fitTable, loadExampleModel } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;
const small = { problems: 1, designs: 4, steps: 12 } as const;

it("closed-form fails for another penalty", async () => {
  const other: Method = { ...bib, fitForward: (phi, y) => bib.fitForward(phi, y, { ridge: 0.1 }) };
  expect(await holds(closedForm(other))).toBe(false);
});

it("adaptive-balance fails where gamma stays at a quarter", async () => {
  const still: Method = {
    ...bib,
    designWith: (fit, options) =>
      bib.designWith(fit, options?.mode === "bib" ? { ...options, mode: "bdi", balance: 0.25 } : options),
  };
  expect(await holds(adaptiveBalance(still, small))).toBe(false);
});

it("pre-training-matters fails where the model that has read nothing serves both", async () => {
  const unread = await loadExampleModel({ untrained: true });
  const blind: Method = { ...bib, fitTable: (table, _, options) => fitTable(table, unread, options) };
  expect(await holds(preTraining(blind, small))).toBe(false);
});

it("small-data fails for the backward mapping alone", async () => {
  const backward: Method = {
    ...bib,
    designWith: (fit, options) => bib.designWith(fit, { ...options, mode: "backward" }),
  };
  expect(await holds(smallData(backward, small))).toBe(false);
});

it("gamma-finds-the-better-mapping fails where gamma is fixed", async () => {
  const fixed: Method = {
    ...bib,
    descendBalanced: (initial, figures, data, options) =>
      bib.descendBalanced(initial, figures, data, { ...options, balance: 0.5 }),
  };
  expect(await holds(betterMapping(fixed, small))).toBe(false);
});

it("double-descent fails where the penalty does not matter", async () => {
  const same: Method = {
    ...bib,
    fitTable: (table, model, options) => bib.fitTable(table, model, { ...options, ridge: 1e-2 }),
  };
  expect(await holds(doubleDescent(same, small))).toBe(false);
});
