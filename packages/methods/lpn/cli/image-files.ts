import { extname } from "node:path";
import { Failure, filesOf, pictureEndings } from "@offprint/commands";
import { readIdx, readImage, readNpy, writeNpy, writePng } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { concatenate, FormatError, type Tensor } from "@offprint/tensor-core";

/** The images of one file, `[count, channels, height, width]`, float64; bytes become numbers in [0, 1]. */
async function ofFile(path: string): Promise<Tensor> {
  if (pictureEndings.includes(extname(path).toLowerCase())) {
    const image = await loadFile(path, (bytes) => readImage(bytes, { layout: "CHW" }));
    const [channels, height, width] = image.shape as [number, number, number];
    // Without alpha, which is nothing that was seen.
    const seen = channels < 3 ? 1 : 3;
    return image
      .slice([{ stop: seen }])
      .reshape([1, seen, height, width])
      .cast("float64");
  }
  const x = await loadFile(path, (bytes) => (/\.npy$/i.test(path) ? readNpy(bytes) : idxOf(bytes)));
  if (x.rank < 2 || x.rank > 4) {
    throw new Failure(
      `${path}: shape [${x.shape}]; give images [count, height, width] or [count, channels, height, width]`,
    );
  }
  const numbers = x.dtype === "int32" ? x.cast("float64").div(255) : x.cast("float64");
  const [height, width] = x.shape.slice(-2);
  return numbers.reshape([x.rank === 2 ? 1 : x.shape[0], x.rank === 4 ? x.shape[1] : 1, height, width]);
}

/** What has neither the name of a picture nor that of an array should be IDX, whose files have names of all kinds. */
function idxOf(bytes: Uint8Array): Tensor {
  if (bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0) return readIdx(bytes);
  throw new FormatError(
    `it is no IDX file; give one, or a file that ends in ${[...pictureEndings, ".npy"].join(", ")}`,
  );
}

/** No pixel of an image in [0, 1], with whatever noise, is as large; those of bytes written as numbers are. */
const LARGEST = 10;

/** The images of a file (PNG, PNM, NPY, IDX), or of all pictures of a folder, in batches of one size each. */
export async function readImages(path: string): Promise<Tensor[]> {
  const { names, pathOf } = filesOf(path, pictureEndings);
  const read: Tensor[] = [];
  for (const name of names) {
    const images = await ofFile(pathOf(name));
    if (images.size === 0) throw new Failure(`${pathOf(name)}: shape [${images.shape}]; there is no image in it`);
    const other = images.data().findIndex((value: number) => !Number.isFinite(value));
    if (other >= 0)
      throw new Failure(`${pathOf(name)}: value ${other} is ${images.data()[other]}; pixels must be finite`);
    const large = images.data().findIndex((value: number) => Math.abs(value) > LARGEST);
    if (large >= 0) {
      throw new Failure(
        `${pathOf(name)}: value ${large} is ${images.data()[large]}; images are numbers in [0, 1]: divide them by their largest, such as 255, or write integers`,
      );
    }
    read.push(images);
  }
  const bySize = new Map<string, Tensor[]>();
  for (const images of read) {
    const key = images.shape.slice(1).join(" x ");
    bySize.set(key, [...(bySize.get(key) ?? []), images]);
  }
  return [...bySize.values()].map((images) => concatenate(images, 0));
}

/** @throws Failure where images `[count, channels, height, width]` are more than a file of this name holds. */
export function requireRoom(path: string, [count, channels]: readonly number[]): void {
  if (!isPicture(path) || (count === 1 && (channels === 1 || channels === 3))) return;
  throw new Failure(`${path}: ${count} images of ${channels} channels are no picture; give a file that ends in .npy`);
}

const isPicture = (path: string) => /\.png$/i.test(path);

/** The bytes of a picture for `.png`, of an array otherwise. */
export function imageFile(path: string, images: Tensor): Uint8Array {
  if (!isPicture(path)) return writeNpy(images);
  return writePng(images.slice([0]).clip(0, 1).cast("float32").transpose([1, 2, 0]));
}
