import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { mul, type Tensor, trace, zeros } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { approximationQuality } from "../claims/approximation.js";
import { denoising } from "../claims/denoising.js";
import { denoisingAttentions, SMALL, SMALL_TRAINING, TRAINING } from "../claims/denoising-network.js";
import { judgeDigits, shippedAccuracies } from "../claims/digits.js";
import { claims } from "../claims/index.js";
import { peakBytes } from "../claims/live-memory.js";
import { equalTokens, spectralFilter } from "../claims/pseudo-inverse.js";
import { keepsScale } from "../claims/scale.js";
import { linearScaling } from "../claims/scaling.js";
import { attentions, fullGaussianHeads, newtonPinv, softHeads } from "../src/index.js";

// Compiled where the binding is installed: the networks of the digits take long on the host kernels.
const backend = await onnxRuntime().catch(() => undefined);
const patience = 120_000;

const result = (claim: Claim) => runClaim(claims, claim, { backend });

describe("the claims", () => {
  it("Newton is a spectral filter: not with a ridge that the filter does not know", async () => {
    expect((await result(spectralFilter((m, o) => newtonPinv(m, { ...o, ridge: 0.01 })))).holds).toBe(false);
  });

  it("equal tokens: not with the paper's factor for all", async () => {
    expect((await result(equalTokens((m, o) => newtonPinv(m, { ...o, factor: 2 })))).holds).toBe(false);
  });

  it("approximation: not without Newton steps", async () => {
    const broken = ({ ratio }: { ratio: number }) =>
      softHeads({ features: 8, ratio, bottleneck: "pool", pinv: { iterations: 3 } });
    expect((await result(approximationQuality(broken, [[16, 2]]))).holds).toBe(false);
  });

  it("scale: SOFT in the place of SOFT++ does not keep it", async () => {
    expect((await result(keepsScale("none", [16, 48]))).holds).toBe(false);
  });

  it(
    "digits: not when the shipped networks compute without a Newton step",
    async () => {
      const heads = { features: 16, ratio: 2, normalization: "symmetric" } as const;
      const withoutSteps = softHeads({ ...heads, pinv: { iterations: 0 } });
      const [softmax] = await shippedAccuracies({ backend }, "softmax", undefined, 1);
      const [other] = await shippedAccuracies({ backend }, "SOFT++", withoutSteps, 1);
      expect(judgeDigits(softmax, softmax, other)).toBe(false);
      expect(judgeDigits(softmax, other, softmax)).toBe(false);
    },
    patience,
  );

  it(
    "denoising: not without the bottleneck's inverse, nor where networks are hardly trained",
    async () => {
      const broken = softHeads({ features: 16, ratio: 4, pinv: { iterations: 2 } });
      const few = () => ({ ...TRAINING, runs: 0, test: 8, small: null });
      expect((await result(denoising({ ...denoisingAttentions(), SOFT: broken }, few))).holds).toBe(false);
      const size = { ...TRAINING, size: SMALL, runs: 1, steps: 2, batch: 2, test: 4, small: null };
      const hardly = denoising(denoisingAttentions(SMALL), () => size);
      const { holds, measured } = await result(hardly);
      expect(holds).toBe(false);
      expect(Object.keys(measured)).toEqual(["no attention", "softmax", "SOFT", "SOFT++"]);
    },
    patience,
  );

  it(
    "denoising: not where the small networks that are trained here do not attend",
    async () => {
      const brief = { ...SMALL_TRAINING, steps: 20 };
      const size = () => ({ ...TRAINING, runs: 0, test: 8, small: brief });
      const { holds, measured } = await result(denoising(undefined, size, [null, null]));
      expect(holds).toBe(false);
      expect((measured as Record<string, number>)["small SOFT / none"]).toBe(1);
    },
    patience,
  );

  it("scaling: the full kernel in the place of SOFT is not linear", async () => {
    const sizes = [128, 256, 512, 1024];
    const { measured, holds } = await result(linearScaling(fullGaussianHeads(), sizes, () => 1024));
    expect(holds).toBe(false);
    expect((measured as Record<string, number>)["SOFT memory"]).toBeGreaterThan(1.7);
  });

  it("are seven, each with its own id", () => {
    expect(claims.claims.length).toBe(7);
  });
});

describe("what the claims measure with", () => {
  it("peakBytes counts what is alive, not what was", () => {
    const chain = trace((x: Tensor) => mul(mul(mul(x, 2), 3), 4), zeros([100]));
    const wide = trace((x: Tensor) => [mul(x, 2), mul(x, 3), mul(x, 4)], zeros([100]));
    expect(peakBytes(wide) - peakBytes(chain)).toBe(400);
    const head = (n: number) =>
      trace(
        (x: Tensor) => attentions.softmax().apply(null, { query: x, key: x, value: x, grid: [1, n] }),
        zeros([1, 1, n, 2]),
      );
    expect(peakBytes(head(512)) / peakBytes(head(256))).toBeGreaterThan(3.5);
  });
});
