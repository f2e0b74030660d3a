import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { mul, stopGradient } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { discreteAdjoint } from "../claims/discrete-adjoint.js";
import { exact } from "../claims/exact.js";
import { headlineOde, judge, type Pair } from "../claims/headline-ode.js";
import { claims } from "../claims/index.js";
import { latentSeries } from "../claims/latent-ode.js";
import { type Method, regularizedNde } from "../claims/method.js";
import { tradeOff } from "../claims/trade-off.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

describe("claims fail for what is not the method", () => {
  it("exact: holds, and fails where sizes of steps or the region of stability are left out", async () => {
    expect(await holds(exact())).toBe(true);
    const unweighed: Method = {
      ...regularizedNde,
      errorRegularizer: (s, a) => regularizedNde.errorRegularizer({ ...s, stepSizes: mul(s.stepSizes, 2) }, a),
    };
    const unscaled: Method = {
      ...regularizedNde,
      stiffnessRegularizer: (s, a) => regularizedNde.stiffnessRegularizer(s, a, 1),
    };
    for (const broken of [unweighed, unscaled]) expect(await holds(exact(broken))).toBe(false);
  });

  it("discrete-adjoint: fails where no gradient goes through the estimates", async () => {
    const blind: Method = {
      ...regularizedNde,
      errorRegularizer: (s, a) => stopGradient(regularizedNde.errorRegularizer(s, a)),
    };
    expect(await holds(discreteAdjoint(blind))).toBe(false);
  });

  it("neural-ode, trade-off and latent-ode: fail for a regulariser without weight", async () => {
    const without: Method = {
      ...regularizedNde,
      fitOde: (m, p, d, o) => regularizedNde.fitOde(m, p, d, { ...o, lambda: 0 }),
    };
    expect(await holds(headlineOde(without, { train: 40, test: 100, batch: 20, epochs: 1 }))).toBe(false);
    expect(await holds(tradeOff(without, { train: 40, test: 100, batch: 20, epochs: 1 }))).toBe(false);
    expect(await holds(latentSeries(without, { train: 60, epochs: 1, times: 5 }))).toBe(false);
  });

  it("both headlines are judged on evaluations to predict and to train, and on accuracy", () => {
    const of = (evaluations: number, trainingEvaluations: number, accuracy: number) => ({
      evaluations,
      trainingEvaluations,
      accuracy,
    });
    const good: Pair = { vanilla: of(80, 70, 0.96), regularized: of(32, 36, 0.955) };
    expect(judge([good], 0.6, 0.015)).toBe(true);
    expect(judge([{ ...good, regularized: of(56, 36, 0.955) }], 0.6, 0.015)).toBe(false);
    expect(judge([{ ...good, regularized: of(32, 71, 0.955) }], 0.6, 0.015)).toBe(false);
    expect(judge([{ ...good, regularized: of(32, 36, 0.94) }], 0.6, 0.015)).toBe(false);
  });
});
