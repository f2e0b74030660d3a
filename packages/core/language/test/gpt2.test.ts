import { logSoftmax, random, reshape, stack, type Tensor, tree } from "@offprint/tensor-core";
import { expectClose, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { gpt2, gpt2Masked, initGpt2, requirePrompt, requireTarget } from "../src/index.js";

const size = { vocabSize: 11, features: 8, layers: 2, positions: 12 };
const rng = random.rng("gpt2");
const initial = initGpt2(rng, size);
// Larger embeddings than usual, so that predictions are not flat.
const params = tree.map((x: Tensor) => x.cast("float64"), { ...initial, wte: { weight: rng.normal([11, 8]) } });
const lm = gpt2(params, { heads: 2 });
const ids = Int32Array.of(3, 1, 4, 1, 5);

describe("gpt2", () => {
  it("has the gradient of finite differences", async () => {
    const x = stack([await lm.embed(ids)]);
    const logP = (y: Tensor) => logSoftmax(lm.logitsFromEmbeds(y)).slice([0, 7]);
    expectClose(await lm.logProbabilityGradient(x, 7), numericalGradient(logP, x), 1e-8);
  });

  it("gives after a prompt what it gives after the last of its prefixes, through ids and embeddings", async () => {
    const all = (await lm.allLogits([ids])).slice([0]);
    for (let length = 1; length <= ids.length; length++) {
      expectClose(
        (await lm.nextLogits([ids.slice(0, length)])) as Tensor,
        reshape(all.slice([length - 1]), [1, 11]),
        1e-12,
      );
    }
    const embeds = stack([await lm.embed(ids)]);
    expectClose(await lm.nextLogitsFromEmbeds(embeds), (await lm.nextLogits([ids])) as Tensor, 1e-12);
  });

  it("sees both sides where it is masked", async () => {
    const masked = gpt2Masked(params, { heads: 2, maskId: 0 });
    const first = async (prompt: Int32Array) => ((await masked.logits([prompt])) as Tensor).slice([0, 0]);
    const changed = Int32Array.from([...ids.slice(0, -1), 9]);
    expect(
      (await first(changed))
        .sub(await first(ids))
        .abs()
        .max()
        .item(),
    ).toBeGreaterThan(1e-3);
    const causal = async (prompt: Int32Array) => (await lm.allLogits([prompt])).slice([0, 0]);
    expectClose(await causal(changed), await causal(ids), 0);
  });
});

it("prompts and targets that do not fit the model are refused by name", () => {
  expect(() => requirePrompt("f", [1, 2] as never, 5)).toThrow("f: ids must be an Int32Array of token ids");
  expect(() => requirePrompt("f", new Int32Array(0), 5)).toThrow("f: ids is empty");
  expect(() => requirePrompt("f", Int32Array.of(1, 5), 5)).toThrow("f: ids[1] is 5; the model has the ids 0 to 4");
  expect(() => requireTarget("f", 1.5, 5)).toThrow("f: target is 1.5");
});
