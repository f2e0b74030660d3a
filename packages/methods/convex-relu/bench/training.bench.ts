// How long does the convex programme take to the same accuracy as an interior-point solver, how does it grow with the
// data, and how long do scikit-learn and PyTorch take to end somewhere near?
import { compare, python } from "@offprint/bench";
import { random, tensor } from "@offprint/tensor-core";
import { designOf } from "../src/design.js";
import { samplePatterns, trainBackprop, trainConvex } from "../src/index.js";

const peers = python(new URL("cvxopt_peers.py", import.meta.url));
const FEATURES = 4;
const BETA = 0.1;

function problemOf(n: number, count: number) {
  const rng = random.rng(n);
  const x = rng.normal([n, FEATURES], { dtype: "float64" });
  const e = rng.normal([n], { dtype: "float64" }).data();
  const y = Float64Array.from(e, (value, k) => Math.sin(2 * Number(x.data()[k * FEATURES])) + 0.1 * value);
  const patterns = samplePatterns(x, { count, seed: 1 });
  const { rows, d } = designOf("bench", x, true);
  const list = Array.from({ length: n }, (_, k) => Array.from(rows.slice(k * d, (k + 1) * d)));
  return { x, y: tensor(y), patterns, list, targets: Array.from(y), D: patterns.D.map((D) => Array.from(D)) };
}

/** Iterations until the network's objective stays within `accuracy` of the optimum. */
async function iterationsTo(accuracy: number, problem: ReturnType<typeof problemOf>): Promise<number> {
  const options = { loss: "squared", beta: BETA, patterns: problem.patterns } as const;
  const { networkObjective } = await trainConvex(problem.x, problem.y, {
    ...options,
    maxIterations: 20_000,
    tolerance: 1e-7,
  });
  for (let maxIterations = 50; ; maxIterations = Math.ceil(1.2 * maxIterations)) {
    const result = await trainConvex(problem.x, problem.y, { ...options, maxIterations, certify: false });
    if (result.networkObjective <= networkObjective * (1 + accuracy)) return maxIterations;
  }
}

export async function run() {
  for (const [n, count] of [
    [40, 16],
    [80, 24],
    [120, 32],
  ]) {
    const problem = problemOf(n, count);
    const { x, y, patterns } = problem;
    for (const accuracy of [1e-2, 1e-3]) {
      const maxIterations = await iterationsTo(accuracy, problem);
      await compare({
        name: `n=${n}, P=${count}: network within ${accuracy} of the optimum (${maxIterations} iterations)`,
        ours: () => trainConvex(x, y, { loss: "squared", beta: BETA, patterns, maxIterations, certify: false }),
        peers: { cvxopt: peers.peer("conic", problem.list, problem.targets, problem.D, BETA) },
        repetitions: 3,
      });
    }
  }
  const middle = problemOf(120, 32);
  await compare({
    name: "n=120: 300 iterations with the certificate, against networks of 20 neurons",
    ours: () =>
      trainConvex(middle.x, middle.y, { loss: "squared", beta: BETA, patterns: middle.patterns, maxIterations: 300 }),
    peers: {
      "scikit-learn L-BFGS, 500": peers.peer("mlp", middle.list, middle.targets, BETA, 20, 500),
      "torch Adam, 3000": peers.peer("torch_adam", middle.list, middle.targets, BETA, 20, 3000),
      "own Adam, 3000": () =>
        trainBackprop(middle.x, middle.y, { loss: "squared", beta: BETA, width: 20, steps: 3000 }),
    },
    repetitions: 3,
  });
  for (const n of [100, 200, 400, 800]) {
    const { x, y, patterns } = problemOf(n, n / 5);
    await compare({
      name: `growth: factor and 100 iterations, n=${n}, P=n/5, d=5`,
      ours: () =>
        trainConvex(x, y, { loss: "squared", beta: BETA, patterns, rho: 0.4, maxIterations: 100, certify: false }),
      peers: {},
      repetitions: 3,
    });
  }
}
