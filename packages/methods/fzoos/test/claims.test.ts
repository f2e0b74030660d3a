import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { blackBoxAttack } from "../claims/attack.js";
import { exactSurrogates } from "../claims/exact.js";
import { fewerQueries } from "../claims/fewer-queries.js";
import { heterogeneity } from "../claims/heterogeneity.js";
import { ackley, claims, levy, quadratic } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { surrogateQuality } from "../claims/quality.js";
import type { FedZoOptions } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** FedZO in the place of FZooS. */
const differences: Method = {
  ...published,
  fzoos: (problem, { maxIterations, seed, localSteps, optimizer } = {}) => {
    const given = { maxIterations, seed, localSteps, optimizer };
    return published.fedZo(
      problem,
      Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as FedZoOptions,
    );
  },
};

describe("claims fail for baselines and broken variants", () => {
  it("exactness: for the gradient of another length scale, and weights that are not averaged", async () => {
    const trajectorySurrogate: Method["trajectorySurrogate"] = (x, y, options) =>
      published.trajectorySurrogate(x, y, { ...options, length: 1.1 });
    expect(await holds(exactSurrogates({ ...published, trajectorySurrogate }))).toBe(false);
    const fourierSurrogate: Method["fourierSurrogate"] = (d, options) => {
      const right = published.fourierSurrogate(d, options);
      return { ...right, gradient: (weights, x) => right.gradient(weights, x).square() };
    };
    expect(await holds(exactSurrogates({ ...published, fourierSurrogate }))).toBe(false);
  });

  it("quality: for surrogates of a fifth of the queries", async () => {
    const trajectorySurrogate: Method["trajectorySurrogate"] = (x, y, options) => {
      const [points, values] = [x as number[][], y as number[]];
      const n = Math.ceil(points.length / 5);
      return published.trajectorySurrogate(points.slice(0, n), values.slice(0, n), options);
    };
    expect(await holds(surrogateQuality({ ...published, trajectorySurrogate }))).toBe(false);
  });

  it("queries and heterogeneity: for FedZO in the place of FZooS", async () => {
    expect(await holds(fewerQueries(differences))).toBe(false);
    expect(await holds(heterogeneity(differences))).toBe(false);
  });

  it("attack: for FedZO in the place of FZooS", async () => {
    expect(await holds(blackBoxAttack(differences))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    "surrogates-are-exact",
    "gradients-from-the-trajectory",
    "fewer-rounds-and-queries",
    "correction-under-heterogeneity",
    "black-box-attack",
  ]);
});

const meanOf = (clients: readonly ((x: Float64Array) => number)[], x: Float64Array) =>
  clients.reduce((sum, f) => sum + f(x), 0) / clients.length;

it("the mean of the quadratics has its minimum at 0.475, whatever the heterogeneity", () => {
  for (const C of [0.5, 50]) {
    const { clients, least = 0 } = quadratic(random.rng(1), 4, 3, C);
    const at = (v: number) => meanOf(clients, new Float64Array(4).fill(v));
    expect(at(0.475)).toBeCloseTo(least, 9);
    expect(at(0.48)).toBeGreaterThan(least);
    expect(at(0.47)).toBeGreaterThan(least);
    expect(clients[0](new Float64Array(4).fill(0.3))).not.toBeCloseTo(clients[1](new Float64Array(4).fill(0.3)), 3);
  }
});

it("without heterogeneity Ackley's function is 0 in the middle, and Levy's where all its arguments are 1", () => {
  const same = ackley(random.rng(1), 3, 2, 0).clients;
  expect(meanOf(same, new Float64Array(3).fill(0.5))).toBeCloseTo(0, 12);
  // v = 0.1 u = 1 lies at u = 10, the corner of the box.
  expect(meanOf(levy(random.rng(1), 3, 2, 0).clients, new Float64Array(3).fill(1))).toBeCloseTo(0, 12);
});
