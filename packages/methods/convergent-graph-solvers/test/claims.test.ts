import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import type { Schedule } from "@offprint/optim";
import { asTensor, mul, NonFiniteError, random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { classification } from "../claims/classification.js";
import type { Comparison } from "../claims/comparison.js";
import {
  evaluationComparison,
  graphValueIteration,
  judgeEvaluation,
  judgeIteration,
  policyEvaluation,
  valueComparison,
} from "../claims/decisions.js";
import { exactFixedPoint, judgeExact } from "../claims/exact-fixed-point.js";
import { guarantee } from "../claims/guarantee.js";
import { implicitGradient, judgeGradient } from "../claims/implicit-gradient.js";
import { claims } from "../claims/index.js";
import { linearCost } from "../claims/linear-cost.js";
import { type Method, method } from "../claims/method.js";
import { judgePores, poreComparison, poreNetworks } from "../claims/pore-networks.js";
import { best, settingsOf, triedRates, tune } from "../claims/tuning.js";
import { tunings } from "../claims/tunings.js";
import { type GraphModel, poreSample, randomPoreNetwork } from "../src/index.js";

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

  it("compare models that the same search has tuned: as many variants, the same rates", async () => {
    for (const { id, models } of [poreComparison, evaluationComparison, valueComparison]) {
      for (const scale of ["quick", "full"] as const) {
        for (const variants of Object.values(models(method, scale))) expect(Object.keys(variants)).toHaveLength(2);
      }
      for (const [model, variants] of Object.entries(models(method, "quick"))) {
        const rows = tunings.filter((row) => row.claim === id && row.model === model);
        expect(rows.map(({ variant }) => variant)).toEqual(Object.keys(variants));
        for (const { errors } of rows) expect(errors).toHaveLength(triedRates.length);
        const chosen = best(tunings, id, model);
        const row = rows.find(({ variant }) => variant === chosen.variant);
        const least = Math.min(...rows.flatMap(({ errors }) => errors.map((error) => error ?? Infinity)));
        expect(row?.errors[triedRates.indexOf(chosen.learningRate as 1e-3)]).toBe(least);
      }
    }
    expect(() => best(tunings, "pore-networks", "GNN(7)")).toThrow(/GNN\(7\) is not tuned/);
  });

  it("at full scale are tuned by a search of their own, which passes over what diverges", async () => {
    const network = randomPoreNetwork({ pores: 12, rng: random.rng("tuning") });
    const sample = poreSample(network, network.features);
    const gnn = (layers: number) =>
      method.graphNetwork({ nodeInputs: 2, edgeInputs: 3, hidden: 4, mlp: [4], layers }) as GraphModel<unknown>;
    const models = { GNN: { one: gnn(1), two: gnn(2) } };
    const tiny: Comparison = {
      id: "tiny",
      models: () => models,
      plan: () => ({ steps: 2, batchSize: 1 }),
      draw: () => ({ training: [sample], large: [sample] }),
    };
    const wild: Method = {
      ...method,
      fitGraphModel: async (model, data, options) => {
        const first = asTensor((options.learningRate as Schedule)(tensor(1))).item();
        if (first > 1.5e-2) throw new NonFiniteError("training diverged");
        return untrained.fitGraphModel(model, data, options);
      },
    };
    const context = { scale: "full", signal: new AbortController().signal, onProgress: async () => undefined } as const;
    const rows = await tune(context, wild, tiny, "GNN", 1);
    expect(rows.map(({ variant, errors }) => [variant, errors.length, errors.at(-1)])).toEqual([
      ["one", triedRates.length, null],
      ["two", triedRates.length, null],
    ]);
    expect(await settingsOf(context, wild, tiny, "GNN")).toEqual(best(rows, "tiny", "GNN"));
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
