import { activation, perceptron } from "@offprint/networks";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { boxWeights } from "../src/box-weights.js";
import { lipschitzBound } from "../src/index.js";
import { identity, matrix, multiplyTransposed, smallestEigenvalue } from "../src/matrix.js";
import { randomLayers } from "./deterministic-nets.js";

const maxmin = activation("maxmin");

describe("boxWeights", () => {
  it("the pentagon's maximal cut: the least sum is (5/8)(5 + sqrt 5)", () => {
    // L / 4 = W^T W with a row (e_i - e_j) / 2 for each edge.
    const W = matrix(5, 5);
    for (let i = 0; i < 5; i++) {
      W.values[i * 5 + i] = 0.5;
      W.values[i * 5 + ((i + 1) % 5)] = -0.5;
    }
    const mu = boxWeights(W, identity(5));
    const exact = (5 / 8) * (5 + Math.sqrt(5));
    const total = mu.reduce((sum, value) => sum + value, 0);
    expect(total).toBeGreaterThanOrEqual(exact - 1e-9);
    expect(total).toBeLessThan(exact * (1 + 1e-3));
  });

  it("dominates the form", () => {
    const values = random.rng(2).normal([8, 60], { dtype: "float64" }).data() as Float64Array;
    const W = matrix(8, 60, values);
    const mu = boxWeights(W, identity(8));
    const rest = multiplyTransposed(W, W);
    for (let k = 0; k < rest.values.length; k++) rest.values[k] = -rest.values[k];
    for (let i = 0; i < 60; i++) rest.values[i * 61] += mu[i];
    expect(smallestEigenvalue(rest)).toBeGreaterThan(-1e-9);
  });
});

describe("many inputs from linf", () => {
  it("the adapted proportions come close to weights that are all free", async () => {
    const few = randomLayers([6, 6, 4, 2], 4);
    // Inputs that do nothing make the box a large one and leave the optimum alone.
    const many = few[0].weight.map((row) => [...row, ...new Array<number>(120).fill(0)]);
    for (const multipliers of ["diag", "eliminated"] as const) {
      const options = { norm: "linf-l1", multipliers } as const;
      const free = await lipschitzBound(perceptron(few, maxmin), options);
      const adapted = await lipschitzBound(perceptron([{ weight: many }, ...few.slice(1)], maxmin), options);
      expect(adapted.certified).toBe(true);
      expect(adapted.value).toBeGreaterThanOrEqual(free.objective * (1 - 1e-5));
      expect(adapted.value).toBeLessThan(free.value * 1.05);
    }
  });
});
