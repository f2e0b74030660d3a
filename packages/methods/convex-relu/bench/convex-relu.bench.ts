import { compare } from "@offprint/bench";
import { convexRelu } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "Efficient Global Optimization of Two-layer ReLU Networks: Quadratic-time Algorithms and Adversarial Training",
    ours: () => convexRelu(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
