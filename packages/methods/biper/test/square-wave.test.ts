import { grad, jit, mul, random, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { binarizeScaled } from "../src/binary-activation.js";
import { binarizeActivation, periodic, squareWave } from "../src/index.js";
import { sineWave } from "../src/square-wave.js";

const rng = random.rng("square wave");
const double = { dtype: "float64" } as const;
const OMEGA = 20;
const list = (x: Tensor) => Array.from(x.data());
const w = rng.normal([40], { std: 0.3, ...double });
const upstream = rng.normal([40], double);
const gradientOf = (f: (x: Tensor) => Tensor, at: Tensor) =>
  grad((x: Tensor) => sum(mul(f(x), upstream)))(at) as Tensor;

describe("weights", () => {
  it("of stage 1 have the gradient of finite differences", () => {
    const h = 1e-6;
    const g = list(gradientOf((x) => sineWave(x, OMEGA), w));
    list(w).forEach((v, i) => {
      const slope = (Math.sin(OMEGA * (v + h)) - Math.sin(OMEGA * (v - h))) / (2 * h);
      expect(Math.abs(g[i] - slope * list(upstream)[i])).toBeLessThan(1e-6 * (1 + Math.abs(g[i])));
    });
  });

  it("of stage 2 are the signs of stage 1, with the same gradient", () => {
    expect(list(squareWave(w, OMEGA))).toEqual(list(sineWave(w, OMEGA)).map((v) => (v >= 0 ? 1 : -1)));
    expectClose(
      gradientOf((x) => squareWave(x, OMEGA), w),
      gradientOf((x) => sineWave(x, OMEGA), w),
      1e-14,
    );
  });

  it("do not change by a period, and flip by half of one and by a change of sign", () => {
    const flipped = list(squareWave(w, OMEGA)).map((v) => -v);
    const period = w.add((2 * Math.PI) / OMEGA);
    expect(list(squareWave(period, OMEGA))).toEqual(list(squareWave(w, OMEGA)));
    expectClose(
      gradientOf((x) => squareWave(x, OMEGA), period),
      gradientOf((x) => squareWave(x, OMEGA), w),
      1e-12,
    );
    expect(list(squareWave(w.neg(), OMEGA))).toEqual(flipped);
    expect(list(squareWave(w.add(Math.PI / OMEGA), OMEGA))).toEqual(flipped);
  });

  it("of zero are +1: one bit stores no third value", () => {
    expect(list(squareWave([0, -0], OMEGA))).toEqual([1, 1]);
    expect(list(binarizeActivation([0, -0, 1e-30, -1e-30]))).toEqual([1, 1, 1, -1]);
  });

  it("of NaN are NaN: what has no sign is no weight", () => {
    expect(list(squareWave([Number.NaN, 1, Infinity], OMEGA))).toEqual([Number.NaN, 1, Number.NaN]);
    expect(list(binarizeActivation([Number.NaN, -1, Infinity]))).toEqual([Number.NaN, -1, 1]);
    expect(list(binarizeScaled(tensor([[Number.NaN, -1]])))).toEqual([Number.NaN, -1]);
  });

  it("have a gradient however large they are", () => {
    const far = tensor([0.01 + (200 * Math.PI) / OMEGA], double);
    const g = grad((x: Tensor) => sum(squareWave(x, OMEGA)))(far) as Tensor;
    expect(g.item()).toBeCloseTo(OMEGA * Math.cos(OMEGA * 0.01), 8);
  });

  it("are the same traced", async () => {
    const f = (x: Tensor) => [squareWave(x, OMEGA), gradientOf((v) => squareWave(v, OMEGA), x)];
    const [y, g] = await jit(f)(w);
    expect(list(y)).toEqual(list(squareWave(w, OMEGA)));
    expectClose(
      g,
      gradientOf((x) => squareWave(x, OMEGA), w),
      1e-14,
    );
  });

  it.each([0, -1, Number.NaN, Infinity])("reject the frequency %s", (omega) => {
    expect(() => squareWave(w, omega)).toThrow(/omega is .*finite number > 0/);
    expect(() => sineWave(w, omega)).toThrow(/omega/);
    expect(() => periodic({ omega })).toThrow(/omega/);
  });
});

describe("activations", () => {
  it("have the gradient 2, 1, 0, 0 at magnitudes 0, 1/2, 1, 2", () => {
    const g = grad((x: Tensor) => sum(binarizeActivation(x)));
    expect(list(g(tensor([0, 0.5, -0.5, 1, -1, 2])) as Tensor)).toEqual([2, 1, 1, 0, 0, 0]);
  });

  it("are scaled by their deviation for the gradient, which runs through the deviation too", () => {
    const a = rng.normal([3, 2, 4, 5], double);
    const g = rng.normal([3, 2, 4, 5], double);
    // With the polynomial's integral in place of the sign, the same gradient is an ordinary one.
    const smooth = (x: number) => (Math.abs(x) >= 1 ? Math.sign(x) : 2 * x - Math.sign(x) * x * x);
    const loss = (values: ArrayLike<number>) => {
      let total = 0;
      for (let n = 0; n < 3; n++) {
        const part = Array.from(values).slice(40 * n, 40 * (n + 1));
        const mean = part.reduce((s, v) => s + v, 0) / 40;
        const deviation = Math.sqrt(part.reduce((s, v) => s + (v - mean) ** 2, 0) / 39 + 1e-5);
        part.forEach((v, i) => {
          total += smooth(v / deviation) * g.data()[40 * n + i];
        });
      }
      return total;
    };
    const found = list(grad((x: Tensor) => sum(mul(binarizeScaled(x), g)))(a) as Tensor);
    for (let i = 0; i < 120; i += 7) {
      const [up, down] = [1e-6, -1e-6].map((h) => loss(list(a).map((v, k) => (k === i ? v + h : v))));
      expect(Math.abs((up - down) / 2e-6 - found[i])).toBeLessThan(1e-6 * (1 + Math.abs(found[i])));
    }
  });

  it("are the same in training and evaluation: the sign is scale invariant", () => {
    const a = rng.normal([3, 2, 4, 5]);
    expect(list(binarizeScaled(a))).toEqual(list(binarizeActivation(a)));
    expect(list(binarizeScaled(mul(a, 17)))).toEqual(list(binarizeActivation(a)));
  });
});
