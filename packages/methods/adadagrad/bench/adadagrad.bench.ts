import { compare } from "@offprint/bench";
import { adadagrad } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "AdAdaGrad: Adaptive Batch Size Schemes for Adaptive Gradient Methods",
    ours: () => adadagrad(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
