import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { againstRsvrb } from "../claims/against-rsvrb.js";
import { closedForm } from "../claims/closed-form.js";
import { bothConverge } from "../claims/convergence.js";
import { independentOfBlocks, productsAreCheap } from "../claims/cost.js";
import { claims } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { noisyLabels } from "../claims/noisy-labels.js";
import { batchSpeedup, parallelSpeedup } from "../claims/parallel-speedup.js";
import { varianceReduction } from "../claims/variance-reduction.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** BSVRB with other options than the claim asks for. */
const withOptions = (other: object): Method => ({
  ...published,
  bsvrb: ((problem: never, options: object) => published.bsvrb(problem, { ...options, ...other } as never)) as never,
});

/** BSVRB that stays where it begins. */
const still: Method = {
  ...published,
  bsvrb: (async (
    { initial }: { initial: object },
    { maxIterations, evaluate }: { maxIterations: number; evaluate?: (place: object, iteration: number) => object },
  ) => {
    for (let iteration = 1; iteration <= maxIterations; iteration++) await evaluate?.(initial, iteration);
    return initial;
  }) as never,
};

/** RSVRB in BSVRB's place. */
const rival = (
  problem: never,
  { version: _, alpha: __, linearBound: ___, init: ____, ...options }: Record<string, unknown>,
) => published.rsvrb(problem, { ...options, maxIterations: 30 } as never);

describe("claims fail for baselines and broken variants", () => {
  it("closed form, convergence, both speed-ups, RSVRB: for one that stays where it begins", async () => {
    for (const claim of [closedForm, bothConverge, parallelSpeedup, batchSpeedup]) {
      expect(await holds(claim(still))).toBe(false);
    }
    expect(await holds(againstRsvrb({ bsvrb: still.bsvrb, rsvrb: still.bsvrb as never }))).toBe(false);
  });

  it("variance reduction: for running means", async () => {
    expect(await holds(varianceReduction(withOptions({ estimator: "movingAverage" })))).toBe(false);
  });

  it("cost: for RSVRB, and where both versions are the first", async () => {
    expect(await holds(independentOfBlocks({ ...published, bsvrb: rival as never }, 1))).toBe(false);
    expect(await holds(productsAreCheap(withOptions({ version: "v1" }), 2))).toBe(false);
  });

  it("noisy labels: for weights that do not move", async () => {
    expect(await holds(noisyLabels(withOptions({ stepSize: 1e-9, maxIterations: 300 })))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    ...[
      "closed-form",
      "both-versions-converge",
      "parallel-speedup",
      "batch-speedup",
      "variance-reduction",
      "against-rsvrb",
    ],
    ...["cost-independent-of-blocks", "products-are-cheap", "noisy-labels"],
  ]);
});
