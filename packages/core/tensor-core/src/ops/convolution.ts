import { checkOptions } from "../check-options.js";
import { ShapeError, ValueError } from "../errors.js";
import { bindOne } from "../primitive.js";
import { type ConvParams, convInputGradP, convolvedExtents, convP } from "../primitives/convolution.js";
import { formatShape } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { asFloat, promoteOperands } from "./operands.js";
import { type PaddingAmount, type PerAxis, paddingPairs, perAxis, samePadding, spatialRank } from "./window.js";

export type { PaddingAmount, PerAxis } from "./window.js";

/** Options of `conv`. */
export interface ConvOptions {
  /** Steps of the kernel. Default 1. */
  strides?: PerAxis;
  /** "same" gives ceil(n / stride) outputs, the odd zero after; "valid" (the default) pads nothing. */
  padding?: "same" | "valid" | PaddingAmount;
  /** Distance of neighbouring entries of the kernel. Default 1. */
  dilation?: PerAxis;
  /** Parts into which channels are divided; `c` groups make a depthwise convolution. Default 1. */
  groups?: number;
}

/** Options of `convTranspose`. */
export interface ConvTransposeOptions extends Omit<ConvOptions, "padding"> {
  /** What the convolution that this is the transpose of padded: that much is cut off. Default 0. */
  padding?: PaddingAmount;
  /** Added to the end of the result, less than the stride or the dilation: chooses between inputs of equal result. Default 0. */
  outputPadding?: PerAxis;
}

function operands(operation: string, x: TensorLike, w: TensorLike): [input: Tensor, kernel: Tensor, rank: number] {
  const [input, kernel] = promoteOperands(operation, [x, w]).map(asFloat);
  const rank = spatialRank(operation, input);
  if (kernel.rank !== input.rank) {
    throw new ShapeError(
      `${operation}: the kernel has shape ${formatShape(kernel.shape)}; for an input ${formatShape(input.shape)} it needs ${input.rank} axes`,
    );
  }
  if (kernel.shape.slice(2).includes(0)) {
    throw new ShapeError(`${operation}: the kernel ${formatShape(kernel.shape)} has an empty spatial axis`);
  }
  return [input, kernel, rank];
}

function requireGroups(operation: string, groups: number, counts: readonly number[]): void {
  if (!Number.isInteger(groups) || groups < 1 || counts.some((n) => n % groups !== 0)) {
    throw new ValueError(
      `${operation}: groups is ${groups}; give a positive integer that divides the channels ${counts.join(" and ")}`,
    );
  }
}

/**
 * Convolution as neural networks have it (the kernel is not flipped) of `x` `[batch, c, ...spatial]` with kernels `w`
 * `[out, c / groups, ...kernel]` over 1 to 3 spatial axes: `[batch, out, ...]`.
 * @throws ShapeError where channels do not fit or the kernel is larger than the padded input; ValueError for options.
 * @example conv(images, w, { strides: 2, padding: 1 })
 */
export function conv(x: TensorLike, w: TensorLike, options: ConvOptions = {}): Tensor {
  checkOptions("conv", options, ["strides", "padding", "dilation", "groups"]);
  const [input, kernel, rank] = operands("conv", x, w);
  const { padding = "valid", groups = 1 } = options;
  const strides = perAxis("conv", "strides", options.strides ?? 1, rank, 1);
  const dilation = perAxis("conv", "dilation", options.dilation ?? 1, rank, 1);
  const spatial = input.shape.slice(2);
  const window = kernel.shape.slice(2);
  requireGroups("conv", groups, [input.shape[1], kernel.shape[0]]);
  if (kernel.shape[1] * groups !== input.shape[1]) {
    throw new ShapeError(
      `conv: the kernel ${formatShape(kernel.shape)} takes ${kernel.shape[1]} channels a group, the input ` +
        `${formatShape(input.shape)} has ${input.shape[1]} in ${groups} group${groups === 1 ? "" : "s"}; give w [out, ${input.shape[1] / groups}, ...]`,
    );
  }
  const params: ConvParams = {
    strides,
    padding:
      padding === "same"
        ? samePadding(spatial, window, strides, dilation)
        : paddingPairs("conv", padding === "valid" ? 0 : padding, rank),
    dilation,
    groups,
  };
  if (convolvedExtents(spatial, window, params).some((n) => n < 1)) {
    throw new ShapeError(
      `conv: the kernel ${formatShape(window)} with dilation ${formatShape(dilation)} is larger than the padded input ${formatShape(spatial)}; pad more`,
    );
  }
  return bindOne(convP, [input, kernel], params);
}

/**
 * The transpose of a convolution (not its inverse): `x` `[batch, c, ...spatial]` with `w` `[c, out / groups,
 * ...kernel]` gives `[batch, out, ...]`, each axis of extent `(n - 1) stride - before - after + dilation (kernel - 1) +
 * outputPadding + 1`, as in PyTorch.
 * @throws ShapeError where channels do not fit; ValueError for options.
 */
export function convTranspose(x: TensorLike, w: TensorLike, options: ConvTransposeOptions = {}): Tensor {
  checkOptions("convTranspose", options, ["strides", "padding", "dilation", "groups", "outputPadding"]);
  const [input, kernel, rank] = operands("convTranspose", x, w);
  const { groups = 1 } = options;
  const strides = perAxis("convTranspose", "strides", options.strides ?? 1, rank, 1);
  const dilation = perAxis("convTranspose", "dilation", options.dilation ?? 1, rank, 1);
  const extra = perAxis("convTranspose", "outputPadding", options.outputPadding ?? 0, rank, 0);
  const cut = paddingPairs("convTranspose", options.padding ?? 0, rank);
  if (kernel.shape[0] !== input.shape[1]) {
    throw new ShapeError(
      `convTranspose: the kernel ${formatShape(kernel.shape)} takes ${kernel.shape[0]} channels, the input has ${input.shape[1]}; give w [${input.shape[1]}, out / groups, ...]`,
    );
  }
  requireGroups("convTranspose", groups, [input.shape[1]]);
  if (extra.some((n, i) => n >= Math.max(strides[i], dilation[i]))) {
    throw new ValueError(
      `convTranspose: outputPadding ${formatShape(extra)} must be less than the strides ${formatShape(strides)} or dilation ${formatShape(dilation)}`,
    );
  }
  // Whole strides of it cut off less: a convolution of that many more values would have more results.
  const padding = cut.map(([before, after], i) => [before, after - extra[i] + (extra[i] % strides[i])] as const);
  const inputSpatial = input.shape
    .slice(2)
    .map(
      (n, i) => (n - 1) * strides[i] - cut[i][0] - cut[i][1] + dilation[i] * (kernel.shape[i + 2] - 1) + extra[i] + 1,
    );
  if (inputSpatial.some((n) => n < 1)) {
    throw new ShapeError(`convTranspose: padding cuts off the whole result, extents ${formatShape(inputSpatial)}`);
  }
  return bindOne(convInputGradP, [input, kernel], { strides, padding, dilation, groups, inputSpatial });
}
