import { compare } from "@offprint/bench";
import { biper } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "BiPer: Binary Neural Networks using a Periodic Function",
    ours: () => biper(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
