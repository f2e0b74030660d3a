import { checkOptions, tensor } from "@offprint/tensor-core";
import type { Dataset } from "../dataset.js";
import { requireChoice } from "../option-choice.js";
import { ByteReader } from "./byte-reader.js";
import { gunzip } from "./inflate.js";

const PIXELS = 3 * 32 * 32;

const CIFAR10_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const SOURCE =
  "A. Krizhevsky, Learning multiple layers of features from tiny images, 2009; https://www.cs.toronto.edu/~kriz/cifar.html";
const LICENCE = "not stated by the authors; the file is the user's own";

/**
 * Reads one binary batch of CIFAR-10 (`data_batch_1.bin` and the like): inputs `[n, 3, 32, 32]` in [0, 1] (float32),
 * targets `[n]` classes 0 to 9 (int32).
 * @throws FormatError for files that are not whole records of 3073 bytes, or labels above 9.
 */
export function readCifar10(file: Uint8Array): Dataset {
  const { inputs, labels } = readRecords("CIFAR-10", file, [10]);
  return {
    name: "CIFAR-10",
    inputs,
    targets: tensor(labels[0]),
    classNames: CIFAR10_CLASSES,
    licence: LICENCE,
    source: SOURCE,
  };
}

/** Options of `readCifar100`. */
export interface Cifar100Options {
  /** Which of the two labels are the targets: the 100 "fine" classes (the default) or the 20 "coarse" ones. */
  labels?: "fine" | "coarse";
}

/** Reads a binary file of CIFAR-100 (`train.bin`, `test.bin`: records of 3074 bytes) as `readCifar10` does. */
export function readCifar100(file: Uint8Array, options: Cifar100Options = {}): Dataset {
  checkOptions("readCifar100", options, ["labels"]);
  requireChoice("readCifar100", "labels", options.labels, ["fine", "coarse"]);
  const { inputs, labels } = readRecords("CIFAR-100", file, [20, 100]);
  const targets = tensor(labels[options.labels === "coarse" ? 0 : 1]);
  return { name: "CIFAR-100", inputs, targets, licence: LICENCE, source: SOURCE };
}

function readRecords(format: string, file: Uint8Array, classes: readonly number[]) {
  const reader = new ByteReader(format, gunzip(file));
  const { bytes } = reader;
  const size = classes.length + PIXELS;
  if (bytes.length === 0 || bytes.length % size !== 0) {
    reader.fail(
      `${bytes.length} bytes are not whole records of ${size}; the file is truncated or not in the binary version`,
      bytes.length - (bytes.length % size),
    );
  }
  const count = bytes.length / size;
  const labels = classes.map(() => new Int32Array(count));
  const pixels = new Float32Array(count * PIXELS);
  for (let i = 0; i < count; i++) {
    const start = i * size;
    classes.forEach((limit, k) => {
      const label = bytes[start + k];
      if (label >= limit)
        reader.fail(`label ${label} of image ${i} is not below ${limit}; this is another file`, start + k);
      labels[k][i] = label;
    });
    const first = start + classes.length;
    for (let p = 0; p < PIXELS; p++) pixels[i * PIXELS + p] = bytes[first + p] / 255;
  }
  return { inputs: tensor(pixels, { shape: [count, 3, 32, 32] }), labels };
}
