import { describe, expect, it } from "vitest";
import type { Tensor } from "../src/index.js";
import { erfc } from "../src/kernels/special/erf.js";
import { betainc } from "../src/kernels/special/incomplete-beta.js";
import { gammainc } from "../src/kernels/special/incomplete-gamma.js";
import { exp, log } from "../src/random/elementary.js";
import { type Rng, rng } from "../src/random/index.js";

const COUNT = 20_000;
const SHAPE = [COUNT];
/** Kolmogorov-Smirnov bound that a right sampler exceeds once in a thousand seeds. */
const BOUND = 1.95 / Math.sqrt(COUNT);

function kolmogorovSmirnov(sample: ArrayLike<number>, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(sample).sort();
  let worst = 0;
  sorted.forEach((x, i) => {
    const p = cdf(x);
    worst = Math.max(worst, p - i / sorted.length, (i + 1) / sorted.length - p);
  });
  return worst;
}

function moments(values: ArrayLike<number>): { mean: number; variance: number } {
  const list = Array.from(values);
  const mean = list.reduce((s, v) => s + v, 0) / list.length;
  return { mean, variance: list.reduce((s, v) => s + (v - mean) ** 2, 0) / list.length };
}

const normalCdf = (x: number) => 0.5 * erfc(-x / Math.SQRT2);
const betaCdf = (a: number, b: number) => (x: number) => (x <= 0 ? 0 : x >= 1 ? 1 : betainc(a, b, x));
const gammaCdf = (a: number) => (x: number) => (x <= 0 ? 0 : gammainc(a, x));
const tCdf = (nu: number) => (x: number) => {
  const tail = 0.5 * betainc(nu / 2, 0.5, nu / (nu + x * x));
  return x > 0 ? 1 - tail : tail;
};
const truncatedCdf = (low: number, high: number) => (x: number) => {
  // by the upper tail, which keeps its digits far out
  const q = (v: number) => 0.5 * erfc(v / Math.SQRT2);
  return (q(low) - q(x)) / (q(low) - q(high));
};

const f64 = { dtype: "float64" } as const;
const cases: [string, (r: Rng) => Tensor, (x: number) => number][] = [
  ["uniform", (r) => r.uniform(SHAPE, { low: -1, high: 3, ...f64 }), (x) => (x + 1) / 4],
  ["normal", (r) => r.normal(SHAPE, { mean: 1, std: 2, ...f64 }), (x) => normalCdf((x - 1) / 2)],
  ["exponential", (r) => r.exponential(SHAPE, { rate: 2, ...f64 }), (x) => 1 - Math.exp(-2 * x)],
  ["gumbel", (r) => r.gumbel(SHAPE, { location: 1, scale: 2, ...f64 }), (x) => Math.exp(-Math.exp(-(x - 1) / 2))],
  ["laplace", (r) => r.laplace(SHAPE, f64), (x) => (x < 0 ? 0.5 * Math.exp(x) : 1 - 0.5 * Math.exp(-x))],
  ...[0.05, 0.5, 1, 1.5, 30].map((a): (typeof cases)[number] => [
    `gamma ${a}`,
    (r) => r.gamma(SHAPE, { concentration: a, rate: 2, ...f64 }),
    (x) => gammaCdf(a)(2 * x),
  ]),
  ...[
    [0.1, 0.2],
    [0.5, 3],
    [2, 5],
    [40, 3],
  ].map(([a, b]): (typeof cases)[number] => [
    `beta ${a}, ${b}`,
    (r) => r.beta(SHAPE, { alpha: a, beta: b, ...f64 }),
    betaCdf(a, b),
  ]),
  ...[0.7, 1, 2, 9].map((nu): (typeof cases)[number] => [
    `studentT ${nu}`,
    (r) => r.studentT(SHAPE, { degreesOfFreedom: nu, ...f64 }),
    tCdf(nu),
  ]),
  ...[
    [-2, 2],
    [-0.5, 0.7],
    [-0.1, Infinity],
    [0.5, 0.9],
    [3, Infinity],
    [6, 6.5],
    [0, Infinity],
    [-3, 0.2],
  ].map(([low, high]): (typeof cases)[number] => [
    `truncatedNormal [${low}, ${high}]`,
    (r) => r.truncatedNormal(SHAPE, { low, high, ...f64 }),
    truncatedCdf(low, high),
  ]),
  [
    "first coordinate of dirichlet",
    (r) => column(r.dirichlet(SHAPE, { concentration: [0.5, 1, 2], ...f64 })),
    betaCdf(0.5, 3),
  ],
  ["first coordinate on a 3-sphere", (r) => column(r.sphere([COUNT, 3], f64)), (x) => (x + 1) / 2],
  ["corner of orthogonal 3 x 3", (r) => column(r.orthogonal([COUNT, 3, 3], f64), 9), (x) => (x + 1) / 2],
];

function column(x: Tensor, width = x.shape[x.rank - 1]): Tensor {
  const data = x.data().filter((_, i) => i % width === 0);
  return { data: () => data } as unknown as Tensor;
}

describe("samples follow their distribution (Kolmogorov-Smirnov)", () => {
  it.each(cases)("%s", (name, draw, cdf) => {
    expect(kolmogorovSmirnov(draw(rng(name)).data(), cdf)).toBeLessThan(BOUND);
  });

  it("a sampler that is slightly wrong is found out", () => {
    const sample = rng(0)
      .normal(SHAPE, { std: 1.05, ...f64 })
      .data();
    expect(kolmogorovSmirnov(sample, normalCdf)).toBeGreaterThan(BOUND);
  });
});

describe("moments", () => {
  const million = [1_000_000];

  it("normal numbers have mean 0, variance 1, no skew, kurtosis 3", () => {
    const x = rng("moments").normal(million, f64).data();
    const power = (k: number) => Array.from(x).reduce((s, v) => s + v ** k, 0) / x.length;
    expect(Math.abs(power(1))).toBeLessThan(4e-3);
    expect(Math.abs(power(2) - 1)).toBeLessThan(6e-3);
    expect(Math.abs(power(3))).toBeLessThan(1.6e-2);
    expect(Math.abs(power(4) - 3)).toBeLessThan(4e-2);
    // the tail beyond the ziggurat's last layer
    const tail = Array.from(x).reduce((k, v) => k + (Math.abs(v) > 3.5 ? 1 : 0), 0) / x.length;
    expect(Math.abs(tail - 4.653e-4)).toBeLessThan(4 * Math.sqrt(4.653e-4 / 1e6));
  });

  it("bernoulli, categorical, randint, rademacher have the right frequencies", () => {
    const r = rng("frequencies");
    const within = (measured: number, p: number, n: number) =>
      expect(Math.abs(measured - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
    within(moments(r.bernoulli(million, { probability: 0.3 }).data()).mean, 0.3, 1e6);
    within((moments(r.rademacher(million).data()).mean + 1) / 2, 0.5, 1e6);
    const weights = [0.5, 0, 2, 7.5];
    const counts = new Float64Array(4);
    for (const k of r.categorical([100_000], { probabilities: weights }).data()) counts[k]++;
    weights.forEach((w, k) => {
      if (w === 0) expect(counts[k]).toBe(0);
      else within(counts[k] / 1e5, w / 10, 1e5);
    });
    const integers = r.randint([600_000], { low: -3, high: 3 }).data();
    for (let k = -3; k < 3; k++) within(integers.filter((v) => v === k).length / 6e5, 1 / 6, 6e5);
    const wide = r.randint([100_000], { low: -2147483648, high: 2147483648 }).data();
    within(wide.filter((v) => v < 0).length / 1e5, 0.5, 1e5);
    const large = r.randint([100_000], { high: 2147483647 }).data();
    within(large.filter((v) => v < 2 ** 30).length / 1e5, 0.5, 1e5);
  });

  it("logits and probabilities are two ways to say the same", () => {
    const p = [0.1, 0.2, 0.7];
    const a = rng(5).categorical([1000], { probabilities: p });
    const b = rng(5).categorical([1000], { logits: p.map((v) => Math.log(v) + 3) });
    expect(b.toArray()).toEqual(a.toArray());
  });

  it("leading axes of logits broadcast to the shape", () => {
    const never = -Infinity;
    const logits = [
      [0, never],
      [never, 0],
    ];
    const x = rng(1).categorical([50, 2], { logits }).toArray() as number[][];
    for (const row of x) expect(row).toEqual([0, 1]);
  });

  it("weighted choice without replacement draws in proportion to what remains", () => {
    const r = rng("choice");
    const n = 20_000;
    let first = 0;
    let zeroThenTwo = 0;
    for (let i = 0; i < n; i++) {
      const [a, b] = r.choice(3, { shape: [2], replace: false, weights: [1, 2, 5] }).data();
      if (a === 2) first++;
      if (a === 0 && b === 2) zeroThenTwo++;
    }
    expect(Math.abs(first / n - 5 / 8)).toBeLessThan(4 * Math.sqrt(0.24 / n));
    expect(Math.abs(zeroThenTwo / n - (1 / 8) * (5 / 7))).toBeLessThan(4 * Math.sqrt(0.09 / n));
  });

  it("every permutation of four is equally likely", () => {
    const r = rng("permutations");
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const key = r.permutation(4).data().join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquare = [...counts.values()].reduce((s, c) => s + (c - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(49.7); // 99.9 % of chi-square with 23 degrees of freedom
  });

  it("tiny gamma and dirichlet parameters give no NaN", () => {
    const r = rng(3);
    const points = r.dirichlet([200], { concentration: [1e-4, 1e-4, 1e-4], ...f64 }).data();
    for (let i = 0; i < points.length; i += 3) expect(points[i] + points[i + 1] + points[i + 2]).toBeCloseTo(1, 12);
    for (const x of r.beta([200], { alpha: 1e-4, beta: 1e-4 }).data()) expect(x >= 0 && x <= 1).toBe(true);
  });

  it("far tails are exact and finite", () => {
    const far = rng(1)
      .truncatedNormal([1000], { low: 1e6, high: Infinity, ...f64 })
      .data();
    expect(moments(far.map((x) => (x - 1e6) * 1e6)).mean).toBeCloseTo(1, 0);
    const beyond = rng(1)
      .truncatedNormal([10], { low: 1e200, high: 1e200 * 2, ...f64 })
      .data();
    for (const x of beyond) expect(x).toBe(1e200);
    for (const x of rng(2)
      .truncatedNormal([100], { low: -1e9 - 1e-6, high: -1e9, ...f64 })
      .data()) {
      expect(x >= -1e9 - 1e-6 && x <= -1e9).toBe(true);
    }
  });
});

describe("elementary functions that do not depend on the engine", () => {
  it("agree with the engine's to 3 units in the last place", () => {
    const r = rng("elementary");
    const ulp = (x: number) => 2 ** (Math.floor(Math.log2(Math.abs(x))) - 52);
    for (const u of r.uniform([20_000], { low: -700, high: 700, ...f64 }).data()) {
      const y = Math.exp(u);
      expect(Math.abs(exp(u) - y)).toBeLessThanOrEqual(3 * ulp(y));
      expect(Math.abs(log(y) - Math.log(y))).toBeLessThanOrEqual(3 * ulp(Math.log(y)));
    }
    for (const u of r.uniform([20_000], { low: 0, high: 2, ...f64 }).data()) {
      expect(Math.abs(log(u) - Math.log(u))).toBeLessThanOrEqual(3 * ulp(Math.log(u)));
    }
  });

  it("have the right limits", () => {
    expect([log(0), log(1), log(Infinity), log(5e-324)]).toEqual([-Infinity, 0, Infinity, Math.log(5e-324)]);
    expect(log(-1)).toBeNaN();
    expect([exp(-Infinity), exp(0), exp(Infinity), exp(-746), exp(710)]).toEqual([0, 1, Infinity, 0, Infinity]);
    expect(exp(Number.NaN)).toBeNaN();
    expect(exp(-740) / Math.exp(-740)).toBeCloseTo(1, 8);
    expect(exp(709.7) / Math.exp(709.7)).toBeCloseTo(1, 13);
  });
});
