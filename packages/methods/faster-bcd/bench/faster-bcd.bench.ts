import { compare } from "@offprint/bench";
import { fasterBcd } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "Let's Make Block Coordinate Descent Converge Faster: Faster Greedy Rules, Message-Passing, Active-Set Complexity, and Superlinear Convergence",
    ours: () => fasterBcd(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
