import { type CausalLM, type Gpt2Params, gpt2, initGpt2 } from "@offprint/language";
import { cast, type Rng, random, type Tensor, tree } from "@offprint/tensor-core";
import type { Replacer } from "../src/index.js";

/** A model that answers at once, with plain arrays. */
export interface PlainLM extends CausalLM {
  nextLogits(prompts: readonly Int32Array[]): number[][];
}

/** A model whose target probability is any function of the prompt: token 1 against token 0. */
export function oracle(probability: (prompt: Int32Array) => number, vocabSize = 2): PlainLM {
  return {
    vocabSize,
    nextLogits: (prompts) =>
      prompts.map((prompt) => {
        const p = probability(prompt);
        return Array.from({ length: vocabSize }, (_, v) =>
          v === 1 ? Math.log(p) : Math.log((1 - p) / (vocabSize - 1)),
        );
      }),
  };
}

/** A prompt of ones. */
export function onesPrompt(length: number): Int32Array {
  return new Int32Array(length).fill(1);
}

/** Replaces by zeros. */
export const byZero: Replacer = (prompts) => prompts.map((prompt) => prompt.map(() => 0));

/** Parameters of a small random GPT-2 with larger embeddings than usual, so that its predictions are not flat. */
export function smallParams(dtype: "float32" | "float64", layers = 2, rng: Rng = random.rng("small")): Gpt2Params {
  const params = initGpt2(rng, { vocabSize: 11, features: 8, layers, positions: 12 });
  const wider = { ...params, wte: { weight: rng.normal([11, 8]) } };
  return tree.map((x: Tensor) => cast(x, dtype), wider);
}

/** That model on the host kernels. */
export function smallLM(dtype: "float32" | "float64" = "float64", layers = 2) {
  return gpt2(smallParams(dtype, layers), { heads: 2 });
}
