import type { ModelFiles } from "@offprint/language/huggingface";
import { renameValues } from "@offprint/onnx-format";
import { toOnnx } from "@offprint/onnx-runtime";
import {
  concatenate,
  conv,
  convTranspose,
  type DType,
  grad,
  matmul,
  oneHot,
  random,
  sum,
  type Tensor,
  tanh,
} from "@offprint/tensor-core";
import { type LevelTensors, smallUnet } from "../src/index.js";

/** Sizes of the tiny model. */
export const sizes = { latent: 2, image: 3, extent: 4, entries: 5, tokens: 6, vocabulary: 8 };

const rng = random.rng("tiny pipeline");
const network = smallUnet({ channels: sizes.latent, width: 4, conditionSize: sizes.entries });
const weights = network.init(rng);
const down = rng.normal([sizes.latent, sizes.image, 2, 2], { std: 0.3 });
const up = rng.normal([sizes.latent, sizes.image, 2, 2], { std: 0.3 });
const table = rng.normal([sizes.vocabulary, sizes.entries]);

/** The U-Net as it is trained here: whatever the file gives must be this. */
export function eagerUnet(sample: Tensor, timestep: Tensor, told: Tensor): Tensor {
  return network.apply(weights, sample, { timestep } as LevelTensors, told);
}

const state = { shape: [2, sizes.latent, sizes.extent, sizes.extent], dtype: "float32" as DType };
const time = { shape: [2], dtype: "float32" as DType };
const told = { shape: [2, sizes.tokens, sizes.entries], dtype: "float32" as DType };

/** The files of a pipeline as diffusers and optimum lay them out, exported by our own tracer, for batches of 2. */
export function tinyFiles({ latent = true } = {}): Record<string, Uint8Array> {
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const unet = renameValues(toOnnx(eagerUnet, state, time, told), {
    input0: "sample",
    input1: "timestep",
    input2: "encoder_hidden_states",
    output0: "out_sample",
  });
  const encoder = (x: Tensor) => {
    const mean = conv(x, down, { strides: 2 });
    return concatenate([mean, mean.mul(0).sub(30)], 1);
  };
  const decoder = (z: Tensor) => tanh(convTranspose(z, up, { strides: 2 }));
  const text = (ids: Tensor) => matmul(oneHot(ids, sizes.vocabulary, { dtype: "float32" }), table);
  const image = { shape: [2, sizes.image, 8, 8], dtype: "float32" as DType };
  return {
    "scheduler/scheduler_config.json": json({
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: "scaled_linear",
      num_train_timesteps: 1000,
      prediction_type: "v_prediction",
      set_alpha_to_one: false,
      steps_offset: 1,
    }),
    "unet/model.onnx": unet,
    ...(latent && {
      "vae_encoder/model.onnx": renameValues(toOnnx(encoder, image), {
        input0: "sample",
        output0: "latent_parameters",
      }),
      "vae_decoder/model.onnx": renameValues(toOnnx(decoder, state), { input0: "latent_sample", output0: "sample" }),
      "vae_decoder/config.json": json({ scaling_factor: 0.5 }),
    }),
    "text_encoder/model.onnx": renameValues(toOnnx(text, { shape: [2, sizes.tokens], dtype: "int32" }), {
      input0: "input_ids",
      output0: "last_hidden_state",
    }),
    "tokenizer/vocab.json": json({
      a: 0,
      b: 1,
      c: 2,
      "c</w>": 3,
      "b</w>": 4,
      "ab</w>": 5,
      "<|startoftext|>": 6,
      "<|endoftext|>": 7,
    }),
    "tokenizer/merges.txt": new TextEncoder().encode("#version: 0.2\na b</w>\n"),
  };
}

/** The gradient of the U-Net as a second file. */
export function tinyGradient(): Uint8Array {
  const backward = (sample: Tensor, timestep: Tensor, condition: Tensor, cotangent: Tensor) =>
    grad((x: Tensor, c: Tensor) => sum(eagerUnet(x, timestep, c).mul(cotangent)), { argument: [0, 1] })(
      sample,
      condition,
    );
  return renameValues(toOnnx(backward, state, time, told, state), {
    input0: "sample",
    input1: "timestep",
    input2: "encoder_hidden_states",
    input3: "cotangent",
    output0: "gradient_sample",
    output1: "gradient_encoder_hidden_states",
  });
}

/** Files in memory as a folder. */
export function folderOf(files: Readonly<Record<string, Uint8Array>>): ModelFiles {
  return { name: "tiny", read: (file) => files[file] };
}
