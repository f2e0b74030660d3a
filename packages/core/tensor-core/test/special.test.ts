import { f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { grad, jit, mul, special, sum, type Tensor, vmap } from "../src/index.js";

const FAR = [-1e300, -1000, -750, -40, -1, -1e-300, 0, 1e-300, 1, 40, 750, 1000, 1e300];
const slopes = (f: (x: Tensor) => Tensor, at: number[]) => vmap(grad((x: Tensor) => f(x)))(f64(at)).data();

describe("activations", () => {
  it.each([
    ["softplus", special.softplus],
    ["logSigmoid", special.logSigmoid],
    ["silu", special.silu],
    ["gelu", special.gelu],
    ["gelu by tanh", (x: Tensor) => special.gelu(x, { approximate: true })],
    ["elu", special.elu],
    ["selu", special.selu],
    ["leakyRelu", special.leakyRelu],
    ["normalCdf", special.normalCdf],
    ["erf", special.erf],
    ["erfc", special.erfc],
  ])("%s and its gradient are finite however large the input", (name, f) => {
    // The tanh formula cubes its argument, which overflows beyond 1e102.
    const at = name === "gelu by tanh" ? FAR.filter((x) => Math.abs(x) <= 1000) : FAR;
    expect((f as (x: Tensor) => Tensor)(f64(at)).data().every(Number.isFinite)).toBe(true);
    expect(slopes(f as (x: Tensor) => Tensor, at).every(Number.isFinite)).toBe(true);
  });

  it("have the slopes at 0 that their formulas say", () => {
    expect(slopes(special.softplus, [0])[0]).toBe(0.5);
    expect(slopes(special.gelu, [0])[0]).toBe(0.5);
    expect(slopes(special.silu, [0])[0]).toBe(0.5);
    expect(slopes((x) => special.elu(x, 2), [0])[0]).toBe(2);
    expect(slopes(special.leakyRelu, [0])[0]).toBe(0.01);
    expect(slopes(special.leakyRelu, [2])[0]).toBe(1);
  });

  it.each([20, 40, 700])("elu and selu have the slope e^x also at -%d", (x) => {
    expect(slopes(special.elu, [-x])[0] / Math.exp(-x)).toBeCloseTo(1, 14);
    expect(slopes(special.selu, [-x])[0] / Math.exp(-x)).toBeCloseTo(1.0507009873554805 * 1.6732632423543772, 14);
  });

  it("keep their definitions", () => {
    const x = 0.7;
    const e = Math.exp(-x);
    expect(special.silu(f64(x)).item()).toBeCloseTo(x / (1 + e), 15);
    expect(special.elu(f64(-x), 1.5).item()).toBeCloseTo(1.5 * (e - 1), 15);
    expect(special.selu(f64(x)).item()).toBeCloseTo(1.0507009873554805 * x, 15);
    const inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    expect(special.gelu(f64(x), { approximate: true }).item()).toBeCloseTo(0.5 * x * (1 + Math.tanh(inner)), 15);
    expect(Math.abs(special.gelu(f64(x)).item() - special.gelu(f64(x), { approximate: true }).item())).toBeLessThan(
      1e-3,
    );
  });
});

describe("logarithms", () => {
  it("normalLogCdf and its slope follow the tail", () => {
    // ln Phi(x) = -x^2 / 2 - ln(-x sqrt(2 pi)) + ln(1 - 1 / x^2 + ...)
    const x = -1e4;
    const expected = -(x ** 2) / 2 - Math.log(-x * Math.sqrt(2 * Math.PI)) + Math.log1p(-1 / x ** 2);
    expect(special.normalLogCdf(f64(x)).item()).toBeCloseTo(expected, 6);
    expect(slopes(special.normalLogCdf, [-40])[0]).toBeCloseTo(
      40 + 1 / 40 - 2 / 40 ** 3 + 10 / 40 ** 5 - 74 / 40 ** 7,
      10,
    );
  });

  it("logAddExp shares the gradient of equal operands, infinite ones too", () => {
    const share = grad((a: Tensor) => special.logAddExp(a, f64(Number.NEGATIVE_INFINITY)));
    expect(share(f64(1)).item()).toBe(1);
    expect(share(f64(Number.NEGATIVE_INFINITY)).item()).toBe(0.5);
    expect(special.logAddExp(f64(1000), f64(1000)).item()).toBeCloseTo(1000 + Math.LN2, 12);
  });

  it("xlogy is 0 at x = 0 with no gradient to y there", () => {
    expect(special.xlogy(f64(0), f64(0)).item()).toBe(0);
    expect(grad((y: Tensor) => special.xlogy(f64(0), y))(f64(0)).item()).toBe(0);
    expect(grad((x: Tensor) => special.xlogy(x, f64(2)))(f64(0)).item()).toBeCloseTo(Math.LN2, 15);
  });

  it("logit is the inverse of sigmoid and accurate at 1/2", () => {
    const tiny = 2 ** -50;
    expect(special.logit(f64(0.5 + tiny)).item()).toBeCloseTo(4 * tiny, 30);
    for (const x of [-20, -1, 0.3, 5]) expect(special.logit(f64(x).sigmoid()).item()).toBeCloseTo(x, 7);
  });

  it("log1mExp keeps its digits at both ends", () => {
    expect(special.log1mExp(f64(-1e-20)).item()).toBeCloseTo(Math.log(1e-20), 12);
    expect(special.log1mExp(f64(-50)).item() / -Math.exp(-50)).toBeCloseTo(1, 12);
  });
});

describe("gamma and beta functions", () => {
  it("satisfy their recurrences", () => {
    const x = f64([0.2, 1.7, 12.5]);
    const shifted = x.add(1);
    expect(sum(special.digamma(shifted).sub(special.digamma(x)).sub(x.pow(-1)).abs()).item()).toBeLessThan(1e-13);
    expect(sum(special.lgamma(shifted).sub(special.lgamma(x)).sub(x.log()).abs()).item()).toBeLessThan(1e-13);
    expect(sum(special.trigamma(x).sub(special.trigamma(shifted)).sub(x.pow(-2)).abs()).item()).toBeLessThan(1e-12);
  });

  it("distribution functions integrate their densities from 0 to 1", () => {
    expect(special.gammainc(2.5, f64([0, 1e3])).toArray()).toEqual([0, 1]);
    expect(special.betainc(2, 3, f64([0, 1])).toArray()).toEqual([0, 1]);
    // The density of the beta distribution (2, 3) at 1/2 is 12 x (1 - x)^2 = 1.5.
    expect(grad((x: Tensor) => special.betainc(2, 3, x))(f64(0.5)).item()).toBeCloseTo(1.5, 13);
    // An exponential distribution has density 1 at 0.
    expect(grad((x: Tensor) => special.gammainc(1, x))(f64(0)).item()).toBe(1);
  });

  it("compile and map", async () => {
    const f = (x: Tensor) => special.betainc(2, 3, mul(special.lgamma(x), 0.1));
    const at = f64([3.5, 4.5]);
    expect((await jit(vmap(grad(f)))(at)).toArray()).toEqual(vmap(grad(f))(at).toArray());
  });
});
