import { random } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import { ackley, levy, quadratic } from "../claims/index.js";

const meanOf = (clients: readonly ((x: Float64Array) => number)[], x: Float64Array) =>
  clients.reduce((sum, f) => sum + f(x), 0) / clients.length;

it("the mean of the quadratics has its minimum at 0.475, whatever the heterogeneity", () => {
  for (const C of [0.5, 50]) {
    const { clients, least = 0 } = quadratic(random.rng(1), 4, 3, C);
    const at = (v: number) => meanOf(clients, new Float64Array(4).fill(v));
    expect(at(0.475)).toBeCloseTo(least, 9);
    expect(at(0.48)).toBeGreaterThan(least);
    expect(at(0.47)).toBeGreaterThan(least);
    expect(clients[0](new Float64Array(4).fill(0.3))).not.toBeCloseTo(clients[1](new Float64Array(4).fill(0.3)), 3);
  }
});

it("without heterogeneity Ackley's function is 0 in the middle, and Levy's where all its arguments are 1", () => {
  const same = ackley(random.rng(1), 3, 2, 0).clients;
  expect(meanOf(same, new Float64Array(3).fill(0.5))).toBeCloseTo(0, 12);
  // v = 0.1 u = 1 lies at u = 10, the corner of the box.
  expect(meanOf(levy(random.rng(1), 3, 2, 0).clients, new Float64Array(3).fill(1))).toBeCloseTo(0, 12);
});
