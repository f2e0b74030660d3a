import { activation, perceptron } from "@offprint/networks";
import { describe, expect, it } from "vitest";
import { deterministicLayers, deterministicWeights } from "../claims/method.js";
import {
  enumerationBound,
  lipschitzBound,
  localRateNeuralOde,
  type Network,
  productBound,
  residualReluBound,
  samplingBound,
} from "../src/index.js";
import { matrix } from "../src/matrix.js";
import { infinityToOneNorm } from "../src/product-bound.js";
import { randomLayers } from "./deterministic-nets.js";

const maxmin = activation("maxmin");

describe("sandwich", () => {
  it("sample <= enumeration <= eliminated <= diag <= product on seeded random networks", async () => {
    for (let seed = 0; seed < 2; seed++) {
      const network = perceptron(randomLayers([6, 8, 4], seed), maxmin);
      const sample = samplingBound(network, { points: 500, seed });
      const all = enumerationBound(network);
      const eliminated = (await lipschitzBound(network)).value;
      const diag = (await lipschitzBound(network, { multipliers: "diag" })).value;
      expect(sample).toBeLessThanOrEqual(all * (1 + 1e-12));
      expect(all).toBeLessThanOrEqual(eliminated * (1 + 1e-9));
      expect(eliminated).toBeLessThanOrEqual(diag + 1e-4);
      expect(diag).toBeLessThanOrEqual(productBound(network));
    }
  });
});

describe("enumerationBound", () => {
  it("refuses more patterns than its limit", () => {
    const network = perceptron(deterministicLayers([6, 8, 4]), maxmin);
    expect(() => enumerationBound(network, { limit: 15 })).toThrow(/activation patterns/);
  });

  it("is the largest norm by hand: one pair", () => {
    const network = perceptron(
      [
        {
          weight: [
            [1, 2],
            [3, 4],
          ],
        },
        { weight: [[1, -1]] },
      ],
      maxmin,
    );
    // w2 P W1 = +-(row 1 - row 2) = +-(2, 2)
    expect(enumerationBound(network)).toBeCloseTo(Math.sqrt(8), 12);
    expect(enumerationBound(network, { norm: "linf-l1" })).toBeCloseTo(4, 12);
  });
});

describe("productBound", () => {
  it("the norm from linf to l1 by signs agrees with brute force, and has the sum of magnitudes as its fallback", () => {
    const rows = [
      [1, -2, 0.5],
      [0, 3, -1],
    ];
    let brute = 0;
    for (let s = 0; s < 8; s++) {
      const signs = [0, 1, 2].map((k) => ((s >> k) & 1 ? 1 : -1));
      brute = Math.max(
        brute,
        rows.reduce((sum, row) => sum + Math.abs(row.reduce((t, v, j) => t + v * signs[j], 0)), 0),
      );
    }
    expect(infinityToOneNorm(matrix(2, 3, Float64Array.from(rows.flat())))).toBeCloseTo(brute, 12);
    expect(infinityToOneNorm(matrix(3, 2, Float64Array.of(1, 0, -2, 3, 0.5, -1)))).toBeCloseTo(brute, 12);
    const large = matrix(20, 20, new Float64Array(400).fill(-1));
    expect(infinityToOneNorm(large)).toBeCloseTo(400, 9);
  });

  it("a reflection is not 1-Lipschitz in linf", () => {
    const I = [
      [1, 0],
      [0, 1],
    ];
    const network: Network = perceptron([{ weight: I }, { weight: I }], { kind: "householder", v: [0.6, 0.8] });
    // I - 2 v v^T = [[0.28, -0.96], [-0.96, -0.28]]
    expect(productBound(network, "linf-l1")).toBeCloseTo(2 * 1.24, 9);
  });

  it("is infinite for an implicit network that may have no fixed point", () => {
    const network: Network = {
      kind: "implicit",
      W: [
        [2, 0],
        [0, 1],
      ],
      U: [[1], [1]],
      C: [[1, 1]],
      activation: maxmin,
    };
    expect(productBound(network)).toBe(Infinity);
  });

  it("activations steeper than 1 count with their slope", async () => {
    const steep: Network = perceptron([{ weight: [[1]] }, { weight: [[1]] }], { kind: "slope", alpha: 0, beta: 3 });
    expect(productBound(steep)).toBeCloseTo(3, 9);
    expect((await lipschitzBound(steep)).value).toBeCloseTo(3, 4);
  });
});

describe("samplingBound", () => {
  it("is below the constant of saturated activations: tanh(5 + tanh x) has at most .00134 x", () => {
    for (const [name, most] of [["tanh", 0.00134] as const, ["sigmoid", 0.00167] as const]) {
      const layers = [{ weight: [[1]] }, { weight: [[1]], bias: [5] }, { weight: [[1]] }];
      const network = perceptron(layers, activation(name));
      const sample = samplingBound(network);
      expect(sample).toBeGreaterThan(0);
      expect(sample).toBeLessThanOrEqual(most);
    }
  });
});

describe("residualReluBound", () => {
  it.each([
    [[6, 8, 4], 0.835772],
    [[5, 8, 8, 3], 1.201301],
    [[4, 6, 6, 6, 2], 0.886623],
  ])("with two ReLUs per pair: %s", async (dims, expected) => {
    const result = await residualReluBound(perceptron(deterministicLayers(dims), maxmin));
    expect(result.value).toBeCloseTo(expected, 3);
    expect(result.value).toBeGreaterThanOrEqual(expected - 2e-6);
  });

  it("refuses other networks", async () => {
    await expect(residualReluBound(perceptron(deterministicLayers([6, 8, 4]), activation("relu")))).rejects.toThrow(
      /MaxMin/,
    );
  });
});

describe("localRateNeuralOde", () => {
  const H = [
    [-1, 0.5],
    [0.2, -1.5],
  ];
  const G = deterministicWeights([4, 2])[0];
  const W = deterministicWeights([2, 4], 0.7)[0];

  it("bounds the growth of differences along trajectories", async () => {
    for (const name of ["maxmin", "tanh", "relu"] as const) {
      const { rate } = await localRateNeuralOde({ H, G, W, activation: activation(name) });
      const phi = (u: number[]): number[] => {
        if (name === "tanh") return u.map(Math.tanh);
        if (name === "relu") return u.map((v) => Math.max(v, 0));
        return u.flatMap((_, i) => (i % 2 === 0 ? [Math.min(u[i], u[i + 1]), Math.max(u[i], u[i + 1])] : []));
      };
      const field = (z: number[]) => {
        const w = phi(W.map((row) => row[0] * z[0] + row[1] * z[1]));
        return H.map((row, i) => row[0] * z[0] + row[1] * z[1] + G[i].reduce((sum, v, k) => sum + v * w[k], 0));
      };
      let [a, b] = [
        [1, -0.5],
        [0.2, 0.7],
      ];
      const dt = 1e-3;
      const start = Math.hypot(a[0] - b[0], a[1] - b[1]);
      for (let step = 1; step <= 2000; step++) {
        const [fa, fb] = [field(a), field(b)];
        a = a.map((v, i) => v + dt * fa[i]);
        b = b.map((v, i) => v + dt * fb[i]);
        // Euler's method is off by O(dt).
        expect(Math.hypot(a[0] - b[0], a[1] - b[1])).toBeLessThanOrEqual(start * Math.exp(rate * dt * step) * 1.005);
      }
    }
  });

  it("a linear field has the largest eigenvalue of its symmetric part", async () => {
    const { rate } = await localRateNeuralOde({
      H,
      G: [
        [0, 0],
        [0, 0],
      ],
      W: [
        [1, 0],
        [0, 1],
      ],
      activation: maxmin,
    });
    const exact = -1.25 + Math.hypot(0.25, 0.35);
    expect(rate).toBeGreaterThanOrEqual(exact - 1e-12);
    expect(rate).toBeCloseTo(exact, 4);
  });

  it("keeps the sign where nothing is fed back: z' = -z has rate -1", async () => {
    for (const name of ["maxmin", "relu", "tanh"] as const) {
      const { rate, source } = await localRateNeuralOde({
        H: [
          [-1, 0],
          [0, -1],
        ],
        G: [
          [0, 0],
          [0, 0],
        ],
        W: [
          [1, 2],
          [0, 1],
        ],
        activation: activation(name),
      });
      expect(source).toBe("programme");
      expect(rate).toBeGreaterThanOrEqual(-1);
      expect(rate).toBeCloseTo(-1, 6);
    }
  });

  it("refuses matrices that do not fit", async () => {
    await expect(localRateNeuralOde({ H, G, W: G, activation: maxmin })).rejects.toThrow(/must fit/);
  });
});
