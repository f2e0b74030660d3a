import { option } from "@offprint/commands";
import { DIGITS } from "./images.js";

/** `--images`: what is learnt from or classified. */
export const imageOption = {
  images: option.fileIn(
    `.npz with inputs [n, c, h, w] (and targets [n]), .npy, a PNG or PNM image, a folder of them, data_batch_*.bin of CIFAR-10 or their folder, or ${DIGITS}`,
    { kind: "either", words: [DIGITS], required: true, short: "i" },
  ),
};
