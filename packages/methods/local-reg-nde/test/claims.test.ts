import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { embeddedStep, integrate } from "@offprint/ode";
import { abs, mul, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { headline, judge, type Trio } from "../claims/headline.js";
import { headlineSde } from "../claims/headline-sde.js";
import { claims } from "../claims/index.js";
import { memory } from "../claims/memory.js";
import { localRegNde, type Method } from "../claims/method.js";
import { locality, relation } from "../claims/relation.js";
import { stepSource, stiffness } from "../claims/variants.js";
import { localRegularizer } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

describe("claims fail for what is not the method", () => {
  it("relation: holds, and fails for terms without the size of the step", async () => {
    expect(await holds(relation())).toBe(true);
    const broken: Method = {
      ...localRegNde,
      localTerm: (f, u, t, h, o) => mul(localRegNde.localTerm(f, u, t, mul(h, 0.9), o), 1),
    };
    expect(await holds(relation(broken))).toBe(false);
  });

  it("locality: holds, and fails where the state is not a constant", async () => {
    expect(await holds(locality())).toBe(true);
    const open: Method = {
      ...localRegNde,
      localRegularizer: (f, { at }, _, u, o = {}) => {
        const { error } = embeddedStep(f, u, mul(at(u as never) as never, 1) as never, 0.1, {
          parameters: o.parameters as never,
        });
        return mul(error, abs(mul(error, 0)));
      },
    };
    expect(await holds(locality(open))).toBe(false);
  });

  it("memory: holds, and fails where the dense output is kept to look states up in it", async () => {
    const keeping: Method = {
      ...localRegNde,
      solveWithLocalTerm(f, y0, span, uniform, { mode, tolerance = 1e-6, ...solving }) {
        const { parameters } = solving;
        const solved = integrate(f, y0, span, { ...solving, dense: true });
        return { y: solved.y, r: localRegularizer(f, solved, span, uniform, { mode, tolerance, parameters }) };
      },
    };
    expect(await holds(memory())).toBe(true);
    expect(await holds(memory(keeping))).toBe(false);
  });

  it("evaluations, stiffness, step-source and neural-sde: fail for a regulariser without weight", async () => {
    const effort = { train: 60, test: 100, batch: 20, epochs: 1, runs: 1 };
    // Without weight all trainings from the same parameters are one, which a test of fitLocally shows.
    const once = new Map<string, ReturnType<Method["fitLocally"]>>();
    const without = {
      ...localRegNde,
      fitLocally: (m, p, d, o) => {
        const key = tree.toJson(p);
        const fit = once.get(key) ?? localRegNde.fitLocally(m, p, d, { ...o, lambda: 0 });
        once.set(key, fit as never);
        return fit;
      },
    } as Method;
    for (const claim of [headline, stiffness, stepSource]) expect(await holds(claim(without, effort))).toBe(false);
    expect(once.size).toBe(1);
    const blind: Method = {
      ...localRegNde,
      fitSdeLocally: (m, p, d, o) => localRegNde.fitSdeLocally(m, p, d, { ...o, lambda: 0 }),
    };
    expect(await holds(headlineSde(blind, { train: 60, test: 60, batch: 30, epochs: 1 }))).toBe(false);
    const of = (evaluations: number, accuracy: number) => ({ evaluations, accuracy });
    const good: Trio = { vanilla: of(80, 0.96), unbiased: of(38, 0.955), biased: of(32, 0.95) };
    expect(judge([good], 0.6, 0.015)).toBe(true);
    expect(judge([{ ...good, unbiased: of(50, 0.96) }], 0.6, 0.015)).toBe(false);
    expect(judge([{ ...good, biased: of(32, 0.94) }], 0.6, 0.015)).toBe(false);
  });
});
