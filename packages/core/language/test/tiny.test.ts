import { onnxRuntime } from "@offprint/onnx-runtime";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { drawSentence, loadTinyModels, vocabulary, wordClasses } from "../src/tiny/index.js";

// Compiled where the binding is installed.
const backend = await onnxRuntime().catch(() => undefined);
const models = await loadTinyModels(backend ? { backend } : {});

describe("the small models", () => {
  it("have the vocabulary of the grammar", () => {
    expect(models.vocab).toEqual(vocabulary);
    expect(models.specialIds).toEqual([0, 1, 2, 3]);
    expect(() => models.encode("tree")).toThrow(/"tree" is not among the 172 words/);
  });

  it("know the last word of nearly every sentence, and fill in words that fit", async () => {
    const rng = random.rng("unseen");
    const sentences = Array.from({ length: 60 }, () => drawSentence(rng));
    let known = 0;
    let fitting = 0;
    for (const { words, cause } of sentences) {
      const ids = models.encode(words.join(" "));
      const last = ids.length - 1;
      const next = (await models.lm.allLogits([ids.slice(0, last)])).slice([0, -1]);
      if (next.argMax().item() === ids[last]) known += 1;
      const hidden = ids.map((id, i) => (i === cause + 1 ? models.mlm.maskId : id));
      const logits: any = await models.mlm.logits([hidden]);
      const word =
        vocabulary[
          logits
            .slice([0, cause + 1])
            .argMax()
            .item()
        ];
      if (wordClasses.some((kind) => kind.includes(word) && kind.includes(words[cause]))) fitting += 1;
    }
    expect(known / 60).toBeGreaterThan(0.95);
    expect(fitting / 60).toBeGreaterThan(0.9);
  });

  it("compute the same compiled and on the host", async () => {
    const host = await loadTinyModels();
    const ids = models.encode("i knew it was cold before i saw it .");
    const pairs = [
      [await models.lm.nextLogits([ids]), await host.lm.nextLogits([ids])],
      [await models.mlm.logits([ids]), await host.mlm.logits([ids])],
      [await models.lm.attentions(ids), await host.lm.attentions(ids)],
    ] as any[];
    const x = (await host.lm.embed(ids)).reshape([1, ids.length, 48]);
    pairs.push([await models.lm.logProbabilityGradient(x, 9), await host.lm.logProbabilityGradient(x, 9)]);
    for (const [a, b] of pairs) {
      const wanted = b.data();
      for (const [i, value] of a.data().entries()) expect(Math.abs(value - wanted[i])).toBeLessThan(2e-4);
    }
  });
});
