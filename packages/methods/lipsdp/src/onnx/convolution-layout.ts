import type { OnnxAttribute } from "@offprint/onnx-format";
import { UnsupportedError } from "@offprint/tensor-core";

/** Where a window of a convolution or pooling reads, in two spatial dimensions. */
export interface WindowLayout {
  readonly output: readonly [number, number];
  /** Input position of kernel position (k, l) at output (i, j), or nothing in the padding. */
  at(i: number, j: number, k: number, l: number): readonly [number, number] | undefined;
}

/** Reads strides, pads and dilations; one spatial dimension is treated as two with an extent of 1. */
export function windowLayout(
  attributes: Readonly<Record<string, OnnxAttribute>>,
  input: readonly number[],
  kernel: readonly number[],
  where: string,
): WindowLayout {
  const flat = input.length === 1;
  const two = (values: readonly number[], fill: number): number[] => (flat ? [fill, values[0]] : [...values]);
  const list = (name: string, fill: number): number[] =>
    two((attributes[name] as readonly number[] | undefined) ?? input.map(() => fill), fill);
  const [size, window] = [two(input, 1), two(kernel, 1)];
  const strides = list("strides", 1);
  const dilations = list("dilations", 1);
  const auto = attributes.auto_pad;
  if (auto !== undefined && auto !== "NOTSET" && auto !== "VALID") {
    throw new UnsupportedError(`${where}: auto_pad "${String(auto)}" is not read; export with explicit pads`);
  }
  if (attributes.ceil_mode === 1) throw new UnsupportedError(`${where}: ceil_mode is not read`);
  const pads = (attributes.pads as readonly number[] | undefined) ?? input.flatMap(() => [0, 0]);
  const [top, left, bottom, right] = flat ? [0, pads[0], 0, pads[1]] : pads;
  const extent = (n: number, before: number, after: number, axis: number): number =>
    Math.floor((n + before + after - dilations[axis] * (window[axis] - 1) - 1) / strides[axis]) + 1;
  return {
    output: [extent(size[0], top, bottom, 0), extent(size[1], left, right, 1)],
    at(i, j, k, l) {
      const row = i * strides[0] - top + k * dilations[0];
      const column = j * strides[1] - left + l * dilations[1];
      return row >= 0 && row < size[0] && column >= 0 && column < size[1] ? [row, column] : undefined;
    },
  };
}
