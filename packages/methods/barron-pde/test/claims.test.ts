import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { expect, it } from "vitest";
import { dimensionIndependence, exactness, geometricConvergence } from "../claims/convergence.js";
import { costByDimension } from "../claims/cost-by-dimension.js";
import { claims } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { dirichlet, endToEnd, monteCarloRate } from "../claims/networks.js";
import { normGrowth } from "../claims/norm-growth.js";
import { randomNetwork } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;
const variant = (change: Partial<Method>): Method => ({ ...published, ...change });
/** Other options than were asked for. */
const descending = (options: object) =>
  variant({ descend: (lagrangian, f, given) => published.descend(lagrangian, f, { ...given, ...options }) });

it("exactness fails for a descent that ends early, and for an equation that is another", async () => {
  expect(await holds(exactness(descending({ maxIterations: 60 })))).toBe(false);
  const weaker = variant({ descend: (lagrangian, f, given) => published.descend(lagrangian, f.scale(1.0001), given) });
  expect(await holds(exactness(weaker))).toBe(false);
});

it("geometric-convergence fails where the factor is taken at one end of the step only", async () => {
  const hopeful = variant({
    async descend(lagrangian, f, given) {
      const run = await published.descend(lagrangian, f, {
        ...given,
        ...(given?.stepSize === undefined && { stepSize: "descent" }),
      });
      return { ...run, history: run.history.map((record) => ({ ...record, factor: record.factor ** 2 })) };
    },
  });
  expect(await holds(geometricConvergence(hopeful))).toBe(false);
});

it("dimension-independence fails without the preconditioner", async () => {
  expect(await holds(dimensionIndependence(descending({ preconditioner: "none", stepSize: 1e-3 })))).toBe(false);
});

it("norm-growth fails for a recursion that forgets a tenth of the right-hand side", async () => {
  const forgetful = variant({
    barronRecursion: ((kind: "refined", facts: never, iterations: number) =>
      published.barronRecursion(
        kind,
        {
          ...(facts as object),
          ...(kind === "refined" && { barronF: 0.9 * (facts as { barronF: number }).barronF }),
        } as never,
        iterations,
      )) as Method["barronRecursion"],
  });
  expect(await holds(normGrowth(forgetful))).toBe(false);
});

it("monte-carlo-rate fails where every draw is the same, and for fitted random units", async () => {
  const same = variant({ sampleNetwork: (u, options) => published.sampleNetwork(u, { ...options, width: 4 }) });
  expect(await holds(monteCarloRate(same))).toBe(false);
});

it("dirichlet fails where the step leaves the solution early", async () => {
  expect(await holds(dirichlet(descending({ maxIterations: 10 })))).toBe(false);
});

it("end-to-end fails for networks whose hidden units are drawn without the function", async () => {
  const blind = variant({
    sampleNetwork: (u, options) => ({
      ...published.sampleNetwork(u, options),
      network: randomNetwork(u, { width: Math.min(60, options.width), seed: options.seed ?? 0 }),
    }),
  });
  expect(await holds(endToEnd(blind))).toBe(false);
});

it("cost-by-dimension fails where the accuracy that is asked for tightens with the dimension", async () => {
  const tightening = variant({
    certify: (lagrangian, f, options) =>
      published.certify(lagrangian, f, { ...options, accuracy: options.accuracy / f.dimension }),
  });
  expect(await holds(costByDimension(tightening, [2, 4, 8]))).toBe(false);
});
