import type { Denoiser } from "@offprint/diffusion";
import {
  isTensor,
  requireFinite,
  requireObject,
  ShapeError,
  type Tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";

/**
 * A diffusion model in the space of latents: the denoiser, and an autoencoder. An object of one's own is enough; a model of
 * pixels is {@link pixelModel}. What is made of operations of tensors is compiled once for a model and a measurement: neither may change
 * between runs; make another in its place.
 * @typeParam C - the condition of the denoiser
 */
export interface LatentModel<C = Tensor> {
  /** The denoiser of latents. */
  readonly denoiser: Denoiser<C>;
  /** Images `[batch, ...]` as latents. In operations of tensors, unless `external`. */
  encode(images: Tensor): Tensor | Promise<Tensor>;
  /** Latents as images. In operations of tensors, unless `external`. */
  decode(latents: Tensor): Tensor | Promise<Tensor>;
  /** Shape of the latent of one image, for runs that begin with noise. */
  readonly latentShape?: readonly number[];
  /** Whether `encode` and `decode` are black boxes, such as loaded files. Default false. */
  readonly external?: boolean;
  /** Gradient of `sum(decode(latents) * cotangent)`, for black boxes. */
  decodeGradient?(latents: Tensor, cotangent: Tensor): Tensor | Promise<Tensor>;
  /** Gradient of `sum(encode(images) * cotangent)`, for black boxes; PSLD alone needs it. */
  encodeGradient?(images: Tensor, cotangent: Tensor): Tensor | Promise<Tensor>;
  /** Trace of the Hessian of `log p(z)`, `[batch]`, where it is known: what `trace: "exact"` takes. In operations of tensors. */
  hessianTrace?(z: Tensor, level: Parameters<Denoiser<C>["predict"]>[1], condition?: C): Tensor;
}

/** A model whose states are the images themselves. @param shape of one image */
export function pixelModel<C = Tensor>(denoiser: Denoiser<C>, shape?: readonly number[]): LatentModel<C> {
  requireObject("pixelModel", "denoiser", denoiser, "a Denoiser");
  const same = (x: Tensor): Tensor => x;
  return {
    denoiser,
    encode: same,
    decode: same,
    encodeGradient: (_, cotangent) => cotangent,
    decodeGradient: (_, cotangent) => cotangent,
    ...(shape && { latentShape: shape }),
  };
}

/** Whether the whole model is made of operations of tensors, so that it can be compiled. */
export function isTraced<C>({ denoiser, external }: LatentModel<C>): boolean {
  return !denoiser.external && !external;
}

/** @throws ValueError for what is no model; UnsupportedError where a black box has no gradient that is needed. */
export function requireModel<C>(
  owner: string,
  model: LatentModel<C>,
  needs: readonly ("denoiser" | "decode" | "encode")[],
): void {
  const given = model as Partial<LatentModel<C>> | null | undefined;
  if (typeof given?.encode !== "function" || typeof given.decode !== "function" || given.denoiser === undefined) {
    throw new ValueError(`${owner}: the model must be { denoiser, encode(images), decode(latents) }; see pixelModel`);
  }
  const { denoiser, external } = model;
  const missing =
    needs.includes("denoiser") && denoiser.external && denoiser.vjp === undefined
      ? "the denoiser is external and has no vjp"
      : needs.includes("decode") && external && model.decodeGradient === undefined
        ? "the model is external and has no decodeGradient"
        : needs.includes("encode") && external && model.encodeGradient === undefined
          ? "the model is external and has no encodeGradient"
          : undefined;
  if (missing !== undefined) {
    throw new UnsupportedError(
      `${owner}: ${missing}; give it, such as a second .onnx file, or take p2l with stepSize 0 and embeddingSteps 0, which needs no gradients`,
    );
  }
}

/** Latents of an autoencoder's answer. @throws ShapeError, ValueError where it is none. */
export async function encoded<C>(owner: string, model: LatentModel<C>, images: Tensor): Promise<Tensor> {
  const z: unknown = await model.encode(images);
  if (!isTensor(z) || z.rank < 2 || z.shape[0] !== images.shape[0]) {
    throw new ShapeError(`${owner}: encode must give latents [${images.shape[0]}, ...] for images [${images.shape}]`);
  }
  const { latentShape } = model;
  if (latentShape !== undefined && latentShape.join() !== z.shape.slice(1).join()) {
    throw new ShapeError(
      `${owner}: encode gave latents [${z.shape}], but latentShape is [${latentShape}]; make them agree`,
    );
  }
  requireFinite(owner, "the encoded measurements", z);
  return z;
}
