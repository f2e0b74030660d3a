import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { bandit } from "../claims/bandit.js";
import { closedForms } from "../claims/closed-forms.js";
import { contextualBandit } from "../claims/context.js";
import { heatEquation } from "../claims/heat.js";
import { claims } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { rightHandSides } from "../claims/right-hand-sides.js";
import { surrogateBound } from "../claims/surrogate.js";
import { bestOf } from "../claims/totals.js";
import { EpsilonGreedy, FixedSetting, omegaGrid, TsallisInf, TsallisInfBinned } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

const variant = (part: Partial<Method>): Method => ({ ...published, ...part });

describe("claims fail for what is not the method", () => {
  it("closed forms: fail for the asymptotic radius of omega = 1 everywhere, and for another omega*", async () => {
    expect(await holds(closedForms(variant({ sorSpectralRadius: (_, beta) => beta ** 2 })))).toBe(false);
    expect(await holds(closedForms(variant({ omegaStar: (beta) => 1 + beta ** 2 / 2 })))).toBe(false);
  });

  it("surrogate: fails without the asymptocity", async () => {
    const asymptotic: Method["surrogate"] = (options) => published.surrogate({ ...options, tau: 0 });
    expect(await holds(surrogateBound(variant({ surrogate: asymptotic })))).toBe(false);
  });

  it("bandit: fails for omega = 1.4, and for uniform exploration", async () => {
    const brief = { quick: 600, full: 600 };
    expect(await holds(bandit(variant({ tsallis: () => new FixedSetting(1.4) }), brief))).toBe(false);
    const uniform = (settings: number[], seed: number | string) => new EpsilonGreedy({ settings, seed, epsilon: 1 });
    expect(await holds(bandit(variant({ tsallis: uniform }), brief))).toBe(false);
  });

  it("context: fails for a bandit without one, and for bins in the place of polynomials", async () => {
    const short = { quick: 500, full: 500 };
    const blind: Method["cheb"] = (settings, seed) => new TsallisInf({ settings, seed });
    expect(await holds(contextualBandit(variant({ cheb: blind }), short))).toBe(false);
    const bins: Method["cheb"] = (settings, seed, range) => new TsallisInfBinned({ settings, seed, bins: 5, range });
    expect(await holds(contextualBandit(variant({ cheb: bins }), short))).toBe(false);
  });

  it("heat: fails for the best fixed omega in the place of ChebCB", async () => {
    expect(await holds(heatEquation(variant({ cheb: () => new FixedSetting(1.4) }), 200))).toBe(false);
  });

  it("right-hand sides: fail where the omegas are not those of the eigenvector", async () => {
    expect(await holds(rightHandSides([1.35, 1.45, 1.55]))).toBe(true);
    expect(await holds(rightHandSides([1.65, 1.7, 1.75]))).toBe(false);
  });
});

it("the best point of a grid is found with few costs where the cost falls and then rises, else from all costs", async () => {
  const grid = omegaGrid();
  for (const lowest of [0.9, 1, 1.32, 1.66, 1.95, 2.1]) {
    const asked: number[] = [];
    const cost = (w: number) => {
      asked.push(w);
      return Math.abs(w - lowest);
    };
    const found = await bestOf(grid, cost, false);
    expect(asked.length).toBeLessThan(8);
    expect(found).toEqual(await bestOf(grid, cost, true));
  }
  const bumpy = (w: number) => [3, 5, 4, 2, 4, 1][w - 1]!;
  expect((await bestOf([1, 2, 3, 4, 5, 6], bumpy, true)).point).toBe(6);
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    "closed-forms",
    "surrogate",
    "bandit-against-fixed",
    "context-beats-any-fixed",
    "heat-equation",
    "right-hand-sides-matter",
  ]);
});
