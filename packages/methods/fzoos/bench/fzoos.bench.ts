import { compare, python } from "@offprint/bench";
import { random } from "@offprint/tensor-core";
import { quadratic } from "../claims/benchmarks.js";
import { small } from "../claims/quadratic-runs.js";
import { fzoos, trajectorySurrogate } from "../src/index.js";

/* What does a surrogate gradient cost beside the official code's process, and a whole run beside the same in NumPy? */

const peers = python(new URL("peers.py", import.meta.url));

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const [n, d] = [100, 20];
  const rng = random.rng(0);
  const z = rng.uniform([d], { low: 0.3, high: 0.7, dtype: "float64" });
  const x = rng.uniform([n, d], { low: -0.05, high: 0.05, dtype: "float64" }).add(z);
  const y = x.square().sum(1);
  for (const length of ["evidence", 1] as const) {
    await compare({
      name: `a gradient from ${n} queries, d = ${d}, length scale ${length === 1 ? "fixed" : "of largest evidence"}`,
      ours: () => trajectorySurrogate(x, y, { length }).gradient(z),
      peers: { "scikit-learn, 20 restarts": peers.peer("gradient", n, d) },
      maxRatio: 0.05,
      repetitions: 5,
    });
  }
  const { clients } = quadratic(random.rng(1), d, 5, 5);
  const [local, features] = [small.maxLocalQueries, small.maxFeatureQueries];
  await compare({
    name: "six rounds of five clients, d = 20",
    ours: () => fzoos({ clients, dimension: d }, { ...small, maxIterations: 6 }),
    peers: { NumPy: peers.peer("rounds", d, 5, 10, 6, local, features) },
    maxRatio: 1,
    repetitions: 5,
  });
}
