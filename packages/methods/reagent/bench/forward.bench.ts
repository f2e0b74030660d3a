// How many forward passes per second does the small model run, beside the same weights in PyTorch? And how does their
// cost grow with the number of prompts?
import { compare, python } from "@offprint/bench";
import { loadTinyModels } from "@offprint/language/tiny";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { stack } from "@offprint/tensor-core";

const torch = python(new URL("torch_peers.py", import.meta.url));

export async function run() {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const { encode } = await loadTinyModels();
  const ids = encode(
    "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,",
  );
  for (const rows of [1, 5, 10, 20, 40]) {
    // A model of its own for each size, as a batch is padded to one that was seen before.
    const { lm } = await loadTinyModels({ backend });
    const prompts = new Array(rows).fill(ids);
    await compare({
      name: `forward pass, ${rows} prompts of ${ids.length} tokens`,
      ours: () => lm.nextLogits(prompts),
      peers: { torch: torch.peer("forward", rows, Array.from(ids)) },
      work: { amount: rows, unit: "prompts" },
      maxRatio: 1.2,
    });
  }
  const { lm } = await loadTinyModels({ backend });
  const x = await lm.embed(ids);
  const embeds = stack(new Array(20).fill(x));
  await compare({
    name: `gradient at the embeddings of 20 prompts of ${ids.length} tokens`,
    ours: () => lm.logProbabilityGradient(embeds, 5),
    peers: { torch: torch.peer("gradient", 20, Array.from(ids)) },
    work: { amount: 20, unit: "prompts" },
    maxRatio: 1.2,
  });
  await backend.release();
}
