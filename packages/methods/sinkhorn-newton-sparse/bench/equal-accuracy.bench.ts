import { compare, python } from "@offprint/bench";
import { sinkhorn, sinkhornNewtonSparse, type TransportProblem } from "@offprint/sinkhorn-newton-sparse";
import { random, type Tensor } from "@offprint/tensor-core";
import { imagePair } from "../claims/blob-images.js";

/* How long does a plan of the same accuracy take, against POT's Sinkhorn iterations and its exact solver? */

const pot = python(new URL("pot_peers.py", import.meta.url));

interface Case {
  name: string;
  problem: TransportProblem;
  eta: number;
  tolerance: number;
  peers: readonly ("log" | "stabilised" | "plain" | "emd")[];
  /** Most iterations of POT. */
  iterations?: number;
  repetitions?: number;
}

function uniform(n: number): TransportProblem {
  return {
    cost: random.rng(1).uniform([n, n], { dtype: "float64" }),
    r: new Float64Array(n).fill(1 / n),
    c: new Float64Array(n).fill(1 / n),
  };
}

async function against({ name, problem, eta, tolerance, peers, iterations = 200000, repetitions = 3 }: Case) {
  const values = (x: unknown) => Array.from((x as Tensor).data?.() ?? (x as Float64Array));
  const handed = {
    cost: values(problem.cost),
    r: values(problem.r),
    c: values(problem.c),
    eta,
    tol: tolerance,
    iterations,
  };
  await compare({
    name,
    ours: () => sinkhornNewtonSparse(problem, { eta, tolerance }),
    peers: {
      ...Object.fromEntries(peers.map((peer) => [`POT ${peer}`, pot.peer(peer, handed)])),
      "our Sinkhorn": () => sinkhorn(problem, { eta, tolerance, maxIterations: iterations, domain: "stabilised" }),
    },
    repetitions,
  });
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const images = imagePair(random.rng(2), "sqeuclidean");
  await against({
    name: "n = 500, eta = 50, to 1e-9",
    problem: uniform(500),
    eta: 50,
    tolerance: 1e-9,
    peers: ["plain", "log"],
  });
  await against({
    name: "n = 200, eta = 400, to 1e-9",
    problem: uniform(200),
    eta: 400,
    tolerance: 1e-9,
    peers: ["stabilised", "log"],
  });
  await against({
    name: "14 x 14 images, eta = 1200, to 1e-9",
    problem: images,
    eta: 1200,
    tolerance: 1e-9,
    peers: ["stabilised", "log"],
  });
  const large = { problem: uniform(500), eta: 1200, repetitions: 1 };
  await against({ name: "n = 500, eta = 1200, to 1e-5", ...large, tolerance: 1e-5, peers: ["stabilised", "log"] });
  await against({
    name: "n = 500, eta = 1200, to 1e-13 (Sinkhorn stopped after 1000 iterations, at 3e-6)",
    ...large,
    tolerance: 1e-13,
    peers: ["stabilised", "log", "emd"],
    iterations: 1000,
  });
}
