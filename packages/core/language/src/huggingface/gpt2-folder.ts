import { type Backend, FormatError, requireObject, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { readGpt2 } from "../transformer/gpt2-file.js";
import { type Gpt2, gpt2 } from "../transformer/gpt2-lm.js";
import { countIn, type ModelFiles, readJson } from "./model-files.js";

/** Names of the approximate GELU that GPT-2 uses. */
const activations = ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"];

/**
 * A GPT-2 from `model.safetensors` and `config.json`, with gradients, embedding access and attention weights.
 * @throws ValueError where a file is missing; FormatError where one is damaged; UnsupportedError for a variant whose
 * forward pass is another one.
 */
export async function gpt2FromSafetensors(files: ModelFiles, options: { backend?: Backend } = {}): Promise<Gpt2> {
  requireObject("gpt2FromSafetensors", "files", files, "ModelFiles");
  const config = await readJson(files, "config.json");
  const bytes = await files.read("model.safetensors");
  if (bytes === undefined) {
    throw new ValueError(`${files.name} has no model.safetensors; save the model with save_pretrained`);
  }
  const activation = config["activation_function"] ?? "gelu_new";
  const unusual =
    !activations.includes(String(activation)) ||
    config["tie_word_embeddings"] === false ||
    config["scale_attn_by_inverse_layer_idx"] === true ||
    config["scale_attn_weights"] === false;
  if (unusual) {
    throw new UnsupportedError(
      `${files.name}: this variant of GPT-2 (${String(activation)}) is not known; export it to ONNX and use loadOptimumCausalLM`,
    );
  }
  const heads = countIn(config, ["n_head", "num_attention_heads"]);
  if (heads === undefined)
    throw new FormatError(`${files.name}: config.json does not say the number of heads (n_head)`);
  const params = readGpt2(bytes);
  const features = params.wte.weight.shape[1];
  if (features % heads !== 0) {
    throw new FormatError(
      `${files.name}: n_head of config.json is ${heads}, which does not divide the ${features} features`,
    );
  }
  const epsilon = config["layer_norm_epsilon"];
  return gpt2(params, {
    heads,
    ...(typeof epsilon === "number" && { epsilon }),
    ...(options.backend && { backend: options.backend }),
  });
}
