import type { Dataset } from "@offprint/data";
import { checkOptions, tensor } from "@offprint/tensor-core";
import { table } from "./digits-table.js";
import { unpack } from "./packed.js";
import { checkSetOptions, type SetOptions } from "./set-options.js";

const COUNT = 1797;
const PIXELS = 64;

/**
 * Handwritten digits: 1797 grey images of 8 x 8 pixels, row by row, integers 0 to 16 (`[1797, 64]`), and the digits
 * 0 to 9 (`[1797]`, int32), in the order of the source. The test part of the UCI set, CC BY 4.0.
 */
export function digits(options: SetOptions = {}): Dataset {
  checkOptions("digits", options, ["dtype"]);
  checkSetOptions("digits", options);
  const bytes = unpack(table);
  const pixels = bytes.subarray(0, COUNT * PIXELS);
  const inputs = options.dtype === "float64" ? Float64Array.from(pixels) : Float32Array.from(pixels);
  return {
    name: "Optical Recognition of Handwritten Digits (test part)",
    inputs: tensor(inputs, { shape: [COUNT, PIXELS] }),
    targets: tensor(Int32Array.from(bytes.subarray(COUNT * PIXELS))),
    inputNames: Array.from({ length: PIXELS }, (_, k) => `pixel ${Math.floor(k / 8)}, ${k % 8}`),
    classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
    licence: "CC BY 4.0",
    source: "E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998; https://doi.org/10.24432/C50P49",
  };
}
