import { compare, python } from "@offprint/bench";
import { random } from "@offprint/tensor-core";
import { medianFilter, optimizeSchedule, refineSchedule } from "../src/index.js";

const peers = python(new URL("schedule_peers.py", import.meta.url));

/** How long does a schedule take to compute, at the length of real runs? */
export async function run() {
  for (const [steps, width] of [
    [1e4, 1001],
    [1e5, 10_001],
    [1e6, 100_001],
  ]) {
    const norms = random.rng(0).normal([steps], { dtype: "float64" }).data().map(Math.exp);
    await compare({
      name: `running median, T = ${steps}, width ${width}`,
      ours: () => medianFilter(norms, width),
      peers: { "scipy.ndimage.median_filter": peers.peer("median", steps, width) },
      maxSeconds: 5,
      repetitions: 3,
    });
  }
  const norms = random.rng(1).normal([1e5], { dtype: "float64" }).data().map(Math.exp);
  await compare({
    name: "refined schedule, T = 1e5",
    ours: () => refineSchedule(norms),
    maxSeconds: 1,
    repetitions: 5,
  });
  await compare({
    name: "numerical refinement to its end, T = 1000",
    ours: () => optimizeSchedule(new Float64Array(1000).fill(1), 1),
    peers: { "scipy L-BFGS-B, gradient from torch": peers.peer("minimise", 1000) },
    repetitions: 3,
  });
  await compare({
    name: "numerical refinement to its end, T = 1e4",
    ours: () => optimizeSchedule(new Float64Array(1e4).fill(1), 1),
    maxSeconds: 5,
    repetitions: 3,
  });
}
