import { compare, python } from "@offprint/bench";
import { condition, fit as fitKernel, scale, squaredExponential } from "@offprint/gaussian-process";
import { add, mul, random, sin, sum } from "@offprint/tensor-core";

/* How long do a fit and predictions with deviations take at 1,000 points, beside scikit-learn? */

const sklearn = python(new URL("peers.py", import.meta.url));

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const n of [200, 1000]) {
    const rng = random.rng(n);
    const X = rng.uniform([n, 5], { dtype: "float64" });
    const y = add(sum(sin(mul(4, X)), 1), rng.normal([n], { std: 0.1, dtype: "float64" }));
    const Z = rng.uniform([n, 5], { dtype: "float64" });
    const handed = { X: X.toArray(), y: y.toArray(), Z: Z.toArray() };
    const kernel = scale(squaredExponential({ length: new Float64Array(5).fill(1) }), 1);
    await compare({
      name: `n = ${n}, fixed parameters: condition, means and deviations at ${n} points`,
      ours: () => {
        const posterior = condition(kernel, X, y, { noise: 0.01 });
        return posterior.marginals(Z);
      },
      peers: { "scikit-learn": sklearn.peer("predict", handed) },
      maxRatio: 1,
      repetitions: 5,
    });
    await compare({
      name: `n = ${n}, fitted: seven parameters, means and deviations at ${n} points`,
      ours: async () => {
        const { posterior } = await fitKernel(kernel, X, y);
        return posterior.marginals(Z);
      },
      peers: { "scikit-learn": sklearn.peer("fit", handed) },
      maxRatio: 1,
      repetitions: n === 1000 ? 1 : 3,
    });
  }
}
