import { largestDifference } from "@offprint/claims";
import { expect, it } from "vitest";
import { sourceHash } from "../make-kernels.mjs";
import { GibbsKernel } from "../src/gibbs-kernel.js";
import { LEAST_CUT, rowKernels } from "../src/kernels/row-kernels.js";
import { sourceHash as builtFrom } from "../src/kernels/wasm-bytes.js";
import { readProblem } from "../src/transport-problem.js";
import { randomProblem } from "./problems.js";

it("the WebAssembly belongs to the present sources", () => {
  expect(builtFrom, "run `node make-kernels.mjs`").toBe(sourceHash());
});

it("WebAssembly and JavaScript rows agree, also where exponentials vanish or overflow", () => {
  const exponents = [-1e6, -745, -709, -690.25, -120, -100.5, -3, 0, 2.5, 300, 689];
  const [n, m] = [2, exponents.length];
  const kernels = (["wasm", "js"] as const).map((mode) => rowKernels(n, m, mode));
  expect(kernels.map(({ mode }) => mode)).toEqual(["wasm", "js"]);
  for (const k of kernels) {
    k.exponents.fill(-Infinity);
    k.exponents.set(exponents, k.stride);
    k.v.fill(0.25, 0, m);
  }
  for (const cut of [LEAST_CUT, -100]) {
    const sums = kernels.map((k) => k.exponentials(1, -0.25, 0, cut));
    expect(sums[0] / sums[1]).toBeCloseTo(1, 14);
    for (let j = 0; j < m; j++) {
      const expected = exponents[j] > cut ? Math.exp(exponents[j]) : 0;
      for (const k of kernels) {
        if (expected === 0) expect(k.plan[j]).toBe(0);
        else expect(k.plan[j] / expected).toBeCloseTo(1, 13);
      }
    }
  }
  for (const k of kernels) expect(k.exponentials(1, 10, 0, LEAST_CUT)).toBe(Infinity);
});

it("a Sinkhorn pass and an evaluation agree in both, and with exact log-sum-exp where sums underflow", () => {
  for (const eta of [5, 3000]) {
    const read = readProblem("test", randomProblem(9, 13, 10));
    const [wasm, js] = (["wasm", "js"] as const).map((mode) => new GibbsKernel(read, eta, mode));
    const passes = [wasm, js].map((kernel) => kernel.sinkhornPass());
    expect(largestDifference(passes[0].u, passes[1].u)).toBeLessThan(1e-12 * eta);
    expect(largestDifference(passes[0].v, passes[1].v)).toBeLessThan(1e-12 * eta);
    // u_i = log r_i - log sum_j exp(-eta c_ij - 1), written out.
    for (let i = 0; i < 13; i++) {
      const row = Array.from(read.cost.slice(i * 10, i * 10 + 10), (c) => -eta * c - 1);
      const top = Math.max(...row);
      const logSum = top + Math.log(row.reduce((sum, a) => sum + Math.exp(a - top), 0));
      expect(passes[0].u[i]).toBeCloseTo(Math.log(read.r[i]) - logSum, 10);
    }
    for (const [k, kernel] of [wasm, js].entries()) {
      kernel.u = passes[k].u;
      kernel.v = passes[k].v;
      const sums = kernel.evaluate();
      expect(largestDifference(sums.columns, read.c)).toBeLessThan(1e-15 * (1 + eta));
      kernel.absorb();
      expect(largestDifference(kernel.evaluate().rows, sums.rows)).toBeLessThan(1e-15 * (1 + eta));
    }
  }
});

it("leaving out negligible entries changes no sum", () => {
  const kernel = new GibbsKernel(readProblem("test", randomProblem(10, 20, 31)), 900);
  const { u, v } = kernel.sinkhornPass();
  const screened = kernel.evaluate(u, v);
  const zeros = kernel.rows.plan.filter((p) => p === 0).length;
  const complete = kernel.evaluate(u, v, true);
  expect(kernel.rows.plan.filter((p) => p === 0).length).toBeLessThan(zeros);
  expect(largestDifference(screened.rows, complete.rows)).toBe(0);
  expect(largestDifference(screened.columns, complete.columns)).toBe(0);
});
