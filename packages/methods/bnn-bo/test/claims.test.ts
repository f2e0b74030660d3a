import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { hostTensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { fewDimensions, manyDimensions } from "../claims/dimensions.js";
import { hmcExact } from "../claims/hmc-exact.js";
import { claims } from "../claims/index.js";
import { infiniteLimit } from "../claims/infinite-limit.js";
import { laplaceExact } from "../claims/laplace-exact.js";
import { type Method, published } from "../claims/method.js";
import { severalObjectives } from "../claims/several-objectives.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** Even points in the place of suggestions. */
const even: Method = {
  ...published,
  bayesianOptimizer: (space, options) => published.bayesianOptimizer(space, { ...options, initialTrials: 1000 }),
};

describe("claims fail for baselines and broken variants", () => {
  it("dimensions and objectives: for even points", async () => {
    expect(await holds(manyDimensions(even))).toBe(false);
    expect(await holds(fewDimensions(even))).toBe(false);
    expect(await holds(severalObjectives(even))).toBe(false);
  });

  it("Hamiltonian Monte Carlo: for a chain that stands still", async () => {
    const hamiltonianMonteCarlo: Method["hamiltonianMonteCarlo"] = async (program, initial, data, options) => {
      const run = await published.hamiltonianMonteCarlo(program, initial, data, { ...options, burnIn: 1, samples: 1 });
      const { samples = 1 } = options ?? {};
      const [row] = run.samples.toArray() as number[][];
      const flat = Float64Array.from({ length: samples * row.length }, (_, k) => row[k % row.length]);
      return { ...run, samples: hostTensor(flat, [samples, row.length], "float64") };
    };
    expect(await holds(hmcExact({ ...published, hamiltonianMonteCarlo }))).toBe(false);
    expect(await holds(infiniteLimit({ ...published, hamiltonianMonteCarlo }))).toBe(false);
  });

  it("Laplace: for another prior", async () => {
    const laplacePosterior: Method["laplacePosterior"] = (weights, data, variances, ...rest) =>
      published.laplacePosterior(weights, data, { ...variances, prior: 2 * variances.prior }, ...rest);
    expect(await holds(laplaceExact({ ...published, laplacePosterior }))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    ...[
      "many-dimensions",
      "few-dimensions",
      "hmc-is-exact",
      "infinite-limit",
      "several-objectives",
      "laplace-is-exact",
    ],
  ]);
});
