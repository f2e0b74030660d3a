import { compare } from "@offprint/bench";
import { targetSurrogates } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "Target-based Surrogates for Stochastic Optimization",
    ours: () => targetSurrogates(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
