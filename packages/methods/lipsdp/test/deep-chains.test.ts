import { type Activation, activation, perceptron } from "@offprint/networks";
import { describe, expect, it } from "vitest";
import { type LipschitzBound, lipschitzBound, verifyCertificate } from "../src/index.js";
import { randomLayers } from "./deterministic-nets.js";

const relu = activation("relu");
const leaky = { kind: "slope", alpha: 0.2, beta: 1 } as const;

/** Deep networks, whose constants are far below the products of norms, and their optima. */
const chains: [string, number, number, Activation][] = [
  ["18 layers of 6 ReLUs", 18, 6, relu],
  ["30 layers of 4 ReLUs", 30, 4, relu],
  ["12 layers of 6 leaky ReLUs", 12, 6, leaky],
  ["18 layers of 6, MaxMin", 18, 6, activation("maxmin")],
  ["60 layers of 4, MaxMin", 60, 4, activation("maxmin")],
  ["60 layers of 3 ReLUs, where the first interior points get no further", 60, 3, relu],
];

const deep = (layers: number, width: number, act: Activation) =>
  perceptron(randomLayers(new Array<number>(layers + 1).fill(width), 1), act);

/** The bounds of networks that tests share. */
const bounds = new Map<string, Promise<LipschitzBound>>();
const boundOf = (layers: number, width: number, act: Activation) => {
  const key = `${layers} ${width} ${JSON.stringify(act)}`;
  const bound = bounds.get(key) ?? lipschitzBound(deep(layers, width, act));
  bounds.set(key, bound);
  return bound;
};

describe("bounds of many layers", () => {
  it.each(chains)("%s: within 1e-4 of the optimum", async (_, layers, width, act) => {
    const network = deep(layers, width, act);
    const { value, objective, gap, status, certificate } = await boundOf(layers, width, act);
    expect(status).toBe("converged");
    expect(Math.abs(gap)).toBeLessThan(1e-4);
    expect(certificate && verifyCertificate(network, certificate)).toMatchObject({ valid: true, bound: value });
    expect(objective).toBeGreaterThan(0);
  });

  it("a bound that needs several programmes goes on from where it was interrupted, and ends the same", async () => {
    const network = deep(60, 4, activation("maxmin"));
    const whole = await boundOf(60, 4, activation("maxmin"));
    expect(whole.history.at(-1)?.programme).toBeGreaterThan(0);
    const begun = await lipschitzBound(network, { maxIterations: whole.iterations - 3 });
    expect(begun.status).toBe("limit");
    expect(await lipschitzBound(network, { resume: begun.state })).toEqual(whole);
  });
});
