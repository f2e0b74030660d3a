import { UnsupportedError } from "@offprint/tensor-core";
import { listAttribute, numberAttribute, type OperatorContext } from "./operator.js";
import { checkedCount, countOf, eachIndex, stridesOf } from "./shapes.js";

/** How the windows of a convolution or a pooling lie over their input, axis by axis. */
export interface WindowLayout {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before and after each axis. */
  readonly padding: readonly (readonly [before: number, after: number])[];
  readonly output: readonly number[];
}

/**
 * Reads strides, pads, dilations, auto_pad and ceil_mode.
 *
 * @throws UnsupportedError for what does not fit the input
 */
export function windowLayout(
  context: Pick<OperatorContext, "node" | "where">,
  input: readonly number[],
  kernel: readonly number[],
): WindowLayout {
  const { where } = context;
  const rank = input.length;
  if (kernel.length !== rank || rank === 0 || !kernel.every((n) => Number.isSafeInteger(n) && n >= 1)) {
    throw new UnsupportedError(`${where}: a window of [${kernel}] does not fit samples of [${input}]`);
  }
  const strides = windowList(context, "strides", rank, 1, 1);
  const dilations = windowList(context, "dilations", rank, 1, 1);
  const reach = kernel.map((n, a) => dilations[a] * (n - 1) + 1);
  const padding = paddings(
    context,
    (a) => (Math.ceil(input[a] / strides[a]) - 1) * strides[a] + reach[a] - input[a],
    rank,
  );
  const ceil = numberAttribute(context, "ceil_mode", 0) === 1;
  const output = input.map((n, a) => {
    const [before, after] = padding[a];
    const steps = (n + before + after - reach[a]) / strides[a];
    if (!ceil) return Math.floor(steps) + 1;
    // A window that begins in the padding behind the input is left out.
    return Math.min(Math.ceil(steps), Math.ceil((n + before) / strides[a]) - 1) + 1;
  });
  if (output.some((n) => n < 1)) {
    throw new UnsupportedError(`${where}: its window [${kernel}] is larger than its padded input [${input}]`);
  }
  return { input, kernel, strides, dilations, padding, output };
}

/**
 * An attribute with a whole number for each axis, or `fill` for all.
 *
 * @throws UnsupportedError for other numbers, and those below `least`
 */
export function windowList(
  context: Pick<OperatorContext, "node" | "where">,
  name: string,
  length: number,
  fill: number,
  least: number,
): readonly number[] {
  const values = listAttribute(context, name) ?? new Array<number>(length).fill(fill);
  if (values.length === length && values.every((n) => Number.isSafeInteger(n) && n >= least)) return values;
  throw new UnsupportedError(`${context.where}: "${name}" [${values}] does not fit ${length} numbers from ${least} on`);
}

/**
 * Padding before and after each axis: as the file says, or shared out by auto_pad, where `total` is what an axis needs.
 *
 * @throws UnsupportedError for an auto_pad that does not exist
 */
export function paddings(
  context: Pick<OperatorContext, "node" | "where">,
  total: (axis: number) => number,
  rank: number,
): (readonly [before: number, after: number])[] {
  const auto = context.node.attributes.auto_pad ?? "NOTSET";
  const axes = Array.from({ length: rank }, (_, a) => a);
  switch (auto) {
    case "NOTSET": {
      const pads = windowList(context, "pads", 2 * rank, 0, 0);
      return axes.map((a) => [pads[a], pads[a + rank]]);
    }
    case "VALID":
      return axes.map(() => [0, 0]);
    case "SAME_UPPER":
    case "SAME_LOWER":
      return axes.map((a) => {
        const whole = Math.max(0, total(a));
        const less = Math.floor(whole / 2);
        return auto === "SAME_UPPER" ? [less, whole - less] : [whole - less, less];
      });
    default:
      throw new UnsupportedError(`${context.where}: auto_pad "${String(auto)}" is none that ONNX has`);
  }
}

/** What a window sees at one place of its kernel. */
export interface Tap {
  /** Place in the kernel. */
  readonly kernel: number;
  /** Place in the input, or nothing in the padding. */
  readonly input: number | undefined;
}

/** What each window sees inside the input and its padding, in the order of the outputs. */
export function windowTaps({ input, kernel, strides, dilations, padding, output }: WindowLayout): Tap[][] {
  const steps = stridesOf(input);
  const windows: Tap[][] = [];
  checkedCount([countOf(output), countOf(kernel)]);
  eachIndex(output, (index) => {
    const taps: Tap[] = [];
    eachIndex(kernel, (offset, place) => {
      let at: number | undefined = 0;
      for (const [a, n] of input.entries()) {
        const position = index[a] * strides[a] - padding[a][0] + offset[a] * dilations[a];
        // Behind the padding a window of ceil_mode sees nothing at all.
        if (position >= n + padding[a][1]) return;
        if (position < 0 || position >= n) at = undefined;
        else if (at !== undefined) at += position * steps[a];
      }
      taps.push({ kernel: place, input: at });
    });
    windows.push(taps);
  });
  return windows;
}
