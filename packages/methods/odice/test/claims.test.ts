import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { exactDual } from "../claims/exact-dual.js";
import { claims } from "../claims/index.js";
import { type Method, odice } from "../claims/method.js";
import { stateConstraint } from "../claims/state-constraint.js";
import { conflict, swampMaze } from "../claims/swamp.js";
import { swingUp } from "../claims/swing-up.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

describe("claims fail for what is not the method", () => {
  it("state-constraint: fails where the orthogonal gradient is the semi-gradient", async () => {
    const semi: Method = {
      ...odice,
      gradients: (f, p, t, b, o) => odice.gradients(f, p, t, b, o.type === "orthogonal" ? { ...o, type: "semi" } : o),
    };
    expect(await holds(stateConstraint(semi))).toBe(false);
  });

  it("exact-dual: fails for another discount", async () => {
    const wrong: Method = {
      ...odice,
      gradients: (f, p, t, b, o) => odice.gradients(f, p, t, b, { ...o, discount: o.discount + 0.01 }),
    };
    expect(await holds(exactDual(wrong))).toBe(false);
  });

  it("swamp-maze, conflict-of-gradients and mixed-quality: fail for what was hardly trained", async () => {
    const untrained: Method = { ...odice, fit: (data, o) => odice.fit(data, { ...o, steps: 20 }) };
    expect(await holds(swampMaze(untrained))).toBe(false);
    expect(await holds(conflict(untrained))).toBe(false);
    expect(await holds(swingUp(untrained))).toBe(false);
  });
});
