import { type ModelFiles, type OnnxLoader, type OnnxModel, readJson } from "@offprint/language/huggingface";
import {
  checkOptions,
  exp,
  isTensor,
  mul,
  type Rng,
  requireObject,
  ShapeError,
  split,
  stack,
  type Tensor,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import type { Denoiser } from "../denoiser.js";
import { filesBelow, loadClipTokenizer } from "./clip-tokenizer.js";
import { type SchedulerSettings, schedulerSettings } from "./scheduler-config.js";
import { type NetworkCondition, unetDenoiser } from "./unet-denoiser.js";

/** Options of {@link loadPipeline}. */
export interface PipelineOptions {
  /** Loads .onnx files: `loadModel` of `@offprint/onnx-runtime`. */
  readonly loadModel: OnnxLoader;
}

/** A diffusion model with what belongs to it. */
export interface Pipeline extends SchedulerSettings {
  /** The network. */
  readonly denoiser: Denoiser<NetworkCondition>;
  /** Whether states are latents, made and read by an autoencoder, not pixels. */
  readonly latent: boolean;
  /** Pixels of the images that the model takes, where it takes no others. */
  readonly imageExtents?: readonly [height: number, width: number];
  /** Whether the network is told texts, so that it needs a condition: the empty text where nothing is to be said. */
  readonly readsTexts: boolean;
  /** Images `[batch, channels, height, width]` in [0, 1] as states: the autoencoder's mean, or a draw where a generator is given. */
  encode(images: Tensor, rng?: Rng): Promise<Tensor>;
  /** States as images in [0, 1]. */
  decode(states: Tensor): Promise<Tensor>;
  /** Gradient of `sum(decode(states) * cotangent)`, as if values were not cut off at 0 and 1; only where the model has it. */
  decodeGradient?(states: Tensor, cotangent: Tensor): Promise<Tensor>;
  /**
   * Texts as a condition, `[batch, tokens, entries]`; the empty text is the null condition.
   * @throws UnsupportedError for a model without a text encoder.
   */
  encodeText(texts: readonly string[]): Promise<Tensor>;
  /** Frees the models. */
  release(): Promise<void>;
}

/**
 * A folder as diffusers and optimum export it: `scheduler/scheduler_config.json`, `unet/model.onnx`, and where they are there
 * `vae_encoder`, `vae_decoder`, `text_encoder` and `tokenizer`. Without an autoencoder the states are the pixels themselves, in [-1, 1].
 * For methods that differentiate, gradients lie beside them: `unet_gradient/model.onnx` (see the option `gradient` of `unetDenoiser`) and
 * `vae_decoder_gradient/model.onnx`, which takes what the decoder takes and `cotangent`, and gives the gradient of the former.
 * @throws ValueError where a file is missing; FormatError where one is damaged; UnsupportedError for what is not known.
 * @example const pipeline = await loadPipeline(modelFolder("stable-diffusion-onnx"), { loadModel });
 */
export async function loadPipeline(files: ModelFiles, options: PipelineOptions): Promise<Pipeline> {
  requireObject("loadPipeline", "files", files, "ModelFiles");
  checkOptions("loadPipeline", options, ["loadModel"], ["loadModel"]);
  const settings = schedulerSettings(await readJson(filesBelow(files, "scheduler"), "scheduler_config.json"));
  const loaded: OnnxModel[] = [];
  const load = async (folder: string): Promise<OnnxModel | undefined> => {
    const file = `${folder}/model.onnx`;
    const bytes = await files.read(file);
    if (bytes === undefined) return undefined;
    const model = await options.loadModel(files.locate?.(file) ?? bytes);
    loaded.push(model);
    return model;
  };
  const unet = await load("unet");
  if (unet === undefined)
    throw new ValueError(`${files.name} has no unet/model.onnx; export the model with optimum-cli export onnx`);
  const [encoder, decoder, text] = [await load("vae_encoder"), await load("vae_decoder"), await load("text_encoder")];
  const [unetGradient, decoderGradient] = [await load("unet_gradient"), await load("vae_decoder_gradient")];
  const { schedule, prediction } = settings;
  const scaling = await latentScaling(files);
  const tokenizer = text && (await loadClipTokenizer(filesBelow(files, "tokenizer")));
  const only = async (model: OnnxModel, x: Tensor): Promise<Record<string, Tensor>> =>
    model.run({ [model.inputs[0].name]: x.cast("float32") });
  const decodeGradient = decodeGradientOf(decoder, decoderGradient, scaling);
  const [height, width] = (decoder === undefined ? unet : encoder)?.inputs[0]?.shape.slice(2) ?? [];
  return {
    ...settings,
    ...(typeof height === "number" && typeof width === "number" && { imageExtents: [height, width] as const }),
    denoiser: unetDenoiser(unet, { schedule, prediction, ...(unetGradient && { gradient: unetGradient }) }),
    latent: decoder !== undefined,
    readsTexts: text !== undefined && tokenizer !== undefined,
    async encode(images, rng) {
      const x = images.mul(2).sub(1);
      if (decoder === undefined) return x.cast("float64");
      if (encoder === undefined)
        throw new UnsupportedError(`${files.name} has no vae_encoder, so that images cannot be encoded`);
      const moments = latentOf(await only(encoder, x), rng);
      return moments.cast("float64").sub(scaling.shift).mul(scaling.factor);
    },
    async decode(states) {
      const x =
        decoder === undefined
          ? states
          : firstOf(await only(decoder, states.div(scaling.factor).add(scaling.shift)), "sample");
      return x.cast("float32").add(1).div(2).clip(0, 1);
    },
    ...(decodeGradient && { decodeGradient }),
    async encodeText(texts) {
      if (text === undefined || tokenizer === undefined)
        throw new UnsupportedError(`${files.name} has no text_encoder`);
      const [input] = text.inputs;
      const length = typeof input.shape[1] === "number" ? input.shape[1] : 77;
      const rows = texts.map((each) => padded(tokenizer.encodePrompt(each), length));
      const results = await text.run({ [input.name]: stack(rows.map((row) => tensor(row))) });
      return firstOf(results, "last_hidden_state");
    },
    async release() {
      for (const model of loaded) await model.release?.();
    },
  };
}

/**
 * Checks that a model takes images of an extent, before it is asked.
 * @param name whose extents they are, to begin the message with: a file
 * @throws ShapeError
 */
export function requireImageExtents(
  name: string,
  extents: readonly number[],
  pipeline: Pick<Pipeline, "imageExtents">,
): void {
  requireObject("requireImageExtents", "extents", extents, "height and width in pixels");
  requireObject("requireImageExtents", "pipeline", pipeline, "a Pipeline");
  const [height, width] = extents;
  const { imageExtents } = pipeline;
  if (imageExtents === undefined || (imageExtents[0] === height && imageExtents[1] === width)) return;
  throw new ShapeError(
    `${name}: ${width} x ${height} pixels are not what the model takes, ${imageExtents[1]} x ${imageExtents[0]}; scale or crop the picture`,
  );
}

/** The gradient of `decode`: halved where states are pixels, by the file of gradients where they are latents. */
function decodeGradientOf(
  decoder: OnnxModel | undefined,
  gradient: OnnxModel | undefined,
  { factor, shift }: { factor: number; shift: number },
): Pipeline["decodeGradient"] {
  if (decoder === undefined) return async (_, cotangent) => cotangent.div(2);
  if (gradient === undefined) return undefined;
  const input = gradient.inputs.find(({ name }) => name !== "cotangent");
  if (input === undefined || gradient.inputs.length !== 2)
    throw new ValueError("vae_decoder_gradient: the model must take the states and cotangent");
  return async (states, cotangent) => {
    const latents = states.div(factor).add(shift).cast("float32");
    const results = await gradient.run({ [input.name]: latents, cotangent: cotangent.div(2).cast("float32") });
    return firstOf(results, "gradient_latent_sample").cast(states.dtype).div(factor);
  };
}

/** Ids cut to a length, or filled up with the last of them, which is the end. */
function padded(ids: Int32Array, length: number): Int32Array {
  const end = ids[ids.length - 1];
  return Int32Array.from({ length }, (_, i) => (i < Math.min(ids.length, length) - 1 ? ids[i] : end));
}

function firstOf(results: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const found = results[name] ?? Object.values(results)[0];
  if (isTensor(found)) return found;
  throw new UnsupportedError(`the model has no output ${name}`);
}

/** A latent from what an encoder gives: itself, or mean and logarithm of the variance of one. */
function latentOf(results: Readonly<Record<string, Tensor>>, rng: Rng | undefined): Tensor {
  const latent = results["latent_sample"];
  if (latent !== undefined) return latent;
  const parameters = firstOf(results, "latent_parameters");
  if (parameters.rank !== 4 || parameters.shape[1] % 2 !== 0) {
    throw new ShapeError(
      `vae_encoder: the output has shape [${parameters.shape}]; expected latent_sample, or mean and variance of one`,
    );
  }
  const [mean, logVariance] = split(parameters, 2, 1);
  if (rng === undefined) return mean;
  return mean.add(mul(exp(logVariance.clip(-30, 20).mul(0.5)), rng.normal(mean.shape)));
}

/** How latents are scaled: 0.18215 where no file says otherwise, as Stable Diffusion 1 and 2. */
async function latentScaling(files: ModelFiles): Promise<{ factor: number; shift: number }> {
  for (const folder of ["vae_decoder", "vae_encoder", "vae"]) {
    const below = filesBelow(files, folder);
    if ((await below.read("config.json")) === undefined) continue;
    const { scaling_factor: factor, shift_factor: shift } = await readJson(below, "config.json");
    if (typeof factor === "number" && factor > 0) return { factor, shift: typeof shift === "number" ? shift : 0 };
  }
  return { factor: 0.18215, shift: 0 };
}
