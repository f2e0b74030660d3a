import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { expect, it } from "vitest";
import { honestFailure, orthogonality } from "../claims/ablations.js";
import { exactness } from "../claims/exactness.js";
import { growth, judgeGrowth } from "../claims/growth.js";
import { headline, unseen } from "../claims/headline.js";
import { claims } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { trainingVectors } from "../claims/training-vectors.js";
import type { DirectionMap } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;
/** Another map than was asked for. */
const along = (change: (given: DirectionMap) => DirectionMap): Method => ({
  ...published,
  dcdm: (a, b, map, options) => published.dcdm(a, b, change(map), options),
});
const residuals = along(() => (r) => r.slice());

it("exactness fails for directions that are not made A-orthogonal", async () => {
  const loose: Method = { ...published, dcdm: (a, b, map, o) => published.dcdm(a, b, map, { ...o, k: 0 }) };
  expect(await holds(exactness(loose))).toBe(false);
});

it("iterations and unseen-domains fail along residuals", async () => {
  expect(await holds(headline(residuals))).toBe(false);
  expect(await holds(unseen(residuals))).toBe(false);
});

it("growth fails along residuals, and where an iteration costs as much as a dense product", async () => {
  expect(await holds(growth(residuals, async () => 1e-3))).toBe(false);
  const good = { converged: true, ours: [9, 11, 28], plain: [66, 125, 247], power: 1.1 };
  expect(judgeGrowth(good)).toBe(true);
  expect(judgeGrowth({ ...good, power: 2 })).toBe(false);
  expect(judgeGrowth({ ...good, ours: [9, 11, 90] })).toBe(false);
  expect(judgeGrowth({ ...good, converged: false })).toBe(false);
});

it("orthogonality fails where the number of directions is ignored", async () => {
  const deaf: Method = { ...published, dcdm: (a, b, map, o) => published.dcdm(a, b, map, { ...o, k: 2 }) };
  expect(await holds(orthogonality(deaf))).toBe(false);
});

it("training-vectors fails where the network is not asked", async () => {
  const deaf = along(() => (r) => r.slice());
  expect(await holds(trainingVectors(deaf))).toBe(false);
});

it("honest-failure fails for a map that sees all modes, and where no help is given", async () => {
  expect(await holds(honestFailure(residuals))).toBe(false);
  const helpless: Method = {
    ...published,
    dcdm: (a, b, map, o) => published.dcdm(a, b, map, { ...o, onStagnation: "report" }),
  };
  expect(await holds(honestFailure(helpless))).toBe(false);
});
