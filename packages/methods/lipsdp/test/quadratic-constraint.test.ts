import { type Activation, activation, type ScalarName, slopeBounds } from "@offprint/networks";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { applyGroups, neuronGroups } from "../src/neuron-group.js";
import { evaluateConstraint, type Multipliers } from "../src/quadratic-constraint.js";

const width = 30;
const unit = (n: number, seed: number) => {
  const v = random.rng(seed).normal([n], { dtype: "float64" }).data() as Float64Array;
  const norm = Math.hypot(...v);
  return v.map((value) => value / norm);
};

function increments(act: Activation, seed: number) {
  const groups = neuronGroups(act, width, 0, 0);
  const [x, y] = random.rng(seed).normal([2, width], { dtype: "float64" }).toArray() as number[][];
  const apply = (values: number[]) => {
    const out = Float64Array.from(values);
    applyGroups(groups, out);
    return out;
  };
  const [fx, fy] = [apply(x), apply(y)];
  return { groups, u: Float64Array.from(x, (v, i) => v - y[i]), w: fx.map((v, i) => v - fy[i]) };
}

function multipliers(count: number, seed: number): Multipliers {
  const [lambda, gamma, nu, tau] = (
    random.rng(seed).normal([4, count], { dtype: "float64" }).toArray() as number[][]
  ).map((row) => Float64Array.from(row));
  return { lambda: lambda.map(Math.abs), gamma, nu, tau };
}

const preserving: [string, Activation][] = [
  ["GroupSort 2", { kind: "maxmin" }],
  ["GroupSort 3", { kind: "groupsort", groupSize: 3 }],
  ["GroupSort 5", { kind: "groupsort", groupSize: 5 }],
  ["FullSort", { kind: "fullsort" }],
  ["Householder", { kind: "householder", v: unit(3, 1) }],
  ["Householder, one vector per group", { kind: "householder", v: [1, 2, 3, 4, 5, 6].map((seed) => unit(5, seed)) }],
];

describe("QC-1", () => {
  it.each(preserving)("%s: every free multiplier contributes nothing", (_, act) => {
    for (let seed = 0; seed < 20; seed++) {
      const { groups, u, w } = increments(act, seed);
      const m = multipliers(groups.length, 100 + seed);
      const norms = groups.reduce((sum, { start, size }, g) => {
        const square = (v: Float64Array) => v.slice(start, start + size).reduce((t, x) => t + x * x, 0);
        return sum + m.lambda[g] * (square(u) - square(w));
      }, 0);
      expect(evaluateConstraint(groups, m, u, w)).toBeCloseTo(norms, 10);
      expect(norms).toBeGreaterThanOrEqual(-1e-12);
    }
  });

  it("does not hold for an activation that does not keep the sum", () => {
    const { groups, u, w } = increments({ kind: "maxmin" }, 3);
    const zeros = new Float64Array(groups.length);
    const m = { lambda: zeros, gamma: zeros, nu: new Float64Array(groups.length).fill(1), tau: zeros };
    const damped = w.map((value) => value / 2);
    expect(Math.abs(evaluateConstraint(groups, m, u, damped))).toBeGreaterThan(0.1);
  });
});

describe("QC-2", () => {
  const functions: [ScalarName, (x: number) => number, number, number][] = [
    ["relu", (x) => Math.max(x, 0), 0, 1],
    ["leakyRelu", (x) => (x > 0 ? x : 0.1 * x), 0.1, 1],
    ["tanh", Math.tanh, 0, 1],
    ["abs", Math.abs, -1, 1],
    ["sigmoid", (x) => 1 / (1 + Math.exp(-x)), 0, 0.25],
    ["silu", (x) => x / (1 + Math.exp(-x)), -0.1, 1.1],
    ["gelu", gelu, -0.1291, 1.1291],
  ];

  it.each(functions)("%s", (name, f, alpha, beta) => {
    expect(slopeBounds(activation(name, name === "leakyRelu" ? { slope: 0.1 } : {}))).toEqual({
      lower: alpha,
      upper: beta,
    });
    const groups = neuronGroups({ kind: "slope", alpha, beta }, width, 0, 0);
    for (let seed = 0; seed < 20; seed++) {
      const [x, y] = random.rng(seed).normal([2, width], { std: 2, dtype: "float64" }).toArray() as number[][];
      const u = x.map((v, i) => v - y[i]);
      const w = x.map((v, i) => f(v) - f(y[i]));
      for (const [g] of groups.entries()) {
        const zeros = () => new Float64Array(width);
        const m = { lambda: zeros(), gamma: zeros(), nu: zeros(), tau: zeros() };
        m.lambda[g] = 1;
        expect(evaluateConstraint(groups, m, u, w)).toBeGreaterThanOrEqual(-1e-12);
      }
    }
  });

  it("coupling neurons of different sign, as LipSDP-Network does, would be wrong for Lipschitz bounds", () => {
    // The increments (1, 1) -> (1, 0) are possible, and the multiplier (e_1 - e_2)(e_1 - e_2)^T makes the form negative.
    const [u, w] = [
      [1, 1],
      [1, 0],
    ];
    const [du, dw] = [u[0] - u[1], w[0] - w[1]];
    expect(2 * du * dw - 2 * dw * dw).toBeLessThan(0);
  });
});

/** x Phi(x) with Phi by numerical integration. */
function gelu(x: number): number {
  const steps = 400;
  let sum = 0;
  for (let k = 0; k < steps; k++) {
    const t = ((k + 0.5) / steps) * x;
    sum += Math.exp((-t * t) / 2) * (x / steps);
  }
  return x * (0.5 + sum / Math.sqrt(2 * Math.PI));
}
