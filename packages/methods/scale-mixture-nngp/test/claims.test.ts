import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { calibration } from "../claims/calibration.js";
import { classification } from "../claims/classification.js";
import { exactPosterior } from "../claims/exact-posterior.js";
import { heavyTailedNoise } from "../claims/heavy-tailed-noise.js";
import { claims } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { priorLaw } from "../claims/prior-law.js";
import { trainedNetworks } from "../claims/trained-networks.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

describe("claims fail for baselines and broken variants", () => {
  /** Networks whose last layer's variance is known: the usual limit. */
  const known: Method = {
    ...published,
    sampleNetworks: (architecture, _, task, options) =>
      published.sampleNetworks(architecture, { kind: "point", value: 2 }, task, { ...options, count: 400 }),
  };

  it("prior law, trained networks: for a variance that is not random", async () => {
    expect(await holds(priorLaw(known))).toBe(false);
    const few: Method = {
      ...known,
      sampleNetworks: (a, p, task, options) => known.sampleNetworks(a, p, task, { ...options, width: 256, count: 150 }),
    };
    expect(await holds(trainedNetworks(few))).toBe(false);
  });

  it("exact posterior: where half of the data's weight is forgotten", async () => {
    const regress: Method["regress"] = (kernel, x, y, options = {}) => {
      const { prior } = options;
      const wrong = prior?.kind === "inverseGamma" ? { ...prior, rate: 2 * prior.rate } : prior;
      return published.regress(kernel, x, y, { ...options, ...(wrong === undefined ? {} : { prior: wrong }) });
    };
    expect(await holds(exactPosterior({ ...published, regress }))).toBe(false);
  });

  it("calibration: for a Gaussian process in place of the t process", async () => {
    const regress: Method["regress"] = (kernel, x, y, options = {}) =>
      published.regress(kernel, x, y, { ...options, prior: { kind: "fitted" } });
    expect(await holds(calibration({ ...published, regress }, 20))).toBe(false);
  });

  it("heavy-tailed noise: where every prior is taken for a fitted scale", async () => {
    const regress: Method["regress"] = (kernel, x, y, options = {}) =>
      published.regress(kernel, x, y, { ...options, prior: { kind: "fitted" } });
    const fitByValidation: Method["fitByValidation"] = (candidates, ...rest) =>
      published.fitByValidation({ ...candidates, kernels: candidates.kernels.slice(0, 2) }, ...rest);
    expect(await holds(heavyTailedNoise({ ...published, regress, fitByValidation }, 2))).toBe(false);
  });

  it("classification: for a random scale whose training is cut short", async () => {
    const fitClassifier: Method["fitClassifier"] = (kernel, x, labels, options = {}) =>
      published.fitClassifier(kernel, x, labels, { ...options, steps: options.prior?.kind === "point" ? 60 : 5 });
    expect(await holds(classification({ ...published, fitClassifier }))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    ...["prior-law", "exact-posterior", "calibration", "heavy-tailed-noise", "trained-networks", "classification"],
  ]);
});
