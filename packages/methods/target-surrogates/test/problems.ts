import { mlp } from "@offprint/nn";
import { matmul, random, type Tensor } from "@offprint/tensor-core";
import { linearModel, losses, type TargetModel } from "../src/index.js";

/** Everything in float64. */
export const double = { dtype: "float64" } as const;

/** A generator for a test. */
export function rngOf(name: string): random.Rng {
  return random.rng(name);
}

/** Inputs `[n, d]`, labels 0, 1 with noise, and a squared loss's targets. */
export function samples(name: string, n: number, d: number) {
  const rng = rngOf(name);
  const x = rng.normal([n, d], double);
  const w = rng.normal([d, 1], double);
  const y = matmul(x, w)
    .add(rng.normal([n, 1], double))
    .reshape([n]);
  const labels = Float64Array.from(y.data(), (each) => (each > 0 ? 1 : 0));
  return { x, y, labels, w, ids: Int32Array.from({ length: n }, (_, i) => i) };
}

/** Three kinds of models with three outputs for inputs `[n, 4]`. */
export function models(): Record<"factorisation" | "linear" | "network", TargetModel<any, any>> {
  const rng = rngOf("models");
  const network = mlp({ sizes: [4, 5, 3], activation: "tanh" });
  return {
    linear: linearModel(4, 3, { initial: rng.normal([4, 3], double) }),
    network: {
      params: network.init(rngOf("network"), "float64"),
      forward: (params: any, x: any) => network.apply(params, x),
    },
    factorisation: {
      params: { A: rng.normal([4, 2], double), B: rng.normal([2, 3], double) },
      forward: ({ A, B }: { A: Tensor; B: Tensor }, x: any) => matmul(matmul(x, A), B),
    },
  };
}

/** Three losses of three outputs (the logistic one of one) for n examples. */
export function targetLosses(n: number) {
  const rng = rngOf("targets");
  const classes = rng.randint([n], { high: 3 }).data();
  return {
    squared: losses.squared(rng.normal([n, 3], double)),
    softmax: losses.softmax(classes),
    logistic: losses.logistic(Float64Array.from(classes, (k) => k % 2)),
  };
}
