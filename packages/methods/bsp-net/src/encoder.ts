import { type ConvParams, conv2d, conv3d, initializers, type Layer, type Stage, sequential } from "@offprint/nn";
import {
  add,
  asTensor,
  checkOptions,
  matmul,
  requireInteger,
  reshape,
  type Tensor,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import type { Dim } from "./features.js";

/** Options of `convEncoder`. */
export interface ConvEncoderOptions {
  /** Dimensions of the image or voxel grid. */
  dim: Dim;
  /** Cells per axis, a power of two >= 8. The paper has 64. */
  resolution: number;
  /** Channels of the input. Default 1. */
  channels?: number;
  /** Channels of the first layer, which double up to eight times as many. Default 32. */
  ef?: number;
  /** Length of the result. Default `8 ef`. */
  outputs?: number;
  /** After the last layer. Default: `sigmoid` in 3D, `leakyRelu` in 2D. */
  outputActivation?: "sigmoid" | "leakyRelu" | "identity";
}

const rows = (x: Tensor) => reshape(x, [x.shape[0], -1]);

/** A convolution over all cells at once, to `[batch, outputs]`: as the matrix product that it is, it has quicker gradients. */
function overAllCells({ init }: Layer<ConvParams>): Layer<ConvParams> {
  return {
    init,
    apply({ weight, bias }, x) {
      const y = transpose(matmul(rows(weight), transpose(rows(asTensor(x)))));
      return bias === undefined ? y : add(y, bias);
    },
  };
}

/**
 * The encoder of images (2D) and voxels (3D): convolutions of kernel 4 with stride 2 down to 4 cells per axis, and one
 * over these; leaky ReLUs between. `[batch, channels, ...cells]` to codes `[batch, 8 ef]`.
 * @throws ValueError for a resolution that is no power of two >= 8.
 */
export function convEncoder(options: ConvEncoderOptions): Layer<readonly unknown[]> {
  checkOptions(
    "convEncoder",
    options,
    ["dim", "resolution", "channels", "ef", "outputs", "outputActivation"],
    ["dim", "resolution"],
  );
  const { dim, resolution, channels = 1, ef = 32 } = options;
  const { outputs = 8 * ef, outputActivation = dim === 3 ? "sigmoid" : "leakyRelu" } = options;
  const halvings = Math.log2(resolution) - 2;
  if (!Number.isInteger(halvings) || halvings < 1) {
    throw new ValueError(`convEncoder: resolution is ${resolution}; it must be a power of two >= 8`);
  }
  for (const [name, value] of Object.entries({ channels, ef, outputs })) requireInteger("convEncoder", name, value, 1);
  const conv = dim === 3 ? conv3d : conv2d;
  const inits = { weightInit: initializers.glorotUniform, biasInit: initializers.zeros };
  const widths = Array.from({ length: halvings }, (_, i) => ef * Math.min(8, 2 ** i));
  const stages: Stage[] = widths.flatMap((width, i) => [
    conv({ inputs: i === 0 ? channels : widths[i - 1], outputs: width, kernel: 4, strides: 2, padding: 1, ...inits }),
    "leakyRelu",
  ]);
  const last = conv({ inputs: widths[halvings - 1], outputs, kernel: 4, ...inits });
  return sequential(...stages, overAllCells(last), outputActivation);
}
