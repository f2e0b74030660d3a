import { runConformance } from "@offprint/solvers/conformance";
import { describe, expect, it } from "vitest";
import { attributeGeneration, type MethodRun, type ReagentOptions, type ReagentState, reagent } from "../src/index.js";
import { byZero, onesPrompt, oracle } from "./small-models.js";

const tools = { describe, it, expect };
const prompt = onesPrompt(6);
const additive = oracle((ids) => 0.3 + 0.1 * ids[0] + 0.3 * ids[1] + 0.05 * ids[3]);
const nowhere = oracle(() => Number.NaN);
/** Runs that never stop by themselves. */
const search: ReagentOptions = { replacer: byZero, topK: 1, keepTopN: 1, target: 1, minIterations: 1e9 };

runConformance(
  "reagent",
  {
    run: (options) => reagent(additive, prompt, { ...search, ...options }),
    limit: "maxIterations",
    short: 7,
    endless: { maxIterations: 1e9 },
    seeded: true,
    invalid: [
      { ratio: 1 },
      { topK: 0 },
      { keepTopN: 0 },
      { probes: 0 },
      { minIterations: 0 },
      { update: "log" },
      { target: 2 },
      { overlapThreshold: 0 },
      { replacer: "uniform" },
      { masks: 3 },
      { onStep: 3 },
      { initialScores: [[0, 0]] },
    ],
    nonFinite: [
      () => reagent(nowhere, prompt, search),
      () => reagent(additive, prompt, { ...search, probes: 1, initialScores: [[0, 0, Number.NaN, 0, 0, 0]] }),
    ],
  },
  tools,
);

/** Explains by a search that is interrupted, saved and gone on with inside the generation. */
const method = (steps: number) => async (ids: Int32Array, target: number, run: MethodRun<InnerState>) => {
  const { importance, status, state } = await reagent(additive, ids, {
    ...search,
    target,
    maxIterations: steps,
    probes: 2,
    ...run,
  });
  return status === "aborted" ? { importance, status, state } : { importance, status };
};
type InnerState = NonNullable<ReagentOptions["resume"]> & { readonly inner: ReagentState };

runConformance(
  "attributeGeneration",
  {
    run: ({ endless, ...options }) =>
      attributeGeneration(additive, prompt, { method: method(endless ? 1e9 : 3), maxNewTokens: 4, ...options }),
    limit: "maxNewTokens",
    short: 5,
    endless: { endless: true, maxNewTokens: 1e9 },
    seeded: false,
    invalid: [{ method: 3 }, { continuation: [1] }],
    nonFinite: [() => attributeGeneration(nowhere, prompt, { method: method(3), maxNewTokens: 2 })],
  },
  tools,
);
