import {
  asTensor,
  checkOptions,
  FormatError,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  UnsupportedError,
} from "@offprint/tensor-core";
import { requireChoice } from "../option-choice.js";
import { ByteReader, startsWith } from "./byte-reader.js";
import { PNG_SIGNATURE, readPngPixels } from "./png-reader.js";
import { writePngPixels } from "./png-writer.js";
import { readPnmPixels, writePnmPixels } from "./pnm.js";

/** Samples of an image, row by row, channels of a pixel side by side. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha. */
  readonly channels: number;
  /** The value that means 1. */
  readonly largest: number;
  readonly samples: Uint8Array | Uint16Array;
}

/** Order of an image's axes: height, width, channels, or channels first. */
export type ImageLayout = "HWC" | "CHW";

/** Options of `readImage`. */
export interface ImageReadOptions {
  /** Default "HWC". */
  layout?: ImageLayout;
  /** Channels wanted: alpha is dropped, grey is repeated, colour becomes luma (ITU-R BT.601). Default: the file's. */
  channels?: 1 | 3;
}

/**
 * Reads a PNG or PNM (PBM, PGM, PPM) image as float32 numbers in [0, 1], of shape `[height, width, channels]`.
 * @throws FormatError for damaged or truncated files; UnsupportedError for other kinds of image.
 */
export function readImage(file: Uint8Array, options: ImageReadOptions = {}): Tensor {
  checkOptions("readImage", options, ["layout", "channels"]);
  requireChoice("readImage", "layout", options.layout, ["HWC", "CHW"]);
  requireChoice("readImage", "channels", options.channels, [1, 3]);
  const { width, height, channels, largest, samples } = readPixels(file);
  const wanted = options.channels ?? channels;
  const data = new Float32Array(width * height * wanted);
  for (let i = 0; i < width * height; i++) {
    const from = i * channels;
    const to = i * wanted;
    if (wanted === channels) for (let c = 0; c < wanted; c++) data[to + c] = samples[from + c] / largest;
    else if (wanted === 3) for (let c = 0; c < 3; c++) data[to + c] = samples[channels < 3 ? from : from + c] / largest;
    else if (channels < 3) data[to] = samples[from] / largest;
    else data[to] = (0.299 * samples[from] + 0.587 * samples[from + 1] + 0.114 * samples[from + 2]) / largest;
  }
  const image = tensor(data, { shape: [height, width, wanted] });
  if (options.layout !== "CHW") return image;
  return tensor(transpose(image, [2, 0, 1]).data(), { shape: [wanted, height, width] });
}

function readPixels(file: Uint8Array): Pixels {
  if (!(file instanceof Uint8Array))
    throw new FormatError("image: the file must be given as a Uint8Array of its bytes");
  if (startsWith(file, PNG_SIGNATURE)) return readPngPixels(file);
  if (file[0] === 0x50 && file[1] >= 0x31 && file[1] <= 0x37) return readPnmPixels(file);
  if (startsWith(file, [0xff, 0xd8])) throw unsupported("JPEG");
  if (startsWith(file, [0x47, 0x49, 0x46])) throw unsupported("GIF");
  if (startsWith(file, [0x52, 0x49, 0x46, 0x46])) throw unsupported("WebP");
  return new ByteReader("image", file).fail("the file begins neither as PNG nor as PNM", 0);
}

function unsupported(kind: string): UnsupportedError {
  return new UnsupportedError(`readImage: ${kind} images are not supported; convert the file to PNG`);
}

/** Options of `writePng`. */
export interface ImageWriteOptions {
  /** Layout of a tensor of rank 3; default "HWC". */
  layout?: ImageLayout;
  /** Bits of a sample; default 8. */
  bits?: 8 | 16;
}

const imageWriteNames = ["layout", "bits"];

/**
 * The bytes of a PNG image of numbers in [0, 1] (others are clipped), of shape `[height, width]` or
 * `[height, width, channels]` with 1 to 4 channels.
 * @throws ShapeError for other shapes.
 */
export function writePng(image: TensorLike, options: ImageWriteOptions = {}): Uint8Array {
  checkOptions("writePng", options, imageWriteNames);
  return writePngPixels(quantize("writePng", image, options));
}

/** The bytes of a PGM (1 channel) or PPM (3 channels) image, as `writePng`. */
export function writePnm(image: TensorLike, options: ImageWriteOptions = {}): Uint8Array {
  checkOptions("writePnm", options, imageWriteNames);
  const pixels = quantize("writePnm", image, options);
  if (pixels.channels !== 1 && pixels.channels !== 3) {
    throw new ShapeError(`writePnm: ${pixels.channels} channels; PNM images have 1 or 3, use writePng`);
  }
  return writePnmPixels(pixels);
}

function quantize(operation: string, image: TensorLike, options: ImageWriteOptions): Pixels {
  checkOptions(operation, options, ["layout", "bits"]);
  requireChoice(operation, "layout", options.layout, ["HWC", "CHW"]);
  requireChoice(operation, "bits", options.bits, [8, 16]);
  const { layout = "HWC", bits = 8 } = options;
  const given = asTensor(image);
  const x = layout === "CHW" && given.rank === 3 ? transpose(given, [1, 2, 0]) : given;
  const [height, width, channels = 1] = x.shape;
  if ((x.rank !== 2 && x.rank !== 3) || channels < 1 || channels > 4 || height < 1 || width < 1) {
    throw new ShapeError(
      `${operation}: shape [${given.shape}] is no image; give [height, width] or ${layout} with 1 to 4 channels`,
    );
  }
  const largest = 2 ** bits - 1;
  const samples = new (bits === 16 ? Uint16Array : Uint8Array)(x.size);
  const data = x.data();
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round(Math.min(Math.max(data[i], 0), 1) * largest);
  return { width, height, channels, largest, samples };
}
