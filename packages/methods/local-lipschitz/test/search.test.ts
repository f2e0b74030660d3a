import { runConformance } from "@offprint/solvers/conformance";
import { asTensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { knownBounds, sineBox, sineNetwork } from "../claims/sine-networks.js";
import { type BranchRecord, boxAround, exactBound, localLipschitz, monotonicity } from "../src/index.js";
import { gradientsAt } from "../src/sample-bound.js";
import { randomNetwork } from "./random-networks.js";

const [network, box] = [sineNetwork([6, 10, 10, 3]), sineBox(6, 0.2)];
/** So many branches that no machine comes to their end. */
const [endless, wide] = [sineNetwork([6, 16, 16, 3]), sineBox(6, 0.5)];
const plain = { outputs: [0], optimizeSlopes: false, tolerance: 0, points: 5 } as const;

describe("branch and bound", () => {
  it("has the branches and the bounds that are known", async () => {
    for (const { dims, eps, row, branched, domains } of knownBounds) {
      if (domains > 100) continue;
      const run = await localLipschitz(sineNetwork(dims), sineBox(dims[0], eps), {
        ...{ ...plain, outputs: [row], batchSize: 1, refresh: "both" },
      });
      expect(run.value).toBeCloseTo(branched, 5);
      expect([run.domains, run.status]).toEqual([domains, "converged"]);
    }
  });

  it("never increases the bound; children are never worse, and no split is made twice", async () => {
    for (const refresh of ["g0", "backward", "both"] as const) {
      const records: BranchRecord[] = [];
      const run = await localLipschitz(network, box, {
        ...{ ...plain, refresh, batchSize: 2, maxDomains: 61 },
        onProgress: (record) => void records.push(record),
      });
      for (let k = 1; k < records.length; k++) expect(records[k].value).toBeLessThanOrEqual(records[k - 1].value);
      const seen = run.state.inner.queue.map(({ decided }) => decided.join());
      expect(new Set(seen).size).toBe(seen.length);
      for (const { splits, decided } of run.state.inner.queue)
        for (const neuron of splits) expect(decided[neuron]).toBe(0);
      expect(run.gap).toBeCloseTo(1 - run.lowerBound / run.value, 12);
    }
  });

  it("any batch size and any way to choose gives a bound above the exact one", async () => {
    const small = sineBox(6, 0.05);
    const [exact] = await exactBound(network, small, { outputs: [0] });
    for (const batchSize of [1, 3, 64]) {
      for (const heuristic of ["area", "babsr", "filtering", "random"] as const) {
        const { value } = await localLipschitz(network, small, { ...plain, batchSize, heuristic, maxDomains: 7 });
        expect(value).toBeGreaterThanOrEqual(exact - 1e-9);
      }
    }
    const { value } = await localLipschitz(network, small, { ...plain, leafFeasibility: true });
    expect(value).toBeCloseTo(exact, 7);
  });

  it("splits nothing where nothing is undecided, and ends where the gap is closed", async () => {
    const tiny = await localLipschitz(network, sineBox(6, 1e-6), plain);
    expect([tiny.domains, tiny.status, tiny.history]).toEqual([1, "converged", []]);
    const loose = await localLipschitz(network, box, { ...plain, tolerance: 0.9 });
    expect([loose.domains, loose.status]).toEqual([1, "converged"]);
    const smooth = await localLipschitz(randomNetwork(3, [4, 5, 5, 2], "tanh"), boxAround([0, 0, 0, 0], 0.2));
    expect(smooth.status).toBe("converged");
    expect(smooth.domains).toBe(2);
  });

  it("goes on with more branches", async () => {
    const first = await localLipschitz(network, box, { ...plain, maxDomains: 21 });
    const second = await localLipschitz(network, box, { ...plain, maxDomains: 41, resume: first.state });
    const whole = await localLipschitz(network, box, { ...plain, maxDomains: 41 });
    expect([first.domains <= 21, second.value, second.domains]).toEqual([true, whole.value, whole.domains]);
    await expect(localLipschitz(sineNetwork([6, 8, 3]), box, { ...plain, resume: first.state })).rejects.toThrow(
      /resume is of another network/,
    );
  });

  it("does not take the bounds of one problem for those of another, nor a state that is not whole", async () => {
    const { state } = await localLipschitz(network, sineBox(6, 0.05), { ...plain, maxDomains: 5 });
    const resumed = (from: unknown, on = network, within = sineBox(6, 0.05), more: object = {}) =>
      localLipschitz(on, within, { ...plain, maxDomains: 9, resume: from as never, ...more });
    expect((await resumed(tree.fromJson(tree.toJson(state)))).domains).toBe(9);
    const layers = network.layers.map((layer, k) =>
      k === 2 && layer.kind === "linear" ? { ...layer, weight: asTensor(layer.weight, "float64").mul(-1) } : layer,
    );
    for (const other of [
      resumed(state, { layers }),
      resumed(state, network, sineBox(6, 0.5)),
      resumed(state, network, sineBox(6, 0.05), { norm: "l2" }),
      resumed(state, network, sineBox(6, 0.05), { outputs: [1] }),
      resumed(state, network, sineBox(6, 0.05), { outputs: undefined, combinations: [[1, -1, 0]] }),
    ]) {
      await expect(other).rejects.toThrow(/resume is of another network, box, norm or other outputs/);
    }
    const { inner } = state;
    const changed = (more: object) => ({ ...state, inner: { ...inner, ...more } });
    const branches = (more: object) => changed({ queue: inner.queue.map((branch) => ({ ...branch, ...more })) });
    for (const damaged of [
      changed({ queue: [] }),
      changed({ queue: undefined }),
      changed({ lowerBound: undefined }),
      branches({ value: Number.NaN }),
      branches({ row: -1 }),
      branches({ lower: new Float64Array(3) }),
      branches({ upper: new Float64Array(20).fill(Number.NaN) }),
      branches({ gradientLower: undefined }),
      branches({ splits: [99] }),
    ]) {
      await expect(resumed(damaged)).rejects.toThrow(/resume is damaged/);
    }
  });

  runConformance(
    "localLipschitz",
    {
      run: (options) => localLipschitz(endless, wide, { ...plain, batchSize: 2, heuristic: "random", ...options }),
      limit: "maxDomains",
      short: 25,
      endless: { maxDomains: 1e7, refresh: "both" },
      seeded: true,
      invalid: [{ batchSize: 0 }, { tolerance: -1 }, { heuristic: "best" }, { refresh: "all" }, { points: 0.5 }],
      nonFinite: [
        () => localLipschitz(network, boxAround([0, 0, 0, 0, 0, Number.NaN], 1)),
        () => localLipschitz(network, { lower: new Float64Array(6), upper: new Float64Array(6).fill(Infinity) }),
      ],
    },
    { describe, it, expect },
  );
});

describe("monotonicity", () => {
  const up = randomNetwork(21, [3, 6, 6, 1], "leakyRelu", { slope: 0.1 });

  it("verdicts are those of gradients, and branching decides more", async () => {
    const x0 = [0.2, 0.6, 0.4];
    const range: [number, number] = [0, 1];
    const without = await monotonicity(up, x0, { range, maxDomains: 0 });
    const { features, status } = await monotonicity(up, x0, { range });
    expect(status).toBe("limit");
    for (const [j, { feature, verdict, lower, upper }] of features.entries()) {
      expect(feature).toBe(j);
      const points = Float64Array.from({ length: 3 * 101 }, (_, i) =>
        i % 3 === j ? Math.floor(i / 3) / 100 : x0[i % 3],
      );
      const slopes = Array.from({ length: 101 }, (_, p) => gradientsAt(up, points, Float64Array.of(1))[3 * p + j]);
      expect(Math.min(...slopes)).toBeGreaterThanOrEqual(lower - 1e-12);
      expect(Math.max(...slopes)).toBeLessThanOrEqual(upper + 1e-12);
      if (verdict === "increasing") expect(lower).toBeGreaterThanOrEqual(0);
      if (verdict === "decreasing") expect(upper).toBeLessThanOrEqual(0);
      if (without.features[j].verdict !== "unknown") expect(verdict).toBe(without.features[j].verdict);
    }
    const stopped = await monotonicity(up, x0, { onProgress: () => "stop" });
    expect([stopped.status, stopped.features.length]).toEqual(["stopped", 1]);
    expect((await monotonicity(up, x0, { signal: AbortSignal.abort() })).status).toBe("aborted");
  });

  it("what makes no sense is refused, by name", async () => {
    const x0 = [0.2, 0.6, 0.4];
    const whole = { lower: [0, 0, 0], upper: [1, 1, 1] };
    for (const [options, message] of [
      [{ range: [1, 0] }, /range is \[1, 0\]; give \[from, to\], finite and ascending/],
      [{ range: [0, Number.POSITIVE_INFINITY] }, /range is/],
      [{ range: [0, 1, 2] }, /range is/],
      [{ range: { from: 0 } }, /range is \[object Object\]; give an array/],
      [{ box: whole, range: [0, 1] }, /range does nothing with a box/],
      [{ features: [3] }, /features is 3/],
      [{ features: 2 }, /features is 2; give an array/],
      [{ output: 1 }, /output is 1/],
      [{ onProgress: 7 }, /onProgress must be a function/],
      [{ leafFeasibility: true }, /no option "leafFeasibility"/],
    ] as const) {
      await expect(monotonicity(up, x0, options as never)).rejects.toThrow(message);
    }
    for (const box of [undefined, whole]) {
      const place = box === undefined ? {} : { box };
      await expect(monotonicity(up, [0.2, 0.6], place)).rejects.toThrow(/x0 has 2 values and the network 3 inputs/);
      await expect(monotonicity(up, [0.2, Number.NaN, 0], place)).rejects.toThrow(/x0 holds NaN at position 1/);
    }
  });
});
