import { compare } from "@offprint/bench";
import { sinkhornNewtonSparse } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: "Accelerating Sinkhorn Algorithm with Sparse Newton Iterations",
    ours: () => sinkhornNewtonSparse(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
