import { UnsupportedError } from "@offprint/tensor-core";
import { listAttribute, numberAttribute, type OperatorContext } from "./operator.js";

/** Where a window of a convolution or pooling reads, in two spatial dimensions. */
export interface WindowLayout {
  readonly output: readonly [number, number];
  /** Input position of kernel position (k, l) at output (i, j), or nothing in the padding. */
  at(i: number, j: number, k: number, l: number): readonly [number, number] | undefined;
}

/** Reads strides, pads and dilations; one spatial dimension is treated as two with an extent of 1. */
export function windowLayout(
  context: Pick<OperatorContext, "node" | "where">,
  input: readonly number[],
  kernel: readonly number[],
): WindowLayout {
  const { where } = context;
  const flat = input.length === 1;
  const list = (name: string, length: number, fill: number, least: number): readonly number[] => {
    const values = listAttribute(context, name) ?? new Array<number>(length).fill(fill);
    if (values.length === length && values.every((n) => Number.isSafeInteger(n) && n >= least)) return values;
    throw new UnsupportedError(`${where}: "${name}" [${values}] does not fit samples of [${input}]`);
  };
  const two = (values: readonly number[], fill: number): readonly number[] => (flat ? [fill, values[0]] : values);
  if (kernel.length !== input.length || kernel.some((n) => !(n >= 1))) {
    throw new UnsupportedError(`${where}: a window of [${kernel}] does not fit samples of [${input}]`);
  }
  const [size, window] = [two(input, 1), two(kernel, 1)];
  const strides = two(list("strides", input.length, 1, 1), 1);
  const dilations = two(list("dilations", input.length, 1, 1), 1);
  const auto = context.node.attributes.auto_pad;
  if (auto !== undefined && auto !== "NOTSET" && auto !== "VALID") {
    throw new UnsupportedError(`${where}: auto_pad "${String(auto)}" is not read; export with explicit pads`);
  }
  if (numberAttribute(context, "ceil_mode", 0) === 1) throw new UnsupportedError(`${where}: ceil_mode is not read`);
  const pads = list("pads", 2 * input.length, 0, 0);
  const [top, left, bottom, right] = flat ? [0, pads[0], 0, pads[1]] : pads;
  const extent = (n: number, before: number, after: number, axis: number): number =>
    Math.floor((n + before + after - dilations[axis] * (window[axis] - 1) - 1) / strides[axis]) + 1;
  const output = [extent(size[0], top, bottom, 0), extent(size[1], left, right, 1)] as const;
  if (output.some((n) => n < 1)) {
    throw new UnsupportedError(`${where}: its window [${kernel}] is larger than its padded input [${input}]`);
  }
  return {
    output,
    at(i, j, k, l) {
      const row = i * strides[0] - top + k * dilations[0];
      const column = j * strides[1] - left + l * dilations[1];
      return row >= 0 && row < size[0] && column >= 0 && column < size[1] ? [row, column] : undefined;
    },
  };
}
