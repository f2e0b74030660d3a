import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { concatenate, neg, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { securityAudit } from "../claims/audit.js";
import { closedForm, reparametrisation } from "../claims/closed-form.js";
import { claims } from "../claims/index.js";
import { adjointDpm, type Method } from "../claims/method.js";
import { constantMemory, learntModel, optimised } from "../claims/ring.js";
import { adjointValueAndGradient } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

describe("claims fail for what is not the method", () => {
  it("closed-form: holds, fails where all is solved by Euler's method", async () => {
    expect(await holds(closedForm())).toBe(true);
    const euler: Method = {
      ...adjointDpm,
      valueAndGradient: (m, l, z, o = {}) => adjointValueAndGradient(m, l, z, { ...o, solver: "euler" }),
    };
    expect(await holds(closedForm(euler))).toBe(false);
  });

  it("reparametrisation: fails for the raw equation throughout", async () => {
    const raw: Method = {
      ...adjointDpm,
      valueAndGradient: (m, l, z, o = {}) => adjointValueAndGradient(m, l, z, { ...o, form: "raw" }),
    };
    expect(await holds(reparametrisation(raw))).toBe(false);
  });

  it("constant-memory: fails for a tape that keeps all states", async () => {
    const keeping: Method = {
      ...adjointDpm,
      async sample(model, z, options = {}) {
        const record = Array.from({ length: options.steps ?? 20 }, (_, i) => i);
        const result = await adjointDpm.sample(model, z, { ...options, record });
        return { ...result, tape: { ...result.tape, start: concatenate(result.states, 0) } };
      },
    };
    expect(await holds(constantMemory(keeping))).toBe(false);
  });

  it("security-audit: fails for a gradient of the wrong sign", async () => {
    const wrong: Method = {
      ...adjointDpm,
      optimizeNoise: (m, l, z, o) => adjointDpm.optimizeNoise(m, (x) => neg((l as (x: Tensor) => Tensor)(x)), z, o),
    };
    expect(await holds(securityAudit(wrong, 1))).toBe(false);
  });

  it("learnt-model: fails where all is solved by Euler's method", async () => {
    const euler: Method = {
      ...adjointDpm,
      valueAndGradient: (m, l, z, o = {}) => adjointValueAndGradient(m, l, z, { ...o, solver: "euler" }),
    };
    expect(await holds(learntModel(euler, 40))).toBe(false);
  });

  it("condition-and-weights: fails where either is optimised for a few steps only", async () => {
    const condition: Method = {
      ...adjointDpm,
      optimizeCondition: (m, l, c, o) => adjointDpm.optimizeCondition(m, l, c, { ...o, steps: 3 }),
      finetune: (m, l, o) => adjointDpm.finetune(m, l, { ...o, steps: 3 }),
    };
    expect(await holds(optimised(condition))).toBe(false);
  });
});
