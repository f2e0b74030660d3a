import { compare } from "@offprint/bench";
import { reagent } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "ReAGent: Towards A Model-agnostic Feature Attribution Method for Generative Language Models",
    ours: () => reagent(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
