import { requireInteger, ShapeError, ValueError } from "@offprint/tensor-core";

/** A value for both spatial axes, or one for each: `[vertical, horizontal]`. */
export type Pair = number | readonly [number, number];

/** Where the windows of a convolution over two axes lie. */
export interface WindowOptions {
  /** Steps of the window. Default 1. */
  strides?: Pair;
  /** Rows and columns added on each side. Default 0. */
  padding?: Pair;
  /** Distance of neighbouring taps of the window. Default 1. */
  dilation?: Pair;
  /** Parts into which channels are divided. Default 1. */
  groups?: number;
}

/** The names of {@link WindowOptions}, for `checkOptions`. */
export const windowOptionNames = ["strides", "padding", "dilation", "groups"] as const;

/** `WindowOptions` with everything filled in. */
export interface Geometry {
  /** Extents of the window. */
  readonly kernel: readonly [number, number];
  /** Steps of the window. */
  readonly strides: readonly [number, number];
  /** Rows and columns added on each side. */
  readonly padding: readonly [number, number];
  /** Distance of neighbouring taps. */
  readonly dilation: readonly [number, number];
  /** Parts into which channels are divided. */
  readonly groups: number;
}

function pair(owner: string, name: string, value: Pair, least: number): [number, number] {
  const both = typeof value === "number" ? [value, value] : [...value];
  if (both.length !== 2) throw new ValueError(`${owner}: ${name} has ${both.length} values; give one, or two`);
  for (const each of both) requireInteger(owner, name, each, least);
  return [both[0], both[1]];
}

/**
 * Checks the options of a convolution and fills in the defaults.
 * @throws ValueError for what is out of range, and for groups that do not divide the channels.
 */
export function resolveGeometry(
  owner: string,
  kernel: Pair,
  options: WindowOptions,
  channels: { inputs: number; outputs: number },
): Geometry {
  const { groups = 1 } = options;
  requireInteger(owner, "inputs", channels.inputs, 1);
  requireInteger(owner, "outputs", channels.outputs, 1);
  requireInteger(owner, "groups", groups, 1);
  if (channels.inputs % groups !== 0 || channels.outputs % groups !== 0) {
    throw new ValueError(
      `${owner}: groups is ${groups}; it must divide inputs ${channels.inputs} and outputs ${channels.outputs}`,
    );
  }
  return {
    kernel: pair(owner, "kernel", kernel, 1),
    strides: pair(owner, "strides", options.strides ?? 1, 1),
    padding: pair(owner, "padding", options.padding ?? 0, 0),
    dilation: pair(owner, "dilation", options.dilation ?? 1, 1),
    groups,
  };
}

/**
 * Rows and columns of the result for an input of `height x width`.
 * @throws ShapeError where no window fits.
 */
export function outputExtents(owner: string, g: Geometry, height: number, width: number): [number, number] {
  const extents = [height, width].map(
    (n, i) => Math.floor((n + 2 * g.padding[i] - g.dilation[i] * (g.kernel[i] - 1) - 1) / g.strides[i]) + 1,
  );
  if (extents.some((n) => n < 1)) {
    throw new ShapeError(
      `${owner}: a window of ${g.kernel.join(" x ")} with dilation ${g.dilation.join(" x ")} does not fit into ` +
        `${height} x ${width} with padding ${g.padding.join(" x ")}; pad more`,
    );
  }
  return [extents[0], extents[1]];
}
