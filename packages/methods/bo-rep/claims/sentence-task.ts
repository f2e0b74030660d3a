import type { BilevelProblem, Learner } from "@offprint/bilevel";
import { accuracy, crossEntropy } from "@offprint/optim";
import {
  add,
  jitSync,
  matmul,
  maximum,
  mul,
  random,
  slice,
  square,
  squeeze,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  zeros,
} from "@offprint/tensor-core";

const [vocabulary, length, width] = [20, 12, 16];
const float64 = { dtype: "float64" } as const;

/** Sentences `[n, 12]` of tokens, and what they say, 0 or 1. */
export interface Sentences {
  readonly inputs: Tensor;
  readonly targets: Tensor;
}

/** Tokens 0 to 3 speak for, 4 to 7 against, the others of nothing. */
function sentences(rng: random.Rng, n: number): Sentences {
  const tokens = rng.randint([n, length], { high: vocabulary });
  const noise = rng.normal([n], { std: 0.3, ...float64 }).data();
  const data = tokens.data();
  const labels = Int32Array.from({ length: n }, (_, i) => {
    let score = noise[i];
    for (let t = 0; t < length; t++) {
      const token = data[i * length + t];
      if (token < 4) score += 1;
      else if (token < 8) score -= 1;
    }
    return score > 0 ? 1 : 0;
  });
  return { inputs: tokens, targets: tensor(labels) };
}

/** The weights of the network. */
export interface Network {
  readonly embedding: Tensor;
  readonly input: Tensor;
  readonly recurrent: Tensor;
  readonly bias: Tensor;
}

/** An embedding and a tanh recurrent network that gives its last state, or the largest of all. */
const networkOf = (pooled: boolean): Learner<Network> => ({
  init: (rng) => ({
    embedding: rng.normal([vocabulary, 8], { std: 0.5, ...float64 }),
    input: rng.normal([8, width], { std: 1 / Math.sqrt(8), ...float64 }),
    recurrent: rng.normal([width, width], { std: 1 / Math.sqrt(width), ...float64 }),
    bias: tensor(new Float64Array(width), float64),
  }),
  apply({ embedding, input, recurrent, bias }, tokens) {
    // The table goes through the first layer once for every token, and not once for every place.
    const seen = take(add(matmul(embedding, input), bias), tokens);
    const at = (t: number) => squeeze(slice(seen, [null, { start: t, stop: t + 1 }]), 1);
    let h = tanh(at(0));
    let largest = h;
    for (let t = 1; t < length; t++) {
      h = tanh(add(at(t), matmul(h, recurrent)));
      if (pooled) largest = maximum(largest, h);
    }
    return pooled ? largest : h;
  },
});

/** A linear head. */
export interface Head {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** A task with the network in one of its forms; compiled once, for all seeds. */
export interface SentenceTask {
  /** The problem of a seed, x the network and y its head, with the sentences to judge by. */
  problemOf(seed: string): { problem: BilevelProblem<Network, Head, Sentences>; test: Sentences };
  /** The part of them that is right. */
  rightOf(x: Network, y: Head, test: Sentences): number;
}

/** @param pooled - whether the head sees the largest of all states of the network, and not the last one */
export function sentenceTask(pooled: boolean): SentenceTask {
  const network = networkOf(pooled);
  const logits = (x: Network, { weight, bias }: Head, inputs: Tensor) =>
    add(matmul(network.apply(x, inputs), weight), bias);
  const lossOf = (x: Network, y: Head, { inputs, targets }: Sentences) => crossEntropy(logits(x, y, inputs), targets);
  // Sentences are the batches, so that all seeds share what is compiled.
  const functions = {
    upper: lossOf,
    lower: (x: Network, y: Head, batch: Sentences) =>
      add(lossOf(x, y, batch), mul(add(sum(square(y.weight)), sum(square(y.bias))), 0.005)),
  };
  const right = jitSync((x: Network, y: Head, { inputs, targets }: Sentences) =>
    accuracy(logits(x, y, inputs), targets),
  );
  return {
    problemOf(seed) {
      const rng = random.rng(seed);
      const [train, validation, test] = [sentences(rng, 1000), sentences(rng, 1000), sentences(rng, 1000)];
      const draw = (from: Sentences) => (r: random.Rng) => {
        const rows = r.randint([64], { high: 1000 });
        return { inputs: take(from.inputs, rows), targets: take(from.targets, rows) };
      };
      const head = { weight: zeros([width, 2], "float64"), bias: zeros([2], "float64") };
      const initial = { x: network.init(rng), y: head };
      return { problem: { ...functions, initial, sample: { upper: draw(validation), lower: draw(train) } }, test };
    },
    rightOf: (x, y, test) => right(x, y, test).item(),
  };
}
