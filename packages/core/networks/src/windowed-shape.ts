import { type PaddingAmount, type PerAxis, requireInteger, ShapeError, ValueError } from "@offprint/tensor-core";

/** What convolutions and poolings have in common. */
interface Windowed {
  readonly window?: PerAxis;
  readonly strides?: PerAxis;
  readonly padding?: PaddingAmount;
  readonly dilation?: PerAxis;
  readonly groups?: number;
}

/**
 * @internal What a convolution with kernels of shape `kernel` `[out, in / groups, ...]`, or a pooling where there are none,
 * gives for a sample `[channels, ...spatial]`.
 *
 * @throws ShapeError and ValueError where it does not fit
 */
export function windowedShape(
  layer: Windowed,
  shape: readonly number[],
  kernel: readonly number[] | undefined,
  owner: string,
): number[] {
  const [channels, ...spatial] = shape;
  if (spatial.length < 1) {
    throw new ShapeError(`network: ${owner} takes samples [channels, ...spatial], got shape [${shape}]`);
  }
  const { groups = 1 } = layer;
  if (kernel !== undefined) {
    requireInteger(`network: ${owner}`, "groups", groups, 1);
    if (kernel.length !== shape.length + 1 || kernel.includes(0)) {
      throw new ShapeError(
        `network: ${owner} has kernels of shape [${kernel}]; samples of shape [${shape}] need ${shape.length + 1} axes`,
      );
    }
    if (kernel[1] * groups !== channels || kernel[0] % groups !== 0) {
      throw new ShapeError(
        `network: ${owner} takes ${kernel[1] * groups} channels and gives ${kernel[0]}, in ${groups} groups; its samples have shape [${shape}]`,
      );
    }
  }
  const each = (value: PerAxis, name: string): readonly number[] => {
    const list = typeof value === "number" ? spatial.map(() => value) : value;
    if (list?.length !== spatial.length) {
      throw new ShapeError(
        `network: ${owner} has ${String(name)} [${String(list)}]; give one for each axis of [${spatial}]`,
      );
    }
    for (const n of list) requireInteger(`network: ${owner}`, name, n, 1);
    return list;
  };
  const window = kernel?.slice(2) ?? each(layer.window as PerAxis, "window");
  const strides = each(layer.strides ?? (kernel === undefined ? window : 1), "strides");
  const dilation = each(layer.dilation ?? 1, "dilation");
  const padding = paddingOf(layer.padding ?? 0, spatial.length, owner);
  const outputs = spatial.map((n, a) => {
    const reach = dilation[a] * (window[a] - 1);
    // A window of nothing but padding has no mean.
    if (kernel === undefined && Math.max(...padding[a]) > reach) {
      throw new ValueError(`network: ${owner} has a window of ${window[a]} that would see padding only; pad less`);
    }
    return Math.floor((n + padding[a][0] + padding[a][1] - reach - 1) / strides[a]) + 1;
  });
  if (outputs.some((n) => n < 1)) {
    throw new ShapeError(`network: the window [${window}] of ${owner} is larger than its padded input [${spatial}]`);
  }
  return [kernel?.[0] ?? channels, ...outputs];
}

/** @internal Zeros before and after for each axis. */
export function paddingPairs(padding: PaddingAmount, rank: number): (readonly [number, number])[] {
  const list = typeof padding === "number" ? new Array<number>(rank).fill(padding) : padding;
  return list.map((entry) => (typeof entry === "number" ? ([entry, entry] as const) : entry));
}

function paddingOf(padding: PaddingAmount, rank: number, owner: string): (readonly [number, number])[] {
  const pairs = paddingPairs(padding, rank);
  if (pairs.length !== rank) {
    throw new ShapeError(`network: ${owner} has ${pairs.length} paddings; give one for each of its ${rank} axes`);
  }
  for (const n of pairs.flat()) requireInteger(`network: ${owner}`, "padding", n, 0);
  return pairs;
}
