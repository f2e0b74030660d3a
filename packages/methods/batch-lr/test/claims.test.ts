import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { batchHessians } from "../claims/batch-hessians.js";
import { claims } from "../claims/index.js";
import { learner } from "../claims/learner.js";
import { batchLr } from "../claims/method.js";
import { quadraticClaim } from "../claims/quadratic.js";
import { quadrature } from "../claims/quadrature.js";
import { scaling, slopeOf } from "../claims/scaling.js";
import { theorem } from "../claims/theorem.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

describe("claims fail for what is not the method", () => {
  it("theorem-1: fails for the full Hessian's eigenvalues, without the noise", async () => {
    const noiseless = {
      batchExtremes: (o: Parameters<typeof batchLr.batchExtremes>[0]) => ({
        ...batchLr.batchExtremes(o),
        top: o.lambda1,
      }),
    };
    expect(await holds(theorem(noiseless))).toBe(false);
  });

  it("quadratic: fails with the mean in place of the smallest curvature, and with few Lanczos steps", async () => {
    const mean = { ...batchLr, polyak: (s, o) => batchLr.polyak(s, { ...o, smallest: "mean" }) } as typeof batchLr;
    const few = { ...batchLr, krylovSpectrum: (a, s) => batchLr.krylovSpectrum(a, s, 8) } as typeof batchLr;
    for (const broken of [mean, few]) expect(await holds(quadraticClaim(broken))).toBe(false);
  });

  it("quadrature: fails with five products a probe", async () => {
    const few = { spectralDensity: (a, n, o) => batchLr.spectralDensity(a, n, { ...o, steps: 5 }) } as typeof batchLr;
    expect(await holds(quadrature(few))).toBe(false);
  });

  it("batch-hessians: fails where every batch is as large as the largest", async () => {
    const large = (size: number) => Int32Array.from({ length: 512 }, (_, i) => (i + size) % 1297);
    const same = {
      ...batchLr,
      estimateNoise: (p, o) =>
        batchLr.estimateNoise(
          { ...p, sample: (chosen) => p.sample(chosen.length < 512 ? large(chosen.length) : chosen) },
          { ...o, noiseBatch: 256 },
        ),
    } as typeof batchLr;
    expect(await holds(batchHessians(same, () => ({ repeats: 2 })))).toBe(false);
  });

  it("learner: fails with a tenth of the safety factor", async () => {
    const timid = {
      trainByCurvature: (p, o) => batchLr.trainByCurvature(p, { ...o, safety: 0.1 * o.safety! }),
    } as typeof batchLr;
    expect(await holds(learner(timid))).toBe(false);
  });

  it("scaling: is judged on both slopes and on the end of SGD's", async () => {
    const of = (rates: readonly number[]) => async () => [...rates];
    const [sgd, adam] = [
      [0.25, 0.5, 1, 2, 2.8],
      [0.02, 0.07, 0.25],
    ];
    expect(await holds(scaling(of(sgd), of(adam)))).toBe(true);
    expect(await holds(scaling(of([0.25, 0.3, 0.36, 2, 2.8]), of(adam)))).toBe(false);
    expect(await holds(scaling(of([0.25, 0.5, 1, 2, 8]), of(adam)))).toBe(false);
    expect(await holds(scaling(of(sgd), of([0.02, 0.02, 0.02])))).toBe(false);
    expect(await holds(scaling(of([0.25, 0.5, Number.NaN, 2, 2]), of(adam)))).toBe(false);
    expect(slopeOf([1, 2, 4], [3, 6, 12])).toBeCloseTo(1, 12);
  });
});
