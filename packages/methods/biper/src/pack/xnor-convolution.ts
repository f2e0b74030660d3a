import { checkOptions, requireChoice, ShapeError } from "@offprint/tensor-core";
import { outputExtents, type Pair, resolveGeometry } from "../geometry.js";
import { type PackedActivations, type PackedWeights, requirePackedActivations, requirePackedWeights } from "./bits.js";
import { convolutionEngine, type KernelChoice, kernelChoices } from "./engine.js";
import type { PadValue } from "./packed-part.js";

/** Options of `xnorConv2d`. Groups are those of the activations. */
export interface XnorOptions {
  /** Steps of the window. Default 1. */
  strides?: Pair;
  /** Rows and columns added on each side. Default 0. */
  padding?: Pair;
  /** Distance of neighbouring taps of the window. Default 1. */
  dilation?: Pair;
  /** What the padding is. Default 0, as in the float convolution; -1 or 1 for networks that were trained so. */
  padValue?: PadValue;
  /** Which implementation. Default `auto`. */
  kernels?: KernelChoice;
}

/**
 * The convolution of -1s and +1s, by XNOR and popcount: the integers that the float convolution of the same signs gives,
 * `[batch, outputs, height', width']` row-major.
 * @throws ShapeError where channels or windows do not fit; ValueError for options out of range.
 * @see Rastegari et al., ECCV 2016
 */
export function xnorConv2d(a: PackedActivations, w: PackedWeights, options: XnorOptions = {}): Int32Array {
  requirePackedActivations("xnorConv2d", a);
  requirePackedWeights("xnorConv2d", w);
  checkOptions("xnorConv2d", options, ["strides", "padding", "dilation", "padValue", "kernels"]);
  const { padValue = 0, kernels = "auto" } = options;
  requireChoice("xnorConv2d", "kernels", kernels, kernelChoices);
  const [outputs, channels, height, width] = w.shape;
  const inputs = a.shape[1];
  requireChoice("xnorConv2d", "padValue", padValue, [-1, 0, 1]);
  const geometry = resolveGeometry(
    "xnorConv2d",
    [height, width],
    { ...options, groups: a.groups },
    { inputs, outputs },
  );
  if (channels * a.groups !== inputs) {
    throw new ShapeError(
      `xnorConv2d: the weights [${w.shape}] take ${channels} channels a group, the activations [${a.shape}] have ` +
        `${inputs} in ${a.groups}; pack them for each other`,
    );
  }
  const extents = outputExtents("xnorConv2d", geometry, a.shape[2], a.shape[3]);
  const job = { input: a, weights: w, geometry, extents, padValue, finish: null };
  return convolutionEngine(kernels)(job) as Int32Array;
}
