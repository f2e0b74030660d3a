import { compare, python } from "@offprint/bench";
import { add, div, mul, random, sin, square, sub, sum, type Tensor } from "@offprint/tensor-core";
import { branin } from "../claims/problems.js";
import { hamiltonianMonteCarlo, hamiltonianProgram, optimize, regressionNetwork } from "../src/index.js";

/*
 * What does a run cost beside the same loop on scikit-learn, and beside random search where trials are dear? And a path of
 * Hamiltonian Monte Carlo on a network of the paper's size beside PyTorch?
 */

const peers = python(new URL("peers.py", import.meta.url));
const { space, objective } = branin();
/** What both searches look for: the least value is 0.398. */
const ENOUGH = 0.45;
const [CHEAP, MOST] = [0.005, 3000];

/** A trial that takes its time. */
function trial(settings: (string | number)[]): number[] {
  const end = performance.now() + 1000 * CHEAP;
  while (performance.now() < end);
  return objective(settings);
}

/** Tries random settings until one is good enough. */
function randomSearch(seed: number): number {
  const rng = random.rng(seed);
  for (let k = 1; k <= MOST; k++) {
    const [u, v] = rng.uniform([2], { dtype: "float64" }).data();
    if (trial([15 * u - 5, 15 * v])[0] < ENOUGH) return k;
  }
  return MOST;
}

/** The log density of the weights of a network, noise of variance 0.1 and a prior of variance 1. */
function weightsOf(network: ReturnType<typeof regressionNetwork>) {
  return hamiltonianProgram<{ x: Tensor; y: Tensor }>((w, { x, y }) =>
    mul(-0.5, add(div(sum(square(sub(y, network.apply(w, x)))), 0.1), sum(square(w)))),
  );
}

/** Ten paths of a hundred leapfrog steps through the weights of three layers of 128 units, 100 points. */
async function paths(): Promise<void> {
  const [samples, leapfrogs, stepSize] = [10, 100, 1e-3];
  const rng = random.rng("paths");
  const network = regressionNetwork(6, { hidden: [128, 128, 128] });
  const x = rng.uniform([100, 6], { dtype: "float64" });
  const y = sin(mul(3, sum(x, 1)));
  const initial = network.initial(rng);
  const program = weightsOf(network);
  await compare({
    name: `${samples} transitions of ${leapfrogs} leapfrog steps, network of 3 x 128, 100 points, float64`,
    ours: () =>
      hamiltonianMonteCarlo(program, initial, { x, y }, { burnIn: 0, samples, path: leapfrogs * stepSize, stepSize }),
    peers: { torch: peers.peer("paths", { x: x.toArray(), y: y.toArray(), samples, leapfrogs, stepSize }) },
    work: { amount: samples * leapfrogs, unit: "leapfrog steps" },
    repetitions: 3,
  });
}

/** Runs the comparison. */
export async function run(): Promise<void> {
  const [first, steps] = [10, 20];
  await compare({
    name: "Branin, 10 even points and 20 suggestions",
    ours: () => optimize({ space, objective }, { initialTrials: first, maxIterations: steps + 1 }),
    peers: { "scikit-learn": peers.peer("loop", first, steps) },
    maxRatio: 1,
    repetitions: 5,
  });
  let [run, other] = [0, 0];
  const onProgress = ({ progress }: { progress: number }) => (progress < ENOUGH ? "stop" : undefined);
  await compare({
    name: "Branin below 0.45, trials of 5 ms each, five seeds in turn",
    ours: () =>
      optimize({ space, objective: trial }, { initialTrials: first, maxIterations: 200, seed: run++ % 5, onProgress }),
    peers: { "random search": () => randomSearch(other++ % 5) },
    maxRatio: 1,
    repetitions: 5,
  });
  await paths();
}
