import { checkOptions, requireInteger, ShapeError, tensor } from "@offprint/tensor-core";
import type { Augmentation } from "./training-data.js";

/** Options of `cropAndFlip`. */
export interface CropAndFlipOptions {
  /** Rows and columns of zeros around an image, from which one of the same size is cut. Default 4. */
  padding?: number;
  /** Whether half of the images are mirrored left to right. Default true. */
  flip?: boolean;
}

/**
 * The augmentation of CIFAR trainings: images `[batch, channels, height, width]` are shifted at random by up to `padding`
 * places, zeros coming in, and mirrored with probability 1/2. Normalise first, so that zero is the mean.
 * @throws ValueError for a padding out of range; when applied, ShapeError for other shapes.
 */
export function cropAndFlip(options: CropAndFlipOptions = {}): Augmentation {
  checkOptions("cropAndFlip", options, ["padding", "flip"]);
  const { padding = 4, flip = true } = options;
  requireInteger("cropAndFlip", "padding", padding, 0);
  return (inputs, rng) => {
    if (inputs.rank !== 4) {
      throw new ShapeError(`cropAndFlip: images have shape [${inputs.shape}]; give [batch, channels, height, width]`);
    }
    const [batch, channels, height, width] = inputs.shape;
    const from = inputs.data();
    const to = new Float32Array(from.length);
    const places = rng.uniform([batch, 3]).data();
    for (let n = 0; n < batch; n++) {
      const down = Math.floor(places[3 * n] * (2 * padding + 1)) - padding;
      const right = Math.floor(places[3 * n + 1] * (2 * padding + 1)) - padding;
      const mirrored = flip && places[3 * n + 2] < 0.5;
      for (let c = 0; c < channels; c++) {
        const plane = (n * channels + c) * height * width;
        for (let i = Math.max(0, -down); i < Math.min(height, height - down); i++) {
          const row = plane + (i + down) * width + right;
          for (let j = Math.max(0, -right); j < Math.min(width, width - right); j++) {
            to[plane + i * width + (mirrored ? width - 1 - j : j)] = from[row + j];
          }
        }
      }
    }
    return tensor(to, { shape: inputs.shape });
  };
}
