import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { mul } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { classification } from "../claims/classification.js";
import { graphValueIteration, judgeEvaluation, judgeIteration, policyEvaluation } from "../claims/decisions.js";
import { exactFixedPoint, judgeExact } from "../claims/exact-fixed-point.js";
import { guarantee } from "../claims/guarantee.js";
import { implicitGradient, judgeGradient } from "../claims/implicit-gradient.js";
import { claims } from "../claims/index.js";
import { linearCost } from "../claims/linear-cost.js";
import { type Method, method } from "../claims/method.js";
import { judgePores, poreNetworks } from "../claims/pore-networks.js";

const run = (claim: Claim) => runClaim(claims, claim);

/** Without the division by the degree nothing contracts. */
const undivided: Method = {
  ...method,
  contractingWeights: (graph, logits, options) => mul(method.contractingWeights(graph, logits, options), 8),
  solveFixedPoint: (graph, weights, bias, options) =>
    method.solveFixedPoint(graph, weights, bias, { ...options, allowNonContractive: true }),
};
/** Leaves parameters as they were drawn. */
const untrained: Method = {
  ...method,
  fitGraphModel: (model, data, options) => method.fitGraphModel(model, data, { ...options, steps: 0 }),
};

describe("claims fail for what is not the method", () => {
  it("are all there", () => {
    const ids = [
      "exact-fixed-point",
      "linear-cost",
      "implicit-gradient",
      "guarantee",
      "pore-networks",
      "policy-evaluation",
    ];
    expect(claims.claims.map((claim) => claim.id)).toEqual([...ids, "graph-value-iteration", "graph-classification"]);
  });

  it("exact fixed point: fails where the iteration stops early", async () => {
    const early: Method = {
      ...method,
      solveFixedPoint: (graph, a, b, options) => method.solveFixedPoint(graph, a, b, { ...options, maxIterations: 10 }),
    };
    expect(await run(exactFixedPoint(early))).toMatchObject({ holds: false });
    const good = { difference: 1e-12, ratio: 1, iterations: [[17, 17, 16]], bounds: [[36, 36, 36]] };
    expect(judgeExact(good)).toBe(true);
    expect(judgeExact({ ...good, ratio: 1.01 })).toBe(false);
    expect(judgeExact({ ...good, iterations: [[17, 25, 36]] })).toBe(false);
  });

  it("linear cost: fails where iterations grow with the graph", async () => {
    const growing: Method = {
      ...method,
      solveFixedPoint: (graph, a, b, options) =>
        method.solveFixedPoint(graph, a, b, { ...options, tolerance: 1e-300, maxIterations: graph.nodes / 625 }),
    };
    expect(await run(linearCost(growing, async () => 1e-3))).toMatchObject({ holds: false });
  });

  it("implicit gradient: fails where the adjoint is not iterated, and where iterates are kept", async () => {
    const loose: Method = {
      ...method,
      contraction: (graph, a, b, options) => method.contraction(graph, a, b, { ...options, tolerance: 0.1 }),
    };
    expect(await run(implicitGradient(loose))).toMatchObject({ holds: false });
    const good = { unrolled: 1e-9, differences: 1e-8, implicit: [5, 5], kept: [100, 1000] } as const;
    expect(judgeGradient(good)).toBe(true);
    expect(judgeGradient({ ...good, implicit: [100, 1000] })).toBe(false);
  });

  it("guarantee: fails without the division by the degree", async () => {
    expect(await run(guarantee(undivided))).toMatchObject({ holds: false });
  });

  it("pore networks: fail for an untrained network, and for a graph network in its place", async () => {
    expect(judgePores({ cgs: 103, networks: [174, 156], smaller: 7 })).toBe(true);
    expect(judgePores({ cgs: 150, networks: [174, 156], smaller: 7 })).toBe(false);
    expect(judgePores({ cgs: 103, networks: [174, 156], smaller: 1 })).toBe(false);
    expect(await run(poreNetworks(untrained))).toMatchObject({ holds: false });
  });

  it("policy evaluation and value iteration: fail for untrained networks", async () => {
    expect(judgeEvaluation(0.001, 0.7)).toBe(true);
    expect(judgeEvaluation(0.1, 0.7)).toBe(false);
    expect(judgeEvaluation(0.001, 0.2)).toBe(false);
    expect(judgeIteration([0.5, 0.73, 0.98])).toBe(true);
    expect(judgeIteration([0.95, 0.73, 0.98])).toBe(false);
    expect(await run(policyEvaluation(untrained))).toMatchObject({ holds: false });
    const notCgs: Method = {
      ...untrained,
      fitGraphModel: (model, data, options) =>
        method.fitGraphModel(model, data, { ...options, steps: model.name === "graphNetwork" ? 60 : 0 }),
    };
    expect(await run(graphValueIteration(notCgs))).toMatchObject({ holds: false });
  });

  it("classification: fails for an untrained network", async () => {
    expect(await run(classification(untrained))).toMatchObject({ holds: false });
  });
});
