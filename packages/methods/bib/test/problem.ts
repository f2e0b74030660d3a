import { matmul, random, reshape, type Tensor } from "@offprint/tensor-core";
import { dna, type RelaxedModel } from "../src/index.js";

const rng = random.rng(4);

/** Features that tell sequences of five letters apart: mixtures of letters, bent. */
export const bent: RelaxedModel<Tensor> = {
  alphabet: dna,
  parameters: rng.normal([20, 12], { dtype: "float64" }),
  features: (oneHot, w) => matmul(reshape(oneHot, [oneHot.shape[0], 20]), w).tanh(),
};

/** Every letter of every place: features with which the scores are linear. */
export const placed: RelaxedModel = { alphabet: dna, features: (oneHot) => reshape(oneHot, [oneHot.shape[0], 20]) };

/** Sixty sequences whose score is how many letters are G, and a little noise. */
export const sequences = Array.from({ length: 60 }, () =>
  Array.from(rng.randint([5], { high: 4 }).data(), (i) => dna[i]).join(""),
);
const noise = rng.normal([60], { dtype: "float64" }).data();
export const scores = sequences.map((s, i) => [...s].filter((c) => c === "G").length + 0.01 * noise[i]);
export const table = { sequences, scores };
