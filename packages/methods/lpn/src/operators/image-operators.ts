import {
  checkOptions,
  matmul,
  mul,
  type Rng,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { batchOf, requireExtents, sizeOf } from "../batch.js";
import { type Measurement, matrixMeasurement } from "../measurement.js";

/** Rows of Gaussian weights around each pixel, each of sum 1, so that the border does not darken. */
function gaussianRows(size: number, sigma: number): Float64Array[] {
  return Array.from({ length: size }, (_, i) => {
    const row = Float64Array.from({ length: size }, (_, j) => Math.exp(-0.5 * ((i - j) / sigma) ** 2));
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((v) => v / total);
  });
}

/** Settings of {@link blur}. */
export interface BlurOptions {
  /** Shape of one image, ending in `[height, width]`. */
  readonly input: readonly number[];
  /** Standard deviation of the Gaussian in pixels, > 0. */
  readonly sigma: number;
}

/** Gaussian blur of images; weights are normalised within the image. @throws ValueError, ShapeError */
export function blur(options: BlurOptions): Measurement {
  checkOptions("blur", options, ["input", "sigma"], ["input", "sigma"]);
  const { input, sigma } = options;
  requirePositive("blur", "sigma", sigma);
  requireExtents("blur", "input", input);
  if (input.length < 2) throw new ShapeError(`blur: input is [${input}]; images end in [height, width]`);
  const [height, width] = input.slice(-2);
  const down = tensor(gaussianRows(height, sigma), { dtype: "float64" });
  const across = tensor(gaussianRows(width, sigma), { dtype: "float64" });
  return {
    input,
    output: input,
    apply(x) {
      const sharp = batchOf("blur", input, x);
      return matmul(matmul(down.cast(sharp.dtype), sharp), transpose(across.cast(sharp.dtype)));
    },
    adjoint(y) {
      const seen = batchOf("blur", input, y);
      return matmul(matmul(transpose(down.cast(seen.dtype)), seen), across.cast(seen.dtype));
    },
  };
}

/**
 * Pixels that are seen: 1 or true where they are, 0 or false where not. The result has zeros there.
 * @throws ShapeError; ValueError for other values.
 */
export function mask(seen: TensorLike): Measurement {
  const given = tensor(seen as never);
  const input = given.shape;
  requireExtents("mask", "the shape", input);
  const other = given.data().findIndex((value: number) => value !== 0 && value !== 1);
  if (other >= 0) {
    throw new ValueError(
      `mask: entry ${other} is ${given.data()[other]}; it must be 1 where a pixel is seen and 0 where not: compare a picture with a threshold`,
    );
  }
  const kept = given.cast("bool");
  const only = (x: Tensor) => {
    const images = batchOf("mask", input, x);
    return mul(images, kept.cast(images.dtype));
  };
  return { input, output: input, apply: only, adjoint: only };
}

/** Settings of random measurements. */
export interface RandomMeasurementOptions {
  /** Shape of one x. */
  readonly input: readonly number[];
  /** Numbers measured of each. */
  readonly measurements: number;
}

/** Compressed sensing by a matrix of independent normal entries of variance `1 / measurements`. @throws ValueError */
export function gaussianMatrix(rng: Rng, options: RandomMeasurementOptions): Measurement {
  requireObject("gaussianMatrix", "rng", rng, "a generator of random.rng(seed)");
  requireObject("gaussianMatrix", "options", options, "{ input, measurements }");
  const { input, measurements } = checkedRandom("gaussianMatrix", options);
  const std = 1 / Math.sqrt(measurements);
  return matrixMeasurement(rng.normal([measurements, sizeOf(input)], { std, dtype: "float64" }), input);
}

/** @internal Settings, checked. @throws ValueError */
export function checkedRandom(owner: string, options: RandomMeasurementOptions): RandomMeasurementOptions {
  checkOptions(owner, options, ["input", "measurements"], ["input", "measurements"]);
  requireExtents(owner, "input", options.input);
  requireInteger(owner, "measurements", options.measurements, 1);
  return options;
}
