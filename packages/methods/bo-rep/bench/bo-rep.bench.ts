import { compare, python } from "@offprint/bench";
import { hyperRepresentation, type Learner } from "@offprint/bilevel";
import { linear } from "@offprint/nn";
import { add, cast, matmul, random, slice, squeeze, type Tensor, take, tanh } from "@offprint/tensor-core";
import { steepProblem } from "../claims/steep-problem.js";
import { boRep } from "../src/index.js";

/* How long does an iteration take, against PyTorch's autograd: a recurrent network, and a problem of five variables? */

const torch = python(new URL("torch_peers.py", import.meta.url));
const vocabulary = 50;

type Network = { embedding: Tensor; recurrent: Tensor };

function network(width: number, length: number): Learner<Network> {
  return {
    init: (rng) => ({
      embedding: rng.normal([vocabulary, width], { std: 0.5 }),
      recurrent: rng.normal([width, width], { std: 1 / Math.sqrt(width) }),
    }),
    apply({ embedding, recurrent }, tokens) {
      const seen = take(embedding, cast(tokens, "int32"));
      const at = (t: number) => squeeze(slice(seen, [null, { start: t, stop: t + 1 }]), 1);
      let h = tanh(at(0));
      for (let t = 1; t < length; t++) h = tanh(add(at(t), matmul(h, recurrent)));
      return h;
    },
  };
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const size of [
    { width: 16, length: 12, batch: 64 },
    { width: 64, length: 32, batch: 20 },
  ]) {
    const { width, length, batch } = size;
    const rng = random.rng(0);
    const examples = () => ({
      inputs: cast(rng.randint([500, length], { high: vocabulary }), "float32"),
      targets: rng.randint([500], { high: 2 }),
    });
    const problem = hyperRepresentation([{ support: examples(), query: examples() }], {
      ...{ body: network(width, length), head: linear({ inputs: width, outputs: 2 }), batchSize: batch },
    });
    const options = { stepLength: 0.01, lowerStepSize: 0.5, linearStepSize: 0.5, refinement: false } as const;
    const peers = (kind: string) => ({ torch: torch.peer(kind, { ...size, iterations: 20 }) });
    await compare({
      name: `20 iterations, recurrent network of width ${width}, length ${length}, batch ${batch}`,
      ours: () => boRep(problem, { ...options, maxIterations: 20 }),
      peers: peers("independent"),
      maxRatio: 0.3,
      repetitions: 7,
    });
    await compare({
      name: `the same with one batch of each level`,
      ours: () => boRep(problem, { ...options, batches: "shared", maxIterations: 20 }),
      peers: peers("shared"),
      maxRatio: 0.3,
      repetitions: 7,
    });
  }
  const { problem } = steepProblem(random.rng(1));
  await compare({
    name: "100 iterations, the steep problem of five variables",
    ours: () => boRep(problem, { stepLength: 0.01, lowerStepSize: 0.15, linearStepSize: 0.15, maxIterations: 100 }),
    peers: { torch: torch.peer("steep", { iterations: 100 }) },
    maxRatio: 0.3,
    repetitions: 7,
  });
}
