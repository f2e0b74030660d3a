import { runConformance } from "@offprint/solvers/conformance";
import { random, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { estimateForecast, flowOperator, forcedFlows, generateFlows, refineOperator } from "../src/index.js";

const family = forcedFlows({ points: 8 });
const { frames } = await generateFlows(family, {
  count: 1,
  rng: random.rng("whole network"),
  stepSize: 0.02,
  spacing: 0.2,
  warmUp: 2,
  frames: 4,
});
const window = frames.slice([0]);
const operator = flowOperator({ modes: [2, 2, 2], width: 4, layers: 1, latentFrames: 4 });
const params = operator.init(random.rng("parameters"));
const run = (options: Partial<Parameters<typeof refineOperator>[5]> = {}) =>
  refineOperator(family.system, operator, params, window, 4, { spacing: 0.2, ...options });

runConformance(
  "refineOperator",
  {
    run,
    limit: "maxIterations",
    short: 5,
    seeded: false,
    endless: { maxIterations: 1e9, gradientTolerance: 0 },
    invalid: [{ spacing: 0 }, { initialWeight: -1 }],
    nonFinite: [() => refineOperator(family.system, operator, params, window.mul(Number.NaN), 4, { spacing: 0.2 })],
  },
  { describe, it, expect },
);

describe("refineOperator", () => {
  it("lowers the residual with the start of the flow by all parameters of the network", async () => {
    const before = await run({ maxIterations: 0 });
    const after = await run({ maxIterations: 15 });
    expect(after.objective).toBeLessThan(0.5 * before.objective);
    const { eta, initialError } = estimateForecast(family.system, after.forecast, { spacing: 0.2, oversample: 1 });
    expect(eta ** 2 + initialError ** 2).toBeCloseTo(after.objective, 12);
    expect(after.frames.shape).toEqual([4, 8, 8]);
    const moved = tree.leaves<typeof window>(after.params).map((leaf, i) => {
      const old = tensor(tree.leaves<typeof window>(params)[i], { dtype: "float64" });
      return leaf.sub(old).abs().max().item();
    });
    expect(moved.filter((by) => by > 0).length).toBeGreaterThan(0.8 * moved.length);
  });
});
