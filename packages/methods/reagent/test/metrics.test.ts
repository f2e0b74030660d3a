import { random, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  distributionDistance,
  type FaithfulnessWarning,
  hardFaithfulness,
  logRatioToRandom,
  matchedKeepProbabilities,
  softFaithfulness,
  softNC,
  softNS,
} from "../src/index.js";
import { expected, ids, lm } from "./pytorch-baselines.js";

const noise = tensor(Float64Array.from(expected.noise.flat(2)), { shape: [2, ids.length, 8] });

describe("soft metrics", () => {
  it.each(["official", "hellinger"] as const)("are PyTorch's with the %s distance", async (distance) => {
    const found = await softFaithfulness(lm, ids, expected.keep, { noise, distance });
    for (const k of [0, 1]) {
      expect(found.softNS[k]).toBeCloseTo(expected.metrics[distance].ns[k], 10);
      expect(found.softNC[k]).toBeCloseTo(expected.metrics[distance].nc[k], 10);
    }
    expect(await softNS(lm, ids, expected.keep, { noise, distance })).toEqual(found.softNS);
    expect(await softNC(lm, ids, expected.keep, { noise, distance })).toEqual(found.softNC);
  });

  it("are 1 where everything is important, and 0 sufficiency where nothing is", async () => {
    const ones = new Float64Array(ids.length).fill(1);
    const all = await softFaithfulness(lm, ids, ones, { draws: 3 });
    expect(all.softNS).toEqual([1, 1, 1]);
    expect(all.softNC).toEqual([1, 1, 1]);
    const none = await softFaithfulness(lm, ids, new Float64Array(ids.length), { draws: 3 });
    expect(none.softNS).toEqual([0, 0, 0]);
    expect(none.softNC).toEqual([0, 0, 0]);
  });

  it("have no value, and say so, where the prediction does not depend on the input", async () => {
    const warnings: FaithfulnessWarning[] = [];
    const deaf = {
      ...lm,
      nextLogitsFromEmbeds: (x: Tensor) => tensor(new Float64Array(x.shape[0] * 100), { shape: [x.shape[0], 100] }),
    };
    const found = await softFaithfulness(deaf, ids, expected.keep, { draws: 2, onWarning: (w) => warnings.push(w) });
    expect(found.softNC.every(Number.isNaN) && found.softNS.every(Number.isNaN)).toBe(true);
    expect(warnings).toMatchObject([{ kind: "prediction-without-input" }]);
  });

  it("are refused for importances and noise that do not fit", async () => {
    await expect(softNS(lm, ids, [1])).rejects.toThrow(/importance has 1 entries/);
    await expect(softNS(lm, ids, new Float64Array(ids.length).fill(1.5))).rejects.toThrow(/importance\[0\] is 1.5/);
    const rounded = new Float64Array(ids.length).fill(1 + 2 * Number.EPSILON);
    expect(await softNS(lm, ids, rounded, { draws: 1 })).toEqual([1]);
    await expect(softNS(lm, ids, expected.keep, { noise: [[[0]]] })).rejects.toThrow(/noise has shape \[1,1,1\]/);
    await expect(softNS(lm, ids, expected.keep, { draws: 0 })).rejects.toThrow(/draws is 0/);
    await expect(softNS(lm, ids, expected.keep, { distance: "l2" as never })).rejects.toThrow(/distance is "l2"/);
  });
});

describe("hard metrics", () => {
  it("are the soft ones with keep-probabilities 0 and 1", async () => {
    const scores = Float64Array.from(ids, (_, i) => -i);
    const top = Float64Array.from(ids, (_, i) => (i < 2 ? 1 : 0));
    const hard = await hardFaithfulness(lm, ids, scores, 2);
    const soft = await softFaithfulness(lm, ids, top, { draws: 1 });
    expect(hard.normalizedSufficiency).toBeCloseTo(soft.softNS[0], 12);
    expect(hard.normalizedComprehensiveness).toBeCloseTo(soft.softNC[0], 12);
    expect(hard.comprehensiveness / hard.normalizedComprehensiveness).toBeGreaterThan(0);
  });

  it("keep everything or nothing at the ends", async () => {
    const scores = Float64Array.from(ids, (_, i) => i);
    const all = await hardFaithfulness(lm, ids, scores, ids.length);
    expect(all.sufficiency).toBeCloseTo(1, 12);
    expect(all.normalizedComprehensiveness).toBeCloseTo(1, 12);
    const none = await hardFaithfulness(lm, ids, scores, 0);
    expect(none.comprehensiveness).toBeCloseTo(0, 12);
    expect(none.normalizedSufficiency).toBeCloseTo(0, 12);
    await expect(hardFaithfulness(lm, ids, scores, ids.length + 1)).rejects.toThrow(/n is/);
    await expect(hardFaithfulness(lm, ids, [1], 1)).rejects.toThrow(/scores has 1 entries/);
  });
});

describe("distances of distributions", () => {
  it("are 0 only for equal ones, at most sqrt 2 and 1", () => {
    const [p, q] = [
      [1, 0],
      [0, 1],
    ];
    expect(distributionDistance(p, q)).toBeCloseTo(Math.SQRT2, 15);
    expect(distributionDistance(p, q, "hellinger")).toBe(1);
    for (const kind of ["official", "hellinger"] as const) {
      expect(distributionDistance(p, p, kind)).toBe(0);
      expect(distributionDistance([0.5, 0.5], [0.5 + 1e-4, 0.5 - 1e-4], kind)).toBeGreaterThan(0);
    }
    expect(() => distributionDistance([1], [1, 0])).toThrow(/p has 1 probabilities/);
  });
});

describe("matched mass", () => {
  it("has exactly the mean that is asked for, in the order of the scores", () => {
    const rng = random.rng(0);
    for (let trial = 0; trial < 200; trial++) {
      const scores = rng
        .normal([12], { dtype: "float64" })
        .data()
        .map((x) => Math.sign(x) * Math.exp(2 * Math.abs(x)));
      const positive = scores.filter((s) => s > 0).length;
      const rho = (0.9 * positive) / 12;
      if (positive === 0) continue;
      const keep = matchedKeepProbabilities(scores, rho);
      expect(keep.reduce((a, b) => a + b, 0) / 12).toBeCloseTo(rho, 9);
      for (let i = 0; i < 12; i++) {
        expect(keep[i] >= 0 && keep[i] <= 1).toBe(true);
        for (let k = 0; k < 12; k++) if (scores[i] > scores[k]) expect(keep[i]).toBeGreaterThanOrEqual(keep[k]);
      }
      // min(1, c a): unsaturated entries have the ratios of the scores.
      const free = keep.findIndex((value) => value > 0 && value < 1);
      for (let k = 0; k < 12; k++)
        if (keep[k] > 0 && keep[k] < 1) expect(keep[k] / keep[free]).toBeCloseTo(scores[k] / scores[free], 9);
    }
  });

  it("of everything is 1 everywhere, and one-hot scores keep one token", () => {
    expect(Array.from(matchedKeepProbabilities([3, 1, 2], 1))).toEqual([1, 1, 1]);
    expect(Array.from(matchedKeepProbabilities([0, 5, 0, 0], 0.25))).toEqual([0, 1, 0, 0]);
    expect(Array.from(matchedKeepProbabilities([1, 1, 1, 1], 0.5))).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it("is refused where too few scores are positive", () => {
    expect(() => matchedKeepProbabilities([0, 0, 0])).toThrow(/0 of 3 scores are positive/);
    expect(() => matchedKeepProbabilities([1, -1, -2, 0], 0.5)).toThrow(/too few to keep 2 tokens/);
    expect(() => matchedKeepProbabilities([1, Number.NaN])).toThrow(/scores\[1\] is NaN/);
    expect(() => matchedKeepProbabilities([1], 0)).toThrow(/rho is 0/);
  });
});

it("the reported figure is ln of the ratio of means", () => {
  expect(logRatioToRandom([0.2, 0.4], [0.1, 0.1])).toBeCloseTo(Math.log(3), 12);
  expect(() => logRatioToRandom([], [1])).toThrow(/no values/);
});
