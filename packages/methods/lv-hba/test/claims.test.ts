import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { hessianFreeCost } from "../claims/hessian-free-cost.js";
import { claims } from "../claims/index.js";
import { labelCleaning } from "../claims/label-cleaning.js";
import { type Method, published } from "../claims/method.js";
import { nonUnique } from "../claims/non-unique.js";
import { closedForm, scaling } from "../claims/rates.js";
import { valueFunction } from "../claims/value-function.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** LV-HBA with other options than the claim asks for. */
const withOptions = (other: object): Method => ({
  ...published,
  lvHba: ((problem: never, options: object) => published.lvHba(problem, { ...options, ...other } as never)) as never,
});

describe("claims fail for baselines and broken variants", () => {
  it("closed form, many solutions: where the upper function is left out", async () => {
    const none = withOptions({ penalty: () => Number.POSITIVE_INFINITY });
    expect(await holds(closedForm(none))).toBe(false);
    expect(await holds(nonUnique(none))).toBe(false);
  });

  it("value function: for other proximal weights than were asked for", async () => {
    const proxLagrangianValue: Method["proxLagrangianValue"] = async (problem, x, y, z, options) => {
      const right = await published.proxLagrangianValue(problem, x, y, z, options);
      return {
        ...(await published.proxLagrangianValue(problem, x, y, z, { ...options, gamma1: 1 })),
        value: right.value,
      };
    };
    expect(await holds(valueFunction({ ...published, proxLagrangianValue }))).toBe(false);
  });

  it("label cleaning: where the costs do not move", async () => {
    expect(await holds(labelCleaning(withOptions({ alphaX: 1e-12, maxIterations: 50 }), 1))).toBe(false);
  });

  it("cost: for many steps on the saddle point in each iteration", async () => {
    expect(await holds(hessianFreeCost(withOptions({ eta: 1e-3, saddleSteps: 4000 })))).toBe(false);
  });

  it("scaling: where nothing is unscaled", async () => {
    expect(await holds(scaling(withOptions({ scaleConstraints: [Math.sqrt(300)] })))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    ...[
      "closed-form-and-rate",
      "many-lower-solutions",
      "value-function",
      "label-cleaning",
      "hessian-free-cost",
      "scaling-matters",
    ],
  ]);
});
