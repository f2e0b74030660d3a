// Trains the two small language models that the package ships, about a minute each on one core, and writes their
// safetensors files.
// From the package's folder: node --conditions=@offprint/source --import ../../../tooling/typescript/register.mjs training/make-tiny-weights.mjs
import { writeFile } from "node:fs/promises";
import { saveParameters } from "@offprint/nn";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { adamw, chain, clipByGlobalNorm, polynomialSchedule, train, warmupSchedule } from "@offprint/optim";
import { div, logSumExp, mul, random, sub, sum, takeAlongAxis } from "@offprint/tensor-core";
import { vocabulary } from "../src/tiny/grammar.ts";
import { gpt2Embed, gpt2Features, gpt2Logits, initGpt2 } from "../src/transformer/gpt2.ts";
import { BATCH, causalBatch, maskedBatch, POSITIONS, SENTENCES, trainingSentences } from "./sentence-batches.ts";

const STEPS = 800;
const WARM_UP = 50;
const PEAK = 3e-3;
const HEADS = 4;

const size = { vocabSize: vocabulary.length, features: 48, layers: 2, positions: POSITIONS };
const backend = await onnxRuntime();
const sentences = trainingSentences(random.rng("tiny/sentences"));

/** @param {"gpt" | "mlm"} kind */
async function trained(kind) {
  const causal = kind === "gpt";
  const after = polynomialSchedule({ initial: PEAK, steps: STEPS - WARM_UP });
  const { params, losses } = await train({
    loss(/** @type {any} */ p, batch) {
      const { features } = gpt2Features(
        p,
        gpt2Embed(p, batch.inputs),
        { heads: HEADS, causal },
        { keyBias: batch.keyBias },
      );
      const logits = gpt2Logits(p, features);
      const wanted = takeAlongAxis(logits, batch.targets.reshape([...batch.targets.shape, 1])).reshape(
        batch.targets.shape,
      );
      return div(sum(mul(sub(logSumExp(logits, { axis: -1 }), wanted), batch.weights)), sum(batch.weights));
    },
    params: initGpt2(random.rng(`tiny/${kind}`), size),
    optimizer: chain(
      clipByGlobalNorm(1),
      adamw({ learningRate: warmupSchedule({ peak: PEAK, steps: WARM_UP, after }) }),
    ),
    *data(_, rng) {
      const order = rng.permutation(SENTENCES).data();
      for (let from = 0; from + BATCH <= SENTENCES; from += BATCH) {
        const chosen = Array.from(order.slice(from, from + BATCH), (i) => sentences[i]);
        yield causal ? causalBatch(chosen) : maskedBatch(chosen, rng);
      }
    },
    epochs: Math.ceil(STEPS / Math.floor(SENTENCES / BATCH)),
    seed: `tiny/${kind}`,
    backend,
    onProgress({ step, loss }) {
      if (step % 50 === 0) console.log(kind, step, loss.toFixed(3));
      return step === STEPS ? "stop" : undefined;
    },
  });
  const last = losses.slice(-50);
  console.log(kind, "mean loss of the last 50 steps", last.reduce((a, b) => a + b, 0) / last.length);
  return params;
}

await writeFile(new URL("../assets/causal.safetensors", import.meta.url), saveParameters(await trained("gpt")));
await writeFile(new URL("../assets/masked.safetensors", import.meta.url), saveParameters(await trained("mlm")));
await backend.release();
