import { compare, python } from "@offprint/bench";
import { branin } from "../claims/problems.js";
import { optimize } from "../src/index.js";

/* What does a run cost beside the same loop on scikit-learn? */

const peers = python(new URL("peers.py", import.meta.url));

/** Runs the comparison. */
export async function run(): Promise<void> {
  const [first, steps] = [10, 20];
  const { space, objective } = branin();
  await compare({
    name: "Branin, 10 even points and 20 suggestions",
    ours: () => optimize({ space, objective }, { initialTrials: first, maxIterations: steps + 1 }),
    peers: { "scikit-learn": peers.peer("loop", first, steps) },
    maxRatio: 1,
    repetitions: 5,
  });
}
