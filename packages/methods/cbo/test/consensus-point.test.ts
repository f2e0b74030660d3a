import { random, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { consensusPoint } from "../src/index.js";

const rng = random.rng(1);
const V = rng.normal([30, 3], { dtype: "float64" });
const E = rng.normal([30], { dtype: "float64" });
const values = (x: { data(): ArrayLike<number> }) => Array.from(x.data());
const column = (j: number) => values(V).filter((_, i) => i % 3 === j);

describe("the consensus point", () => {
  it("is the mean of the particles for alpha = 0", () => {
    const { point, nEff } = consensusPoint(E, V, 0);
    expectClose(
      values(point),
      [0, 1, 2].map((j) => column(j).reduce((a, b) => a + b) / 30),
      { absolute: 1e-14 },
    );
    expect(nEff).toBeCloseTo(30, 10);
  });

  it("is the best particle for alpha = Infinity and for 1e15, and the mean of ties", () => {
    const best = values(E).indexOf(Math.min(...values(E)));
    for (const alpha of [Infinity, 1e15]) {
      const { point, nEff } = consensusPoint(E, V, alpha);
      expect(values(point)).toEqual(values(V).slice(3 * best, 3 * best + 3));
      expect(nEff).toBe(1);
    }
    expect(values(consensusPoint([2, 1, 1, -0 + 1], [[9], [1], [2], [6]], Infinity).point)).toEqual([3]);
    expect(values(consensusPoint([0, -0, 5], [[1], [3], [9]], 1e15).point)).toEqual([2]);
  });

  it("does not change when a constant is added to the energies", () => {
    const before = values(consensusPoint(E, V, 5).point);
    for (const constant of [1e4, -1e4, 3.7]) {
      const shifted = tensor(
        Float64Array.from(values(E), (e) => e + constant),
        { dtype: "float64" },
      );
      expectClose(values(consensusPoint(shifted, V, 5).point), before, { absolute: 1e-9 });
    }
  });

  it("does not depend on the order of the particles", () => {
    const order = values(rng.permutation(30));
    const shuffledE = order.map((i) => values(E)[i]);
    const shuffledV = order.map((i) => values(V).slice(3 * i, 3 * i + 3));
    expectClose(values(consensusPoint(shuffledE, shuffledV, 7).point), values(consensusPoint(E, V, 7).point), {
      absolute: 1e-13,
    });
  });

  it("depends on alpha and the energies through their product", () => {
    const doubled = tensor(
      Float64Array.from(values(E), (e) => 2 * e),
      { dtype: "float64" },
    );
    expectClose(values(consensusPoint(doubled, V, 3).point), values(consensusPoint(E, V, 6).point), {
      absolute: 1e-13,
    });
  });

  it("lies in the convex hull: along every direction between the extreme particles", () => {
    for (let k = 0; k < 50; k++) {
      const direction = values(rng.normal([3], { dtype: "float64" }));
      const along = (v: number[]) => v.reduce((sum, x, j) => sum + x * direction[j], 0);
      const particles = Array.from({ length: 30 }, (_, i) => along(values(V).slice(3 * i, 3 * i + 3)));
      const at = along(values(consensusPoint(E, V, 10 ** (k / 20)).point));
      expect(at).toBeGreaterThanOrEqual(Math.min(...particles) - 1e-12);
      expect(at).toBeLessThanOrEqual(Math.max(...particles) + 1e-12);
    }
  });

  it("is the best particle where differences of energies overflow, and the mean for alpha = 0 even there", () => {
    const energies = [1e308, -1e308, 1e300];
    expect(values(consensusPoint(energies, [[1], [2], [6]], 1e-3).point)).toEqual([2]);
    expect(values(consensusPoint(energies, [[1], [2], [6]], 0).point)).toEqual([3]);
    expect(values(consensusPoint([1e300, -1e300], [[1], [2]], 1).point)).toEqual([2]);
  });

  it("gives no weight to NaN and Infinity", () => {
    const energies = [Number.NaN, 1, Infinity, 1];
    for (const alpha of [0, 1, Infinity]) {
      const { point, nEff } = consensusPoint(energies, [[100], [1], [Infinity], [3]], alpha);
      expect(values(point)).toEqual([2]);
      expect(nEff).toBe(2);
    }
  });

  it("counts the particles that decide", () => {
    expect(consensusPoint([0, Math.log(2)], [[0], [1]], 1).nEff).toBeCloseTo(1.5 ** 2 / 1.25, 12);
  });
});
