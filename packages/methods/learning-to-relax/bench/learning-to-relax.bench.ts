import { compare } from "@offprint/bench";
import { learningToRelax } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "Learning to Relax: Setting Solver Parameters Across a Sequence of Linear System Instances",
    ours: () => learningToRelax(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
