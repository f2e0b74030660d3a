import { compare, python } from "@offprint/bench";
import { nngp } from "@offprint/gaussian-process";
import { add, jitSync, mul, random, sin, sum, type Tensor } from "@offprint/tensor-core";
import { fitByEvidence, regress } from "../src/index.js";

/* How long do the kernel of a deep network, exact regression and a fit take at 1,000 points, beside scikit-learn's Gaussian process on the same data? */

const sklearn = python(new URL("peers.py", import.meta.url));

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const rng = random.rng(1);
  const n = 1000;
  const X = rng.uniform([n, 5], { low: -1, high: 1, dtype: "float64" });
  const noise = rng.studentT([n], { degreesOfFreedom: 3, dtype: "float64" });
  const y = add(sum(sin(mul(3, X)), 1), mul(0.1, noise));
  const Z = rng.uniform([n, 5], { low: -1, high: 1, dtype: "float64" });
  const kernel = nngp({ kind: "fullyConnected", depth: 4, readoutVariance: 1 });
  const covariances = jitSync((x: Tensor) => kernel.matrix(x));
  const handed = (count: number) => ({
    X: X.slice([{ start: 0, stop: count }]).toArray(),
    y: y.slice([{ start: 0, stop: count }]).toArray(),
    Z: Z.toArray(),
  });
  const regression = (count: number) => () => {
    const process = regress(kernel, X.slice([{ start: 0, stop: count }]), y.slice([{ start: 0, stop: count }]), {
      noise: 0.02,
    });
    return process.predict(Z).interval(0.9);
  };
  await compare({
    name: "kernel of four hidden layers, 1,000 x 1,000, beside a squared exponential one",
    ours: () => covariances(X),
    peers: { "scikit-learn": sklearn.peer("kernel", handed(n)) },
    maxSeconds: 1,
    repetitions: 5,
  });
  await compare({
    name: "t process of 1,000 points, intervals at 1,000",
    ours: regression(n),
    peers: { "scikit-learn": sklearn.peer("predict", handed(n)) },
    maxRatio: 1,
    maxSeconds: 2,
    repetitions: 5,
  });
  await compare({
    name: "fit by evidence, 200 points, intervals at 1,000",
    ours: async () => {
      const rows = [{ start: 0, stop: 200 }];
      const { process } = await fitByEvidence(kernel, X.slice(rows), y.slice(rows));
      return process.predict(Z).interval(0.9);
    },
    peers: { "scikit-learn": sklearn.peer("fit", handed(200)) },
    repetitions: 3,
  });
}
