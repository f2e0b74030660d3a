import type { ModelFiles } from "@offprint/language/huggingface";
import { renameValues } from "@offprint/onnx-format";
import {
  checkOptions,
  concatenate,
  conv,
  convTranspose,
  grad,
  matmul,
  oneHot,
  random,
  sum,
  type Tensor,
  tanh,
} from "@offprint/tensor-core";
import type { LevelTensors } from "../level.js";
import { smallUnet } from "../training/small-unet.js";

/** Writes a function as an .onnx file: `toOnnx` of `@offprint/onnx-runtime`. */
export type ExportFunction = (f: (...args: never[]) => unknown, ...specs: readonly unknown[]) => Uint8Array;

/** Options of {@link tinyPipeline}. */
export interface TinyPipelineOptions {
  /** `toOnnx` of `@offprint/onnx-runtime`. */
  readonly toOnnx: ExportFunction;
  /** Whether states are latents of an autoencoder, 2 channels of 4 x 4 for images of 3 x 8 x 8, or pixels, 3 x 8 x 8. Default true. */
  readonly latent?: boolean;
}

/** A whole pipeline of untrained networks, small enough for tests. */
export interface TinyPipeline {
  /** Its files, as diffusers and optimum lay them out. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** The gradient of the network as a second file. */
  readonly gradient: Uint8Array;
  /** The gradient of the decoder of latents as a file. */
  readonly decoderGradient: Uint8Array;
  /** The network as it was before it was exported: states, times `[batch]`, condition `[batch, 6, 5]`. */
  unet(sample: Tensor, timestep: Tensor, condition: Tensor): Tensor;
}

const entries = 5;
const tokens = 6;
const vocabulary = { a: 0, b: 1, c: 2, "c</w>": 3, "b</w>": 4, "ab</w>": 5, "<|startoftext|>": 6, "<|endoftext|>": 7 };

/**
 * A tiny latent or pixel model with text encoder and tokenizer, exported for batches of any size. Its texts are made of the words `ab`, `b`
 * and `c`.
 */
export function tinyPipeline(options: TinyPipelineOptions): TinyPipeline {
  checkOptions("tinyPipeline", options, ["toOnnx", "latent"]);
  const { toOnnx, latent = true } = options;
  const rng = random.rng("tiny pipeline");
  const [channels, extent] = latent ? [2, 4] : [3, 8];
  const network = smallUnet({ channels, width: 4, conditionSize: entries });
  const weights = network.init(rng);
  const down = rng.normal([2, 3, 2, 2], { std: 0.3 });
  const up = rng.normal([2, 3, 2, 2], { std: 0.3 });
  const table = rng.normal([8, entries]);
  const state = { shape: ["batch", channels, extent, extent], dtype: "float32" };
  const image = { shape: ["batch", 3, 8, 8], dtype: "float32" };
  const latents = { shape: ["batch", 2, 4, 4], dtype: "float32" };
  const time = { shape: ["batch"], dtype: "float32" };
  const told = { shape: ["batch", tokens, entries], dtype: "float32" };
  const unet = (sample: Tensor, timestep: Tensor, condition: Tensor) =>
    network.apply(weights, sample, { timestep } as LevelTensors, condition);
  const encoder = (x: Tensor) => {
    const mean = conv(x, down, { strides: 2 });
    return concatenate([mean, mean.mul(0).sub(30)], 1);
  };
  const decoder = (z: Tensor) => tanh(convTranspose(z, up, { strides: 2 }));
  const text = (ids: Tensor) => matmul(oneHot(ids, 8, { dtype: "float32" }), table);
  const backward = (sample: Tensor, timestep: Tensor, condition: Tensor, cotangent: Tensor) =>
    grad((x: Tensor, c: Tensor) => sum(unet(x, timestep, c).mul(cotangent)), { argument: [0, 1] })(sample, condition);
  const inputs = { input0: "sample", input1: "timestep", input2: "encoder_hidden_states" };
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const autoencoder = () => ({
    "vae_encoder/model.onnx": renameValues(toOnnx(encoder, image), { input0: "sample", output0: "latent_parameters" }),
    "vae_decoder/model.onnx": renameValues(toOnnx(decoder, state), { input0: "latent_sample", output0: "sample" }),
    "vae_decoder/config.json": json({ scaling_factor: 0.5 }),
  });
  return {
    unet,
    gradient: renameValues(toOnnx(backward, state, time, told, state), {
      ...inputs,
      input3: "cotangent",
      output0: "gradient_sample",
      output1: "gradient_encoder_hidden_states",
    }),
    decoderGradient: renameValues(
      toOnnx((z: Tensor, cotangent: Tensor) => grad((x: Tensor) => sum(decoder(x).mul(cotangent)))(z), latents, image),
      { input0: "latent_sample", input1: "cotangent", output0: "gradient_latent_sample" },
    ),
    files: {
      "scheduler/scheduler_config.json": json({
        beta_start: 0.00085,
        beta_end: 0.012,
        beta_schedule: "scaled_linear",
        num_train_timesteps: 1000,
        prediction_type: "v_prediction",
        set_alpha_to_one: false,
        steps_offset: 1,
      }),
      "unet/model.onnx": renameValues(toOnnx(unet, state, time, told), { ...inputs, output0: "out_sample" }),
      ...(latent && autoencoder()),
      "text_encoder/model.onnx": renameValues(toOnnx(text, { shape: ["batch", tokens], dtype: "int32" }), {
        input0: "input_ids",
        output0: "last_hidden_state",
      }),
      "tokenizer/vocab.json": json(vocabulary),
      "tokenizer/merges.txt": new TextEncoder().encode("#version: 0.2\na b</w>\n"),
    },
  };
}

/** Files in memory as a folder. */
export function folderOf(files: Readonly<Record<string, Uint8Array>>): ModelFiles {
  return { name: "tiny", read: (file) => files[file] };
}
