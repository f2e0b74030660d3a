import { grad, mul, random, sum, type Tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { it } from "vitest";
import { type Kernel, nngp, ntk, type ParameterTree, productOf, squaredExponential } from "../src/index.js";
import { ownCovariance } from "../src/own-covariance.js";

const kernels: Record<string, Kernel> = {
  relu: nngp({ kind: "fullyConnected", depth: 2, biasVariance: 0.3 }),
  erf: nngp({ kind: "residual", blocks: 1, activation: "erf" }),
  tangent: ntk({ kind: "fullyConnected", depth: 2 }),
  product: productOf(squaredExponential({ length: 0.7 }), squaredExponential({ length: [1, 2, 3] })),
  stationary: squaredExponential(),
};

it.each(Object.entries(kernels))("half of the blocks give the whole matrix and its gradient: %s", (_, kernel) => {
  for (const n of [63, 64, 67, 101]) {
    const x = random.rng(n).uniform([n, 3], { low: -1, high: 1, dtype: "float64" });
    // Points that are told apart: the whole matrix.
    const again = x.add(0);
    const weights = random.rng("weights").normal([n, n], { dtype: "float64" });
    for (const own of [ownCovariance(kernel, x), kernel.matrix(x)]) {
      expectClose(own, kernel.matrix(x, again), { absolute: 1e-13 });
    }
    const slope = (matrix: (k: Kernel) => Tensor) =>
      grad((p: ParameterTree) => sum(mul(weights, matrix(kernel.with(p)))))(kernel.parameters);
    expectClose(
      slope((k) => ownCovariance(k, x)),
      slope((k) => k.matrix(x, again)),
      1e-9,
    );
  }
});
