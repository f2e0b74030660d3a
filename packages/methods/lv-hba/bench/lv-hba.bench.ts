import { compare, python } from "@offprint/bench";
import { projections } from "@offprint/solvers";
import { jitSync, random, type Tensor } from "@offprint/tensor-core";
import { toyProblem, toyStart } from "../claims/toy.js";
import { lvHba } from "../src/index.js";

/* How long do the toy's iterations take against PyTorch, and the exact projection on soft margins against a conic solver? */

const peers = python(new URL("peers.py", import.meta.url));

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const toy = toyProblem(100, toyStart(100));
  await compare({
    name: "300 iterations, the merely convex problem, n = 100",
    ours: () => lvHba(toy, { maxIterations: 300, scaleConstraints: [Math.sqrt(300)] }),
    peers: { torch: peers.peer("toy", { n: 100, iterations: 300 }) },
    maxRatio: 0.3,
    repetitions: 7,
  });
  for (const n of [100, 500]) {
    const rng = random.rng(n);
    const features = rng.normal([n, 10], { dtype: "float64" });
    const values = features.data();
    const labels = Float64Array.from({ length: n }, (_, i) => (values[10 * i] > 0 ? 1 : -1));
    const project = jitSync((v: Tensor) => projections.softMarginSet({ features, labels })(v));
    const point = rng.normal([11 + n], { dtype: "float64" });
    await compare({
      name: `exact projection on soft margins, ${n} examples`,
      ours: () => project(point),
      peers: { cvxopt: peers.peer("softMargins", { n, d: 10 }) },
      maxRatio: 0.1,
      repetitions: 7,
    });
  }
}
