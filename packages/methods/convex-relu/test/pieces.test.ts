import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { CholeskySolver } from "../src/cholesky-solver.js";
import { coneMaximum, projectedNorm } from "../src/cone-maximum.js";
import { designOf } from "../src/design.js";
import { projectL1Epigraph } from "../src/epigraph-projection.js";
import { enumeratePatterns, samplePatterns } from "../src/index.js";
import { bestDualValue, losses, lossGradient, lossProx, lossSum, marginProx, sampleLoss } from "../src/loss.js";
import { NormalSystem } from "../src/normal-system.js";
import { PatternOperator } from "../src/pattern-operator.js";

const numbers = (rng: random.Rng, count: number, scale = 1) =>
  Float64Array.from(rng.normal([count], { dtype: "float64" }).data(), (value) => scale * value);

function operatorOf(seed: number, n: number, features: number, P: number) {
  const x = random.rng(seed).normal([n, features], { dtype: "float64" });
  return new PatternOperator(designOf("test", x, true), samplePatterns(x, { count: P, seed }));
}

/** F `[n, 2P d]` and G `[2P n, 2P d]`, formed. */
function denseMatrices({ n, d, P, design, mask, sign }: PatternOperator) {
  const F = Array.from({ length: n }, (_, k) =>
    Float64Array.from({ length: 2 * P * d }, (_, p) => {
      const j = Math.floor(p / d);
      return (j < P ? 1 : -1) * mask[(j % P) * n + k] * design.rows[k * d + (p % d)];
    }),
  );
  const G = Array.from({ length: 2 * P * n }, (_, r) => {
    const row = new Float64Array(2 * P * d);
    const [j, k] = [Math.floor(r / n), r % n];
    for (let c = 0; c < d; c++) row[j * d + c] = sign[(j % P) * n + k] * design.rows[k * d + c];
    return row;
  });
  return { F, G };
}

const times = (rows: Float64Array[], x: Float64Array) =>
  Float64Array.from(rows, (row) => row.reduce((sum, value, p) => sum + value * x[p], 0));
const transposedTimes = (rows: Float64Array[], y: ArrayLike<number>) => {
  const out = new Float64Array(rows[0].length);
  for (const [k, row] of rows.entries()) for (let p = 0; p < out.length; p++) out[p] += row[p] * y[k];
  return out;
};

// Two columns, and ten: the products of many columns take another way.
describe.each([
  [1, 9, 12],
  [9, 14, 5],
])("the programme's operators with %i features", (features, n, P) => {
  const operator = operatorOf(1, n, features, P);
  const { F, G } = denseMatrices(operator);
  const u = numbers(random.rng(2), 2 * operator.P * operator.d);

  it("equal the matrices", () => {
    const difference = new Float64Array(operator.P * operator.d);
    const f = new Float64Array(n);
    operator.differences(u, difference);
    operator.predict(difference, f);
    times(F, u).forEach((value, k) => expect(f[k]).toBeCloseTo(value, 11));
    const pulled = new Float64Array(operator.P * operator.d);
    operator.transposed(f, pulled);
    const dense = transposedTimes(F, f);
    pulled.forEach((value, p) => expect(value).toBeCloseTo(dense[p], 10));
    const worst = Math.max(0, ...times(G, u).map((value) => -value));
    expect(operator.violation(u)).toBeCloseTo(worst, 11);
  });

  it.each([0.05, 0.4, 1])("the u-step solves its system to 1e-10, c = %d", (c) => {
    const system = new NormalSystem(operator);
    system.prepare(c);
    const r = numbers(random.rng(3), u.length);
    const h = numbers(random.rng(4), n);
    const solution = new Float64Array(u.length);
    system.solve(r, h, solution);
    const Fu = times(F, solution);
    const left = transposedTimes(
      F,
      Fu.map((value, k) => value / c - h[k]),
    );
    const constraints = transposedTimes(G, times(G, solution));
    left.forEach((value, p) => expect(Math.abs(solution[p] + value + constraints[p] - r[p])).toBeLessThan(1e-10));
    system.e.forEach((value, k) => expect(c * (h[k] - value)).toBeCloseTo(Fu[k], 10));
  });
});

it("the u-step takes the smaller of its two systems and they agree", () => {
  // 40 samples and 3 patterns of 2 columns: differences; the same data with 12 patterns repeated: samples.
  const few = operatorOf(5, 40, 1, 3);
  const { F, G } = denseMatrices(few);
  const system = new NormalSystem(few);
  system.prepare(0.3);
  const r = numbers(random.rng(3), 12);
  const h = numbers(random.rng(4), 40);
  const u = new Float64Array(12);
  system.solve(r, h, u);
  const left = transposedTimes(
    F,
    times(F, u).map((value, k) => value / 0.3 - h[k]),
  );
  const constraints = transposedTimes(G, times(G, u));
  left.forEach((value, p) => expect(Math.abs(u[p] + value + constraints[p] - r[p])).toBeLessThan(1e-10));
});

it("a cached factor solves again and again", () => {
  const A = Float64Array.of(4, 1, 0, 1, 3, 1, 0, 1, 5);
  const solver = new CholeskySolver(A, 3);
  for (const b of [
    [1, 2, 3],
    [0, 0, 1],
  ]) {
    const x = Float64Array.from(b);
    solver.solve(x);
    for (let i = 0; i < 3; i++)
      expect(A[3 * i] * x[0] + A[3 * i + 1] * x[1] + A[3 * i + 2] * x[2]).toBeCloseTo(b[i], 13);
  }
});

describe("losses", () => {
  const f = [-2.3, -0.4, 0.2, 0.9, 1.7];
  const y = [1, -1, 1, -1, 1];

  it.each(losses)("%s: the gradient is that of finite differences", (loss) => {
    const gradient = new Float64Array(5);
    lossGradient(loss, f, y, gradient);
    for (let k = 0; k < 5; k++) {
      const moved = (h: number) =>
        lossSum(
          loss,
          f.map((value, i) => (i === k ? value + h : value)),
          y,
        );
      expect(gradient[k]).toBeCloseTo((moved(1e-6) - moved(-1e-6)) / 2e-6, 7);
    }
  });

  it("bce is the same as with labels 0 and 1", () => {
    const expected = f.reduce((sum, value, k) => sum - value * (y[k] + 1) + Math.log1p(Math.exp(2 * value)), 0);
    expect(lossSum("bce", f, y)).toBeCloseTo(expected, 12);
  });

  it.each(losses)("%s: the proximal map is the minimiser that a fine grid finds", (loss) => {
    for (const rho of [0.05, 1, 7]) {
      for (const x of [-3, -0.5, 0.4, 1.02, 2.5]) {
        const value = (q: number) => sampleLoss(loss, q, 1) + (rho / 2) * (q - x) ** 2;
        const q = lossProx(loss, x, 1, rho);
        for (let i = -400; i <= 400; i++) expect(value(q)).toBeLessThanOrEqual(value(q + i * 1e-3) + 1e-12);
        expect(lossProx(loss, -x, -1, rho)).toBeCloseTo(-q, 12);
      }
    }
  });

  it("the logistic proximal map is stationary wherever it is evaluated", () => {
    for (const rho of [1e-3, 0.02, 0.04, 0.5, 3, 1e3]) {
      for (let p = -80; p <= 80; p += 0.37) {
        const q = marginProx("bce", p, rho);
        const slope = 2 / (1 + Math.exp(-2 * q)) + rho * (q - p);
        expect(Math.abs(slope)).toBeLessThan(1e-12 * (1 + rho * (1 + Math.abs(p))));
      }
    }
  });

  it.each(losses)("%s: the dual value is below loss + z f for every f, and reached", (loss) => {
    const point = [0.3];
    const z = new Float64Array(1);
    lossGradient(loss, point, [1], z);
    z[0] = -z[0];
    const dual = bestDualValue(loss, z, [1], 1);
    for (let q = -6; q <= 6; q += 0.01) expect(dual).toBeLessThanOrEqual(sampleLoss(loss, q, 1) + z[0] * q + 1e-9);
    if (loss !== "squared") expect(dual).toBeGreaterThan(0);
    else expect(dual).toBeCloseTo(z[0] - z[0] ** 2 / 2, 12);
  });
});

describe("the projection onto {||r||_1 <= t}", () => {
  const project = (point: readonly number[]) => {
    const out = Float64Array.from(point);
    projectL1Epigraph(out, 0, point.length - 1, new Float64Array(point.length - 1));
    return out;
  };
  const rng = random.rng(8);
  const samples = Array.from({ length: 60 }, () => Array.from(numbers(rng, 4, 1.5)));

  it("lands in the cone, is idempotent and does not expand", () => {
    for (const [i, a] of samples.entries()) {
      const p = project(a);
      expect(Math.abs(p[0]) + Math.abs(p[1]) + Math.abs(p[2])).toBeLessThanOrEqual(p[3] + 1e-12);
      project(Array.from(p)).forEach((value, c) => expect(value).toBeCloseTo(p[c], 12));
      const b = samples[(i + 1) % samples.length];
      const q = project(b);
      const distance = (s: ArrayLike<number>, t: ArrayLike<number>) => Math.hypot(...Array.from(s, (v, c) => v - t[c]));
      expect(distance(p, q)).toBeLessThanOrEqual(distance(a, b) + 1e-12);
    }
  });

  it("fulfils the conditions of optimality: the rest is in the polar cone and orthogonal", () => {
    for (const a of samples) {
      const p = project(a);
      const rest = a.map((value, c) => value - p[c]);
      expect(rest.reduce((sum, value, c) => sum + value * p[c], 0)).toBeCloseTo(0, 11);
      // The polar cone of {||r||_1 <= t} is {||r||_inf <= -t}.
      expect(Math.max(...rest.slice(0, 3).map(Math.abs))).toBeLessThanOrEqual(-rest[3] + 1e-12);
    }
  });
});

describe("the largest value over a pattern's cone", () => {
  it("in the plane equals that of a fine grid of directions", () => {
    const x = random.rng(3).normal([9, 1], { dtype: "float64" });
    const design = designOf("test", x, true);
    for (const pattern of enumeratePatterns(x).D) {
      const g = numbers(random.rng(pattern.join("")), 2);
      let best = 0;
      for (let i = 0; i < 100_000; i++) {
        const u = [Math.cos((2 * Math.PI * i) / 1e5), Math.sin((2 * Math.PI * i) / 1e5)];
        const inside = pattern.every((active, k) => (active ? 1 : -1) * (x.data()[k] * u[0] + u[1]) >= 0);
        if (inside) best = Math.max(best, g[0] * u[0] + g[1] * u[1]);
      }
      const value = coneMaximum(design, pattern, g);
      expect(value).toBeGreaterThanOrEqual(best - 1e-12);
      expect(value - best).toBeLessThan(1e-4);
      // The arc agrees with the projection in any dimension.
      const generators = Float64Array.from({ length: 18 }, (_, p) => (pattern[p >> 1] ? 1 : -1) * design.rows[p]);
      expect(projectedNorm(generators, 9, 2, g)).toBeCloseTo(value, 7);
    }
  });

  it("in three dimensions is a bound that random directions come near to and never exceed", () => {
    const x = random.rng(4).normal([6, 2], { dtype: "float64" });
    const design = designOf("test", x, true);
    const directions = random.rng(5).sphere([20_000, 3], { dtype: "float64" }).data();
    for (const pattern of enumeratePatterns(x).D.slice(0, 20)) {
      const g = numbers(random.rng(pattern.join("")), 3);
      const value = coneMaximum(design, pattern, g);
      let best = 0;
      for (let i = 0; i < 20_000; i++) {
        const u = directions.slice(3 * i, 3 * i + 3);
        let inside = true;
        for (let k = 0; k < 6 && inside; k++) {
          const h = design.rows[3 * k] * u[0] + design.rows[3 * k + 1] * u[1] + design.rows[3 * k + 2] * u[2];
          inside = (pattern[k] ? 1 : -1) * h >= 0;
        }
        if (inside) best = Math.max(best, g[0] * u[0] + g[1] * u[1] + g[2] * u[2]);
      }
      expect(best).toBeLessThanOrEqual(value + 1e-12);
      expect(value - best).toBeLessThan(0.15 * Math.hypot(...g));
    }
  });
});

it("data keep their column of ones last", () => {
  const { rows, d } = designOf("test", tensor([[2], [3]]), true);
  expect(d).toBe(2);
  expect(Array.from(rows)).toEqual([2, 1, 3, 1]);
});
