import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  binaryConv,
  chain,
  gaussianMoments,
  laplaceMoments,
  packNetwork,
  quantizationError,
  quantizationReport,
  saveNetwork,
  savePacked,
  sineRegularizer,
  straightThrough,
} from "../src/index.js";

/** E f(w) for a density on the positive half line, doubled, by Simpson's rule. */
function expectation(f: (w: number) => number, density: (w: number) => number, end: number): number {
  const n = 200_000;
  const h = end / n;
  let total = 0;
  for (let i = 0; i <= n; i++) total += (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * f(i * h) * density(i * h);
  return (2 * h * total) / 3;
}

describe("moments in closed form are those of numerical integration", () => {
  it.each([0.05, 0.3, 0.955, 4])("for Laplace weights with omega b = %s", (t) => {
    const density = (w: number) => Math.exp(-w) / 2;
    const { first, second, optimalError, unitError } = laplaceMoments(t, 1);
    expect(first).toBeCloseTo(
      expectation((w) => Math.abs(Math.sin(t * w)), density, 45),
      7,
    );
    expect(second).toBeCloseTo(
      expectation((w) => Math.sin(t * w) ** 2, density, 45),
      7,
    );
    expect(optimalError).toBeCloseTo(second - first ** 2, 14);
    expect(unitError).toBeCloseTo(1 - 2 * first + second, 14);
  });

  it.each([1e-4, 0.05, 0.5, 2])("for normal weights with omega sigma = %s", (u) => {
    const density = (w: number) => Math.exp((-w * w) / 2) / Math.sqrt(2 * Math.PI);
    const { first, second } = gaussianMoments(u, 1);
    expect(first / expectation((w) => Math.abs(Math.sin(u * w)), density, 12)).toBeCloseTo(1, 6);
    expect(second / expectation((w) => Math.sin(u * w) ** 2, density, 12)).toBeCloseTo(1, 7);
  });

  it("have the limits t^2 for small t and 1/2 - 4/pi^2 for large, and never exceed 0.1029", () => {
    expect(laplaceMoments(1, 1e-4).optimalError / 1e-8).toBeCloseTo(1, 4);
    expect(laplaceMoments(1, 1e6).optimalError).toBeCloseTo(0.5 - 4 / Math.PI ** 2, 9);
    expect(gaussianMoments(1, 1e4).optimalError).toBeCloseTo(0.5 - 4 / Math.PI ** 2, 9);
    for (let k = -60; k < 60; k++) expect(laplaceMoments(1, 10 ** (k / 10)).optimalError).toBeLessThanOrEqual(0.1029);
  });
});

describe("measured", () => {
  it("of what is no network is refused by name", () => {
    const none = {} as never;
    const wanted = /network\.layers is undefined; give a function/;
    expect(() => quantizationReport(none, null)).toThrow(wanted);
    expect(() => sineRegularizer(none, null, 1)).toThrow(wanted);
    expect(() => saveNetwork(none)).toThrow("saveNetwork: network is undefined; give a NetworkPart");
    expect(() => savePacked(none)).toThrow("savePacked: model has no parts; give what packNetwork gives");
    expect(() => packNetwork({ network: {}, stage: 2 } as never)).toThrow(/network\.pack is undefined/);
  });

  const w = tensor([0, Math.PI / 4, -Math.PI / 4, Math.PI / 2], { dtype: "float64" });

  it("errors are those of the definition", () => {
    // |sin(2 w)| = 0, 1, 1, 0
    expect(quantizationError(w, 2)).toBeCloseTo(0.25, 12);
    expect(quantizationError(w, 2, 1)).toBeCloseTo(0.5, 12);
  });

  it("figures are given layer by layer, with their sum and their mean", () => {
    const network = chain({
      a: binaryConv({ inputs: 2, outputs: 3, kernel: 1, omega: 7 }),
      b: binaryConv({ inputs: 3, outputs: 2, kernel: 1 }),
      c: binaryConv({ inputs: 2, outputs: 2, kernel: 1, weights: straightThrough() }),
    });
    const params = network.init(random.rng(0), "float64");
    const { layers, totalDeviation, meanDeviation } = quantizationReport(network, params);
    const deviation = (values: ArrayLike<number>, omega: number) =>
      Array.from(values).reduce((s, v) => s + Math.abs(Math.abs(Math.sin(omega * v)) - 1), 0) / values.length;
    expect(layers.map(({ path, omega }) => [path, omega])).toEqual([["a", 7], ["b", 20], ["c", null]]); // biome-ignore format: one line
    expect(layers[0].deviation).toBeCloseTo(deviation(params.a.weight.data(), 7), 12);
    expect(totalDeviation).toBeCloseTo(
      deviation(params.a.weight.data(), 7) + deviation(params.b.weight.data(), 20),
      12,
    );
    expect(meanDeviation).toBeCloseTo(totalDeviation / 2, 12);
    const magnitudes = Array.from(params.c.weight.data(), Math.abs) as number[];
    expect(layers[2].meanMagnitude).toBeCloseTo(magnitudes.reduce((x, y) => x + y) / 4, 12);
  });

  it("are rejected for bad input", () => {
    expect(() => laplaceMoments(0, 1)).toThrow(/omega is 0/);
    expect(() => laplaceMoments(1, -1)).toThrow(/b is -1/);
    expect(() => gaussianMoments(1, Number.NaN)).toThrow(/sigma is NaN/);
    expect(() => quantizationError([], 1)).toThrow(/empty/);
  });
});
