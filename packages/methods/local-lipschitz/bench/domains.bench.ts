// What do a branch and the bounds of a whole box cost, beside the same bounds in PyTorch?
import { compare, python } from "@offprint/bench";
import { activation, perceptron } from "@offprint/networks";
import { random } from "@offprint/tensor-core";
import { sineBox, sineNetwork } from "../claims/sine-networks.js";
import { boxAround, localLipschitz } from "../src/index.js";

const peers = python(new URL("bound_peers.py", import.meta.url));

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const [network, box] = [sineNetwork([8, 16, 16, 16, 2]), sineBox(8, 0.1)];
  const plain = { outputs: [0], optimizeSlopes: false, tolerance: 0, points: 0 } as const;
  await compare({
    name: "8-16-16-16-2, one branch at a time, 63 branches",
    ours: () => localLipschitz(network, box, { ...plain, batchSize: 1, refresh: "both" }),
    work: { amount: 63, unit: "branches" },
    maxSeconds: 63 * 0.005,
    repetitions: 5,
  });
  const rng = random.rng(0);
  const dims = [64, 128, 128, 10];
  const layers = dims.slice(1).map((rows, k) => ({
    weight: rng.normal([rows, dims[k]], { std: Math.sqrt(2 / dims[k]), dtype: "float64" }),
    bias: rng.normal([rows], { std: 0.1, dtype: "float64" }),
  }));
  const wide = perceptron(layers, activation("relu"));
  const around = boxAround(rng.normal([64], { dtype: "float64" }), 0.01);
  await compare({
    name: "64-128-128-10, bounds of all outputs without branching",
    ours: () => localLipschitz(wide, around, { optimizeSlopes: false, maxDomains: 0, points: 0 }),
    peers: { "the same in PyTorch": peers.peer("root", ...dims) },
    maxSeconds: 2,
    maxRatio: 2,
    repetitions: 5,
  });
}
