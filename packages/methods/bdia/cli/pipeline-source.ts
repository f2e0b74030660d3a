import { type CommandInput, Failure, type Options, option } from "@offprint/commands";
import { readImage } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { type Denoiser, type GridOptions, withGuidance } from "@offprint/diffusion";
import { loadPipeline, type NetworkCondition, type Pipeline, requireImageExtents } from "@offprint/diffusion/pipeline";
import { modelFolder } from "@offprint/language/node";
import type { Tensor } from "@offprint/tensor-core";

/** Options of both commands. */
export const sourceOptions = {
  model: option.fileIn(
    "folder of a diffusion model as optimum exports it: scheduler, unet, vae_encoder, vae_decoder, text_encoder",
    {
      kind: "folder",
      required: true,
      short: "m",
    },
  ),
  image: option.fileIn("picture (PNG, PNM), or folder of pictures, of extents that the model takes", {
    kind: "either",
    required: true,
    short: "i",
  }),
  steps: option.integer("levels between data and noise", { default: 50, least: 1 }),
  gamma: option.number("part of a step that is integrated anew; 0.92 to 1 edit well", {
    default: 1,
    above: 0,
    most: 1,
  }),
  guidance: option.number("weight of the prompt", { default: 3 }),
};

/** A model that pictures are taken up and down by. */
export interface Opened {
  /** The model. */
  readonly pipeline: Pipeline;
  /** The network, guided where it reads texts. */
  readonly denoiser: Denoiser<NetworkCondition>;
  /** How the model's levels are spread. */
  readonly grid: GridOptions;
  /** The states of the picture of a file, `[1, ...]`. */
  states(path: string): Promise<Tensor>;
  /** The condition of a text, the empty one where none is given; none where the model reads no texts either. */
  condition(text: string | undefined): Promise<{ condition?: Tensor }>;
}

/** Opens a model. */
export async function open(
  { options, loadModel, note }: Pick<CommandInput<Options, typeof sourceOptions>, "options" | "loadModel" | "note">,
  reads: boolean,
): Promise<Opened> {
  const { guidance } = options;
  const pipeline = await loadPipeline(modelFolder(options.model), { loadModel });
  for (const field of pipeline.ignored) note(`scheduler_config.json: ${field} is not done here; pictures may differ`);
  const nothing = reads && guidance !== 1 ? await pipeline.encodeText([""]) : undefined;
  return {
    pipeline,
    denoiser: nothing === undefined ? pipeline.denoiser : withGuidance(pipeline.denoiser, nothing, guidance),
    grid: pipeline.grid,
    async states(path) {
      const image = await loadFile(path, (bytes) => readImage(bytes, { layout: "CHW", channels: 3 }));
      requireImageExtents(path, image.shape.slice(1), pipeline);
      return pipeline.encode(image.reshape([1, ...image.shape]));
    },
    async condition(text) {
      if (text === undefined && !pipeline.readsTexts) return {};
      if (text !== undefined && text.length > 2000)
        throw new Failure("the prompt has more than 2000 letters; give a shorter one");
      return { condition: await pipeline.encodeText([text ?? ""]) };
    },
  };
}
