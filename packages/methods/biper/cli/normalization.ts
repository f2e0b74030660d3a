import { FormatError, mul, reshape, sub, type Tensor, ValueError } from "@offprint/tensor-core";

/** Mean and deviation of each channel of the training images; the same is done to the images that are classified. */
export interface ChannelScale {
  /** One per channel. */
  readonly mean: readonly number[];
  /** One per channel, > 0. */
  readonly deviation: readonly number[];
}

/** Learns the scale from images `[samples, channels, height, width]`. */
export function channelScale(images: Tensor): ChannelScale {
  const [samples, channels, height, width] = images.shape;
  const data = images.data();
  const plane = height * width;
  const mean = new Array<number>(channels).fill(0);
  const squares = new Array<number>(channels).fill(0);
  const count = samples * plane;
  for (let i = 0; i < data.length; i++) mean[Math.floor(i / plane) % channels] += data[i] / count;
  for (let i = 0; i < data.length; i++) {
    const c = Math.floor(i / plane) % channels;
    squares[c] += (data[i] - mean[c]) ** 2 / count;
  }
  if (![...mean, ...squares].every(Number.isFinite)) {
    throw new ValueError("the images have values that are not finite; replace them first");
  }
  return { mean, deviation: squares.map((s) => Math.sqrt(s) || 1) };
}

/** `(images - mean) / deviation`, channel by channel. */
export function scaled(images: Tensor, { mean, deviation }: ChannelScale): Tensor {
  if (images.shape[1] !== mean.length) {
    throw new FormatError(`the images have ${images.shape[1]} channels; the network was trained on ${mean.length}`);
  }
  const column = (values: readonly number[]) => reshape([...values], [values.length, 1, 1]);
  return mul(sub(images, column(mean)), column(deviation.map((d) => 1 / d)));
}

/** The scale from the texts of a file; null where there is none, and images stay as they are. */
export function scaleFrom(metadata: Readonly<Record<string, string>>): ChannelScale | null {
  if (metadata["scale"] === undefined) return null;
  try {
    const { mean, deviation }: ChannelScale = JSON.parse(metadata["scale"]);
    if (mean.length === deviation.length && [...mean, ...deviation].every(Number.isFinite)) return { mean, deviation };
  } catch {
    // Said below, as for a scale of the wrong form.
  }
  throw new FormatError("the scale in the file is not two lists of numbers; the file is damaged");
}
