import { compare, python } from "@offprint/bench";
import { attentionSvm, optimalTokens, trainAttention } from "@offprint/svm-transformers";
import { fixedProblem } from "../claims/data.js";

/* How long do training and the two programmes take, against PyTorch and CVXOPT? */

const peers = python(new URL("peers.py", import.meta.url));

/** Runs the comparison. */
export async function run(): Promise<void> {
  const { examples, v } = fixedProblem(6, 8, 10);
  const { tokens } = optimalTokens(examples, v);
  const data = {
    tokens: examples.tokens.toArray(),
    queries: examples.queries.toArray(),
    labels: examples.labels.toArray(),
    v: v.toArray(),
    chosen: tokens,
  };
  await compare({
    name: "200 normalised steps of W, n = 6, T = 8, d = 10",
    ours: () =>
      trainAttention(examples, { head: { kind: "linear", v }, steps: 200, recordEvery: 200, initial: "zero" }),
    peers: { torch: peers.peer("train", data) },
    maxRatio: 0.7,
    repetitions: 7,
  });
  await compare({
    name: "the margin in the Frobenius norm",
    ours: () => attentionSvm(examples, tokens),
    peers: { cvxopt: peers.peer("frobenius", data) },
    repetitions: 7,
  });
  await compare({
    name: "the margin in the nuclear norm",
    ours: () => attentionSvm(examples, tokens, { norm: "nuclear" }),
    peers: { cvxopt: peers.peer("nuclear", data) },
    repetitions: 5,
  });
}
