import { compare } from "@offprint/bench";
import { bspNet } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "Learning Mesh Representations via Binary Space Partitioning Tree Networks",
    ours: () => bspNet(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
