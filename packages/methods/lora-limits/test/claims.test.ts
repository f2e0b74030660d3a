import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { expect, it } from "vitest";
import { almostLinearTime } from "../claims/costs.js";
import { fineTuning } from "../claims/fine-tuning.js";
import { exactChain, lowRankPath } from "../claims/identities.js";
import { claims } from "../claims/index.js";
import { loraLimits, type Method } from "../claims/method.js";
import { countedThreshold, normTransition } from "../claims/transition.js";
import { baselineGradients, phaseDiagram } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;
const with_ = (loraGradients: Method["loraGradients"]): Method => ({ ...loraLimits, loraGradients });

it("exact-chain fails where attention is thought frozen", async () => {
  const frozen = with_(async (x, head, upstream, options) => ({
    ...(await loraLimits.loraGradients(x, head, upstream, options)),
    ...(await baselineGradients(x, head, upstream, { method: "frozenAttention" })),
  }));
  expect(await holds(exactChain(frozen))).toBe(false);
});

it("low-rank-path fails where another polynomial was multiplied", async () => {
  const other = with_(async (x, head, upstream, options) => ({
    ...(await loraLimits.loraGradients(x, head, upstream, options)),
    ...(await loraLimits
      .loraGradients(x, head, upstream, { ...options, degree: (options?.degree ?? 0) + 1 })
      .then(({ weights, a, b }) => ({ weights, a, b }))),
  }));
  expect(await holds(lowRankPath(other))).toBe(false);
});

it("almost-linear-time fails for random features, whose error is large, and for the exact gradient", async () => {
  const random = with_(async (x, head, upstream, options) =>
    options?.strategy === "exact"
      ? loraLimits.loraGradients(x, head, upstream, options)
      : {
          ...(await loraLimits.loraGradients(x, head, upstream, { strategy: "exact" })),
          ...(await baselineGradients(x, head, upstream, { method: "randomFeatures", features: 126 })),
        },
  );
  expect(await holds(almostLinearTime(random, [128, 256]))).toBe(false);
});

it("norm-transition fails where the gradient is exact at every norm", async () => {
  const exact = with_((x, head, upstream) => loraLimits.loraGradients(x, head, upstream, { strategy: "exact" }));
  expect(await holds(normTransition(exact, 64, [1, 4]))).toBe(false);
});

it("counted-threshold fails where norms do not count", async () => {
  const level = { ...loraLimits, phaseDiagram: () => phaseDiagram().map((point) => ({ ...point, exponent: 1 })) };
  expect(await holds(countedThreshold(level))).toBe(false);
});

it("fine-tuning fails for a polynomial of degree 1", async () => {
  const rough: Method = {
    ...loraLimits,
    fitAdapters: (head, examples, { tolerance: _, ...options } = {}) =>
      loraLimits.fitAdapters(head, examples, {
        ...options,
        steps: 8,
        ...(options.strategy !== "exact" && { strategy: "almostLinear", degree: 1 }),
      }),
  };
  expect(await holds(fineTuning(rough))).toBe(false);
});
