import type { Denoiser } from "@offprint/diffusion";
import type { NetworkCondition, Pipeline } from "@offprint/diffusion/pipeline";
import type { LatentModel } from "../src/index.js";

/** A loaded pipeline as a model of images in [-1, 1], in which step sizes of papers are given. */
export function pipelineModel(pipeline: Pipeline, denoiser: Denoiser<NetworkCondition>): LatentModel<NetworkCondition> {
  const { decodeGradient } = pipeline;
  return {
    denoiser,
    external: true,
    encode: (images) => pipeline.encode(images.add(1).div(2)),
    decode: async (latents) => (await pipeline.decode(latents)).mul(2).sub(1),
    ...(decodeGradient && {
      decodeGradient: (latents, cotangent) => decodeGradient(latents, cotangent.mul(2)),
    }),
  };
}
