import { describe, expect, it } from "vitest";
import { barronClosedForm, barronRecursion, gridUnknownsLog10, iterationsFor, widthFor } from "../src/index.js";

describe("barronRecursion", () => {
  it("is the recursion, as logarithms", () => {
    const [eta, dimension, composition, f] = [0.3, 4, 1.5, 2];
    const general = barronRecursion(
      "general",
      { stepSize: eta, dimension, composition, degree: 2, f, initial: 0.5 },
      4,
    );
    const split = barronRecursion("split", { stepSize: eta, growth: [{ coefficient: 2, power: 3 }], f }, 4);
    const refined = barronRecursion(
      "refined",
      { stepSize: [eta, eta, 1, eta], beta: 2, wienerF: 0.2, barronF: 0.7 },
      4,
    );
    let [a, b, c, s] = [0.5, 0, 0, 0];
    const steps = [eta, eta, 1, eta];
    for (let t = 1; t <= 4; t++) {
      a += eta * ((1 + dimension / 2) * composition * Math.max(1, a) ** 2 + f);
      b = (1 - eta) * b + eta * (2 * b ** 3 + f);
      const step = steps[t - 1];
      c = (1 - step) * c + step * (((1 + Math.SQRT2) / 2) * 2 * s ** 3 + 0.7);
      s = (1 - step) * s + step * (2 * s ** 3 + 0.2);
      expect(10 ** general[t] / a).toBeCloseTo(1, 12);
      expect(10 ** split[t] / b).toBeCloseTo(1, 12);
      expect(10 ** refined[t] / c).toBeCloseTo(1, 12);
    }
    expect(general[0]).toBeCloseTo(Math.log10(0.5), 14);
    expect(split[0]).toBe(Number.NEGATIVE_INFINITY);
  });

  it("does not overflow, and lies below its closed form", () => {
    for (const degree of [1, 2, 3]) {
      const facts = { stepSize: 0.5, dimension: 6, composition: 2, degree, f: 3, initial: 0.5 };
      const bounds = barronRecursion("general", facts, 30);
      expect(bounds.every(Number.isFinite)).toBe(true);
      for (const t of [1, 5, 30])
        expect(bounds[t]).toBeLessThanOrEqual(barronClosedForm(facts, t) * (1 + 1e-12) + 1e-12);
      if (degree === 3) expect(bounds[30]).toBeGreaterThan(1e12);
    }
  });

  it("stays bounded for ever where the data are small", () => {
    const bound = 2 / (3 * Math.sqrt(3));
    const facts = { stepSize: 1, beta: 1, barronF: 5 };
    expect(barronRecursion("refined", { ...facts, wienerF: bound * 0.999 }, 2000).at(-1)).toBeLessThan(1);
    expect(barronRecursion("refined", { ...facts, wienerF: bound * 1.1 }, 200).at(-1)).toBeGreaterThan(100);
  });

  it("refuses what is out of range", () => {
    const facts = { stepSize: 0.5, dimension: 2, composition: 1, degree: 3, f: 1 };
    expect(() => barronRecursion("general", { ...facts, stepSize: 0 }, 2)).toThrow("stepSize is 0");
    expect(() => barronRecursion("general", { ...facts, stepSize: [1] }, 2)).toThrow("give one for each");
    expect(() => barronRecursion("general", { ...facts, dimension: 0 }, 2)).toThrow("dimension is 0");
    expect(() => barronRecursion("loose" as never, facts, 2)).toThrow("loose");
    expect(() => barronClosedForm({ ...facts, initial: 2 }, 2)).toThrow("needs at most 1");
    expect(() => barronRecursion("split", { stepSize: 1, f: 1, growth: [{ coefficient: -1, power: 1 }] }, 2)).toThrow(
      "coefficient is -1",
    );
  });
});

it("iterationsFor, widthFor and gridUnknownsLog10 count", () => {
  expect(iterationsFor(1, 1e-3, { convexity: 1, smoothness: 3 })).toBe(10);
  expect(iterationsFor(1e-4, 1e-3, { convexity: 1, smoothness: 3 })).toBe(0);
  expect(iterationsFor(5, 1e-3, { convexity: 2, smoothness: 2 })).toBe(1);
  expect(() => iterationsFor(1, 0.1, { convexity: 2, smoothness: 1 })).toThrow("smoothness is 1");
  expect(widthFor(0.1, 2)).toBe(200);
  expect(() => widthFor(0, 2)).toThrow("tolerance is 0");
  expect(gridUnknownsLog10(8, 7)).toBeCloseTo(8 * Math.log10(15), 12);
});
