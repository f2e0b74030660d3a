import {
  checkOptions,
  div,
  isTensor,
  jit,
  matmul,
  mean,
  mul,
  requireFunction,
  requireNonNegative,
  requireObject,
  ShapeError,
  square,
  sub,
  swapAxes,
  type Tensor,
  ValueError,
  valueAndGrad,
} from "@offprint/tensor-core";

/** A loss that is no function of tensors, such as a classifier in an .onnx file: it knows its gradient itself. */
export interface BlackBoxLoss {
  /** The loss of samples `[batch, ...]`, and its gradient, like them. */
  valueAndGradient(x: Tensor): LossWithGradient | Promise<LossWithGradient>;
}

/** A loss and its gradient by the samples. */
export interface LossWithGradient {
  /** A number, or a scalar tensor. */
  readonly value: number | Tensor;
  /** Like the samples. */
  readonly gradient: Tensor;
}

/**
 * A differentiable loss of samples `[batch, ...]`: a scalar, in operations of tensors; or one with a gradient of its own.
 * A function is compiled at its first use: what else it reads must stay, so make another function for another target.
 */
export type SampleLoss = ((x: Tensor) => Tensor) | BlackBoxLoss;

type Slope = (x: Tensor) => Promise<readonly [value: number, gradient: Tensor]>;

const compiled = new WeakMap<(x: Tensor) => Tensor, Slope>();

/** @internal @throws ValueError for what is no loss */
export function requireLoss(owner: string, loss: unknown): void {
  if (typeof loss === "function") return;
  if (typeof (loss as Partial<BlackBoxLoss> | null | undefined)?.valueAndGradient === "function") return;
  throw new ValueError(`${owner}: loss is ${String(loss)}; give a function of the samples, or { valueAndGradient(x) }`);
}

/** @internal The loss and its gradient by the samples, compiled once. @throws ShapeError for a gradient that does not fit */
export function lossAndSlope(loss: SampleLoss): Slope {
  requireLoss("loss", loss);
  if (typeof loss !== "function") {
    return async (x) => {
      const found = await loss.valueAndGradient(x);
      requireObject("loss", "what valueAndGradient gave", found, "{ value, gradient }");
      const { value, gradient } = found;
      if (!isTensor(gradient) || gradient.shape.join() !== x.shape.join()) {
        throw new ShapeError(
          `loss: valueAndGradient gave a gradient of shape [${gradient?.shape}] for samples [${x.shape}]; give one like them`,
        );
      }
      return [isTensor(value) ? value.item() : value, gradient.cast(x.dtype)];
    };
  }
  const known = compiled.get(loss);
  if (known !== undefined) return known;
  const slope = jit((x: Tensor): [Tensor, Tensor] => valueAndGrad(loss)(x) as [Tensor, Tensor]);
  const made: Slope = async (x) => {
    const [value, gradient] = await slope(x);
    return [value.item(), gradient];
  };
  compiled.set(loss, made);
  return made;
}

/** What turns latents into images, with its gradient: a pipeline of `loadPipeline` that has `vae_decoder_gradient`, for one. */
export interface ImageDecoder {
  /** Latents as images. */
  decode(latents: Tensor): Tensor | Promise<Tensor>;
  /** Gradient of `sum(decode(latents) * cotangent)`. */
  decodeGradient?(latents: Tensor, cotangent: Tensor): Tensor | Promise<Tensor>;
}

/**
 * A loss of images as one of the latents that they are decoded from.
 * @throws ValueError for a decoder without a gradient
 * @example await optimizeNoise(pipeline.denoiser, imageLoss(pipeline, (image) => mean(square(image.sub(reference)))), noise, { steps: 30, condition });
 */
export function imageLoss(decoder: ImageDecoder, loss: SampleLoss): BlackBoxLoss {
  const owner = "imageLoss";
  requireObject(owner, "decoder", decoder, "{ decode, decodeGradient }");
  requireFunction(owner, "decoder.decode", decoder.decode);
  if (typeof decoder.decodeGradient !== "function") {
    throw new ValueError(
      `${owner}: the decoder has no decodeGradient; give one (for a folder of .onnx files: vae_decoder_gradient/model.onnx)`,
    );
  }
  requireLoss(owner, loss);
  const slope = lossAndSlope(loss);
  return {
    async valueAndGradient(latents) {
      const [value, ofImage] = await slope(await decoder.decode(latents));
      return { value, gradient: (await decoder.decodeGradient?.(latents, ofImage)) as Tensor };
    },
  };
}

/** Options of {@link styleLoss}. */
export interface StyleLossOptions {
  /** Weight of the mean square distance of the features themselves from those of `content`, >= 0. Default 0. */
  readonly contentWeight?: number;
  /** What samples shall still show, `[batch or 1, ...]`. Default `style`. */
  readonly content?: Tensor;
}

/** Gram matrices of feature maps `[batch, channels, ...]`, over the number of places and channels: `[batch, channels, channels]`. */
function gram(maps: Tensor): Tensor {
  if (maps.rank < 3)
    throw new ShapeError(`styleLoss: features have shape [${maps.shape}]; give [batch, channels, ...]`);
  const [batch, channels] = maps.shape;
  const rows = maps.reshape([batch, channels, -1]);
  return div(matmul(rows, swapAxes(rows, 1, 2)), channels * rows.shape[2]);
}

/**
 * The distance of styles: mean square differences of Gram matrices of feature maps, summed over layers, and if wanted of the maps from those of
 * what is to be kept.
 * @param features - maps `[batch, channels, ...]` of images, one for each layer, in operations of tensors
 * @param style - the image whose style is wanted, `[1, ...]`
 * @see Gatys, Ecker, Bethge, CVPR 2016.
 * @example await finetune(model, styleLoss((x) => [x, averagePool(x, 2)], painting), { steps: 60, noise });
 */
export function styleLoss(
  features: (images: Tensor) => readonly Tensor[],
  style: Tensor,
  options: StyleLossOptions = {},
): (x: Tensor) => Tensor {
  const owner = "styleLoss";
  requireFunction(owner, "features", features);
  requireObject(owner, "style", style, "a tensor");
  checkOptions(owner, options, ["contentWeight", "content"]);
  const { contentWeight = 0, content = style } = options;
  requireNonNegative(owner, "contentWeight", contentWeight);
  const mapsOf = (images: Tensor): readonly Tensor[] => {
    const maps = features(images);
    if (Array.isArray(maps) && maps.length > 0 && maps.every(isTensor)) return maps;
    throw new ValueError(`${owner}: features must give an array of maps [batch, channels, ...], one for each layer`);
  };
  const wanted = mapsOf(style).map(gram);
  const kept = contentWeight > 0 ? mapsOf(content) : [];
  return (x) => {
    const maps = mapsOf(x);
    const styles = maps.map((map, k) => mean(square(sub(gram(map), wanted[k]))));
    const contents = kept.map((map, k) => mul(mean(square(sub(maps[k], map))), contentWeight));
    return [...styles, ...contents].reduce((sum, term) => sum.add(term));
  };
}
