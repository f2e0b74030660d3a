import { statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { readCifar10, readImage, readNpy, readNpz } from "@offprint/data";
import { listFolder, loadFile } from "@offprint/data/node";
import { digits } from "@offprint/datasets";
import { cast, concatenate, FormatError, reshape, stack, type Tensor } from "@offprint/tensor-core";

/** Images and, where they are known, what they show. */
export interface ImageSet {
  /** `[samples, channels, height, width]`, float32. */
  readonly inputs: Tensor;
  /** `[samples]` int32 classes. */
  readonly targets?: Tensor;
  /** Name of every image, where they have some. */
  readonly names?: readonly string[];
  /** Names of the classes. */
  readonly classNames?: readonly string[];
}

const pictures = new Set([".png", ".pgm", ".ppm", ".pnm"]);

/** The word for the digits that ship with `@offprint/datasets`. */
export const DIGITS = "digits";

/** `[samples, height, width]` as one channel; four axes as they are. */
function asImages(x: Tensor, path: string): Tensor {
  const images = cast(x, "float32");
  if (images.rank === 4 && images.size > 0) return images;
  if (images.rank === 3 && images.size > 0) {
    return reshape(images, [images.shape[0], 1, images.shape[1], images.shape[2]]);
  }
  throw new FormatError(
    `${path}: images have shape [${x.shape}]; give [samples, channels, height, width] or [samples, height, width]`,
  );
}

async function fromNpz(path: string): Promise<ImageSet> {
  const arrays = await loadFile(path, (bytes) => readNpz(bytes));
  const [inputs, targets] = [arrays["inputs"] ?? arrays["images"], arrays["targets"] ?? arrays["labels"]];
  if (inputs === undefined) {
    throw new FormatError(`${path}: there is no array inputs (or images); it holds ${Object.keys(arrays).join(", ")}`);
  }
  const images = asImages(inputs, path);
  if (targets === undefined) return { inputs: images };
  if (targets.rank !== 1 || targets.size !== images.shape[0]) {
    throw new FormatError(
      `${path}: targets have shape [${targets.shape}] beside ${images.shape[0]} images; give one each`,
    );
  }
  return { inputs: images, targets: cast(targets, "int32") };
}

async function fromPictures(paths: readonly string[], channels: 1 | 3 | undefined): Promise<ImageSet> {
  const images = await Promise.all(
    paths.map((path) =>
      loadFile(path, (bytes) => readImage(bytes, { layout: "CHW", ...(channels !== undefined && { channels }) })),
    ),
  );
  const odd = images.findIndex((image) => image.shape.join() !== images[0].shape.join());
  if (odd >= 0) {
    throw new FormatError(`${paths[odd]}: the image is [${images[odd].shape}], ${paths[0]} is [${images[0].shape}]`);
  }
  return { inputs: stack(images), names: paths.map((path) => basename(path)) };
}

async function fromCifar(paths: readonly string[]): Promise<ImageSet> {
  const parts = await Promise.all(paths.map((path) => loadFile(path, readCifar10)));
  return {
    inputs: concatenate(
      parts.map(({ inputs }) => inputs),
      0,
    ),
    targets: concatenate(
      parts.map(({ targets }) => targets),
      0,
    ),
    classNames: parts[0].classNames!,
  };
}

async function folder(path: string, channels: 1 | 3 | undefined): Promise<ImageSet> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new FormatError(
      `${path}: the ending of its name is none of images; give .npz, .npy, .png, .pgm, .ppm, .pnm, .bin of CIFAR-10, or a folder`,
    );
  }
  const names = await listFolder("openImages", path);
  const found = names.filter((name) => pictures.has(extname(name).toLowerCase()));
  if (found.length > 0) {
    return fromPictures(
      found.map((name) => join(path, name)),
      channels,
    );
  }
  const batches = names.filter((name) => /^data_batch_\d+\.bin$/.test(name));
  if (batches.length > 0) return fromCifar(batches.map((name) => join(path, name)));
  throw new FormatError(`${path}: the folder holds neither PNG or PNM images nor data_batch_*.bin of CIFAR-10`);
}

/**
 * Images from a file or a folder: .npz with `inputs` (and `targets`), .npy, CIFAR-10 batches (.bin), PNG or PNM; or the
 * word `digits`.
 * @param channels of pictures: 1 or 3; default those of the file
 */
export async function openImages(path: string, channels?: 1 | 3): Promise<ImageSet> {
  if (path === DIGITS) {
    const set = digits();
    return { ...set, inputs: reshape(set.inputs, [set.targets.size, 1, 8, 8]) };
  }
  const extension = extname(path).toLowerCase();
  if (extension === ".npz") return fromNpz(path);
  if (extension === ".npy") return { inputs: asImages(await loadFile(path, readNpy), path) };
  if (extension === ".bin") return fromCifar([path]);
  if (pictures.has(extension)) return fromPictures([path], channels);
  return folder(path, channels);
}
