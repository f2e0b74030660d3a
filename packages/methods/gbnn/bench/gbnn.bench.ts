import { compare } from "@offprint/bench";
import { gbnn } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "Sequential Training of Neural Networks with Gradient Boosting",
    ours: () => gbnn(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
