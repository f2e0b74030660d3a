import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { bias, bound } from "../claims/bounds.js";
import { editing } from "../claims/editing.js";
import { identities } from "../claims/identities.js";
import { claims } from "../claims/index.js";
import { type Method, secondOrder } from "../claims/method.js";
import { ablation, calls } from "../claims/restoration.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

describe("claims fail for what is not the method", () => {
  it("fewer-calls: fails with one correction throughout; trace-ablation where the trace is left out", async () => {
    const single: Method = {
      ...secondOrder,
      restore: (m, a, y, o = {}) => secondOrder.restore(m, a, y, { ...o, corrections: 1, traceWeight: 0 }),
    };
    expect(await holds(calls(single, 8))).toBe(false);
    expect(await holds(ablation(single, 8))).toBe(false);
  });

  it("second-order-identity: fails for a trace of the wrong sign", async () => {
    const wrong: Method = {
      ...secondOrder,
      trace: async (d, z, l, o = {}) => (await secondOrder.trace(d, z, l, o)).neg(),
    };
    expect(await holds(identities(wrong))).toBe(false);
  });

  it("bound and bias: fail for the first order", async () => {
    const first: Method = {
      ...secondOrder,
      logLikelihood(m, a, y, z, l, o) {
        const found = secondOrder.logLikelihood(m, a, y, z, l, o);
        return { ...found, surrogate: found.firstOrder, jensen: found.firstOrder };
      },
    };
    expect(await holds(bound(first))).toBe(false);
    expect(await holds(bias(first))).toBe(false);
  });

  it("corrupted-editing: fails without corrections", async () => {
    const blind: Method = { ...secondOrder, edit: (m, a, y, o) => secondOrder.edit(m, a, y, { ...o, stepSize: 0 }) };
    expect(await holds(editing(blind))).toBe(false);
  });
});
