import { maSoba } from "@offprint/bilevel";
import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { sub, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { epochRate } from "../claims/epoch-rate.js";
import { exactHypergradient } from "../claims/exact-hypergradient.js";
import { claims } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { periodicUpdates } from "../claims/periodic-updates.js";
import { recurrentNetwork } from "../claims/recurrent-network.js";
import { fixedTravel, unboundedSmoothness } from "../claims/unbounded-smoothness.js";
import { wrongLabels } from "../claims/wrong-labels.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** BO-REP with other options than the claim asks for. */
const withOptions = (other: object): Method => ({
  ...published,
  boRep: ((problem: never, options: object) => published.boRep(problem, { ...options, ...other } as never)) as never,
});

describe("claims fail for baselines and broken variants", () => {
  it("exact hypergradient: for a step of z that is too small to contract as said", async () => {
    expect(await holds(exactHypergradient(withOptions({ linearStepSize: 0.1 })))).toBe(false);
  });

  it("unbounded smoothness, fixed travel: without normalisation", async () => {
    const plain = withOptions({ normalize: false });
    expect(await holds(unboundedSmoothness(plain))).toBe(false);
    expect(await holds(fixedTravel(plain))).toBe(false);
  });

  it("epoch rate: for a constant step", async () => {
    const epochSgd: Method["epochSgd"] = async (gradient, initial, options) => {
      let y = initial as Tensor;
      const history = [];
      for (let epoch = 1, k = 0; epoch <= options.epochs; epoch++) {
        const gradients = options.firstSteps * (2 ** epoch - 1);
        for (; k < gradients; k++) y = sub(y, (await gradient(y, k)).mul(0.2));
        history.push({ epoch, gradients, y });
      }
      return { ...(await published.epochSgd(gradient, initial, { ...options, epochs: 1 })), y, history };
    };
    expect(await holds(epochRate({ ...published, epochSgd }))).toBe(false);
  });

  it("periodic updates: where the period changes nothing", async () => {
    expect(await holds(periodicUpdates(withOptions({ period: 2 })))).toBe(false);
  });

  it("recurrent network: for steps that are not normalised", async () => {
    expect(await holds(recurrentNetwork(withOptions({ normalize: false }), 1))).toBe(false);
  });

  it("wrong labels: for MA-SOBA at the same numbers, which does not move", async () => {
    const still: Method = {
      ...published,
      boRep: (async (
        problem: never,
        { stepLength, refinement: _, ...rest }: { stepLength: number; refinement: unknown },
      ) => maSoba(problem, { ...rest, stepSize: stepLength, refinementSteps: 100 } as never)) as never,
    };
    expect(await holds(wrongLabels(still, 1))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    ...["exact-hypergradient", "unbounded-smoothness", "fixed-travel", "epoch-sgd-rate", "periodic-updates"],
    ...["recurrent-network", "wrong-labels"],
  ]);
});
