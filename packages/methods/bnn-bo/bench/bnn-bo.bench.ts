import { compare, python } from "@offprint/bench";
import { random } from "@offprint/tensor-core";
import { branin } from "../claims/problems.js";
import { optimize } from "../src/index.js";

/* What does a run cost beside the same loop on scikit-learn, and beside random search where trials are dear? */

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
}
