import { compare } from "@offprint/bench";
import { cbo } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "Gradient is All You Need? How Consensus-Based Optimization can be Interpreted as a Stochastic Relaxation of Gradient Descent",
    ours: () => cbo(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
