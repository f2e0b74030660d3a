import { activation, type FeedForward, linear, perceptron } from "@offprint/networks";
import { asTensor, NonFiniteError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { sineBox, sineNetwork } from "../claims/sine-networks.js";
import {
  boxAround,
  exactBound,
  forwardBounds,
  globalBound,
  jacobianBounds,
  localLipschitz,
  sampleBound,
} from "../src/index.js";

const network = sineNetwork([6, 10, 10, 3]);
const box = sineBox(6, 0.2);
const plain = { outputs: [0], optimizeSlopes: false, points: 5, tolerance: 0 } as const;

/** The network with some of its linear layers multiplied. */
const scaled = (factor: number, chosen: (layer: number) => boolean): FeedForward => ({
  layers: network.layers.map((layer, k) => {
    if (layer.kind !== "linear" || !chosen(k)) return layer;
    const [weight, bias] = [layer.weight, layer.bias!].map((each) => asTensor(each, "float64").mul(factor));
    return linear(weight, bias);
  }),
});
const last = (factor: number) => scaled(factor, (k) => k === network.layers.length - 1);

describe("scales", () => {
  it("of the outputs are those of the bounds", async () => {
    for (const norm of ["linf", "l2"] as const) {
      for (const relaxation of ["linear", "recurjac"] as const) {
        const of = (net: FeedForward) =>
          localLipschitz(net, box, { ...plain, norm, relaxation, maxDomains: relaxation === "linear" ? 40 : 0 });
        const one = await of(network);
        for (const factor of [2 ** -44, 1e-120, 1e120]) {
          const { value, lowerBound, domains } = await of(last(factor));
          expect(value / factor / one.value, `${norm} ${relaxation} ${factor}`).toBeCloseTo(1, 9);
          expect(lowerBound / factor / one.lowerBound).toBeCloseTo(1, 9);
          expect(domains).toBe(one.domains);
        }
      }
    }
  });

  it("of gradients whose squares overflow or vanish are those of their Euclidean norms", async () => {
    const of = (net: FeedForward) => localLipschitz(net, box, { ...plain, norm: "l2", maxDomains: 0 });
    const one = await of(network);
    for (const factor of [1e-250, 1e250]) {
      const { value, lowerBound } = await of(last(factor));
      expect(value / factor / one.value).toBeCloseTo(1, 9);
      expect(lowerBound / factor / one.lowerBound).toBeCloseTo(1, 9);
    }
  });

  it("beyond the largest number are refused, and never are NaN", async () => {
    const huge = scaled(1e150, () => true);
    for (const options of [{}, { norm: "l2" }, { relaxation: "interval" }, { precision: "float32" }] as const) {
      await expect(localLipschitz(huge, box, { ...plain, ...options, maxDomains: 0 })).rejects.toThrow(NonFiniteError);
    }
    expect(() => jacobianBounds(huge, box)).toThrow(/beyond the largest number of float64; scale its weights down/);
    expect(() => sampleBound(huge, box)).toThrow(NonFiniteError);
    expect(() => globalBound(huge)).toThrow(NonFiniteError);
    await expect(exactBound(huge, sineBox(6, 0.01))).rejects.toThrow(NonFiniteError);
  });

  it("of gradients that vanish are 0, and nothing is left open", async () => {
    const dead = perceptron(
      [
        {
          weight: [
            [1, 1],
            [1, -1],
          ],
          bias: [-9, -9],
        },
        { weight: [[1, 2]] },
      ],
      activation("relu"),
    );
    for (const norm of ["linf", "l2"] as const) {
      const { value, gap, status } = await localLipschitz(dead, boxAround([0, 0], 1), { norm });
      expect([value, gap, status]).toEqual([0, 0, "converged"]);
    }
  });

  it("of neurons do not hide that a branch is empty", async () => {
    // x > 1/2 and x < -1/2 are not both so.
    const of = (w: number) =>
      perceptron(
        [{ weight: [[w], [-w]], bias: [-w / 2, -w / 2] }, { weight: [[1 / w, -1 / w]] }],
        activation("leakyRelu", { slope: 0.2 }),
      );
    for (const w of [1, 1e-30, 1e30]) expect((await exactBound(of(w), boxAround([0], 1)))[0]).toBeCloseTo(1.2, 9);
  });

  it("of inputs at which tanh and sigmoid are saturated do not loosen the lines around them", () => {
    // tanh z + tanh -z is 0, and the sum of logistic functions 1.
    for (const [kind, sum] of [
      ["tanh", 0],
      ["sigmoid", 1],
    ] as const) {
      const curved = perceptron([{ weight: [[1], [-1]] }, { weight: [[1, 1]] }, { weight: [[1]] }], activation(kind));
      const widths = [1e3, 1e17, 1e19, 1e150].map((eps) => {
        const { lower, upper } = forwardBounds(curved, boxAround([0], eps));
        expect(lower[1][0]).toBeLessThanOrEqual(sum);
        expect(upper[1][0]).toBeGreaterThanOrEqual(sum);
        return upper[1][0] - lower[1][0];
      });
      for (const width of widths) expect(width).toBeLessThan(1.05 * widths[0]);
    }
  });

  it.each(["float64", "float32"] as const)("below the smallest numbers of %s are counted", async (precision) => {
    // Products of the weights vanish, and what they are multiplied by is large: all neurons are above 0.
    const [tiny, far] = precision === "float64" ? [1e-170, 1e300] : [1e-30, 1e35];
    const bias = -0.5 * (tiny * (tiny * far));
    const deep = perceptron(
      [{ weight: [[tiny]] }, { weight: [[tiny]], bias: [bias] }, { weight: [[1]] }],
      activation("relu"),
    );
    const around = boxAround([far], 1e-3 * far);
    const { value } = await localLipschitz(deep, around, { precision });
    expect(value).toBeGreaterThanOrEqual(tiny * tiny);
    const bounds = forwardBounds(deep, around);
    expect(bounds.upper[1][0]).toBeGreaterThanOrEqual(-bias);
    if (precision === "float64") return;
    // A weight that float32 holds as 0.
    const faint = perceptron([{ weight: [[1e-46]], bias: [-5e-9] }, { weight: [[1e20]] }], activation("relu"));
    const found = await localLipschitz(faint, boxAround([1e38], 1e35), { precision });
    expect(found.value).toBeGreaterThanOrEqual(1e-26);
  });
});
