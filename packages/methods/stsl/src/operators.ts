import {
  averagePool,
  checkOptions,
  conv,
  div,
  expandDims,
  linalg,
  matmul,
  mul,
  repeat,
  requireFinite,
  requireInteger,
  requirePositive,
  reshape,
  ShapeError,
  sum,
  swapAxes,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
  vjp,
} from "@offprint/tensor-core";
import { type Measurement, readNumbers } from "./measurement.js";

/**
 * Some pixels are missing. Measurements have the shape of images, with 0 where nothing was seen.
 * @param mask 1 where a pixel was seen and 0 where not, `[height, width]` or any shape that spreads over an image
 * @throws ValueError for other numbers, and where nothing was seen.
 */
export function inpainting(mask: TensorLike): Measurement {
  const seen = readNumbers("inpainting", "mask", mask, "float64");
  const values = seen.data();
  if (!values.every((v: number) => v === 0 || v === 1) || !values.some((v: number) => v === 1)) {
    throw new ValueError("inpainting: mask must hold 1 where a pixel was seen and 0 where not, and not only 0");
  }
  const masked = (x: Tensor): Tensor => {
    const axis = x.rank - seen.rank;
    if (axis >= 0 && seen.shape.every((extent, k) => extent === 1 || extent === x.shape[axis + k])) {
      return mul(x, seen.cast(x.dtype));
    }
    throw new ShapeError(
      `inpainting: mask has shape [${seen.shape}] for images [${x.shape}]; give one that spreads over an image, such as [height, width]`,
    );
  };
  return { apply: masked, transpose: masked, pseudoInverse: masked };
}

/** Images `[batch, channels, height, width]` made smaller: the means of blocks of `factor` x `factor` pixels. */
export function superResolution(factor: number): Measurement {
  requireInteger("superResolution", "factor", factor, 1);
  const spread = (y: Tensor): Tensor => {
    if (y.rank === 4) return repeat(repeat(y, factor, 2), factor, 3);
    throw new ShapeError(
      `superResolution: measurements have shape [${y.shape}]; they must be [batch, channels, height, width]`,
    );
  };
  return {
    apply(x) {
      if (x.rank === 4 && x.shape[2] % factor === 0 && x.shape[3] % factor === 0) {
        return averagePool(x, factor, { strides: factor });
      }
      throw new ShapeError(
        `superResolution: images have shape [${x.shape}]; they must be [batch, channels, height, width] with extents that ${factor} divides`,
      );
    },
    transpose: (y) => div(spread(y), factor ** 2),
    pseudoInverse: spread,
  };
}

/**
 * Images `[batch, channels, height, width]` blurred by a kernel of odd extents, mirrored at their borders.
 * @param kernel `[rows, columns]`; divided by its sum
 */
export function blur(kernel: TensorLike): Measurement {
  return blurBy("blur", "the kernel", kernel);
}

/** A blur under the name of what was called, with what it is that makes a kernel too wide for an image. */
function blurBy(owner: string, size: string, kernel: TensorLike): Measurement {
  const given = readNumbers(owner, "kernel", kernel, "float64");
  if (given.rank !== 2 || given.shape.some((n) => n % 2 === 0)) {
    throw new ShapeError(`${owner}: kernel has shape [${given.shape}]; it must be [rows, columns], both odd`);
  }
  requireFinite(owner, "kernel", given);
  const total = sum(given).item();
  if (!(Math.abs(total) > 0)) throw new ValueError(`${owner}: the numbers of kernel sum to 0; they must not`);
  const weights = div(given, total).reshape([1, 1, ...given.shape]);
  const apply = (x: Tensor): Tensor => {
    if (x.rank !== 4) {
      throw new ShapeError(`${owner}: images have shape [${x.shape}]; they must be [batch, channels, height, width]`);
    }
    const [count, channels, height, width] = x.shape;
    const margins = given.shape.map((n) => (n - 1) / 2);
    for (const [i, margin] of margins.entries()) {
      if (margin < x.shape[2 + i]) continue;
      throw new ShapeError(
        `${owner}: ${size} reaches ${margin} pixels beyond an image of ${x.shape[2 + i]}; give a smaller one`,
      );
    }
    const wide = [2, 3].reduce((images, axis, i) => mirrored(images, axis, margins[i]), x);
    const planes = reshape(wide, [count * channels, 1, wide.shape[2], wide.shape[3]]);
    return reshape(conv(planes, weights.cast(x.dtype)), [count, channels, height, width]);
  };
  // Blurred images are as large as sharp ones, so that the transpose can be taken at them.
  return { apply, transpose: (y) => vjp(apply, mul(y, 0))[1](y)[0] as Tensor };
}

/** An axis continued by its mirror image at both ends. */
function mirrored(x: Tensor, axis: number, margin: number): Tensor {
  const n = x.shape[axis];
  const places = Array.from({ length: n + 2 * margin }, (_, i) => {
    const at = Math.abs(i - margin);
    return at < n ? at : 2 * (n - 1) - at;
  });
  return take(x, tensor(Int32Array.from(places)), axis);
}

/** Options of {@link gaussianBlur}. */
export interface GaussianBlurOptions {
  /** Standard deviation in pixels, > 0. Default 3. */
  readonly deviation?: number;
  /** Extent of the kernel, odd. Default 61, as usual with a deviation of 3, but at most 3 deviations to each side. */
  readonly size?: number;
}

/** Images blurred by a normal distribution. */
export function gaussianBlur(options: GaussianBlurOptions = {}): Measurement {
  checkOptions("gaussianBlur", options, ["deviation", "size"]);
  const { deviation = 3 } = options;
  requirePositive("gaussianBlur", "deviation", deviation);
  const { size = Math.min(61, 2 * Math.ceil(3 * deviation) + 1) } = options;
  requireInteger("gaussianBlur", "size", size, 1);
  if (size % 2 === 0) throw new ValueError(`gaussianBlur: size is ${size}; it must be odd, with a pixel in the middle`);
  const row = tensor(Float64Array.from({ length: size }, (_, i) => bell((i - (size - 1) / 2) / deviation)));
  const extent = options.size === undefined ? `deviation is ${deviation}, which` : `size is ${size}, which`;
  return blurBy("gaussianBlur", extent, mul(expandDims(row, 0), expandDims(row, 1)));
}

const bell = (x: number) => Math.exp(-(x ** 2) / 2);

/** Options of {@link motionBlur}. */
export interface MotionBlurOptions {
  /** Length of the movement in pixels, > 0, at most 4096. Default 9. */
  readonly length?: number;
  /** Its direction in degrees, anticlockwise from the right. Default 0. */
  readonly angle?: number;
}

/** Pixels of a movement whose kernel still fits memory. */
const LONGEST = 4096;

/** Images blurred by a movement along a straight line while they were taken. */
export function motionBlur(options: MotionBlurOptions = {}): Measurement {
  checkOptions("motionBlur", options, ["length", "angle"]);
  const { length = 9, angle = 0 } = options;
  requirePositive("motionBlur", "length", length);
  if (length > LONGEST) throw new ValueError(`motionBlur: length is ${length}; give at most ${LONGEST} pixels`);
  if (!Number.isFinite(angle)) throw new ValueError(`motionBlur: angle is ${angle}; give degrees`);
  const half = Math.ceil(length / 2);
  const size = 2 * half + 1;
  const kernel = new Float64Array(size * size);
  const [dx, dy] = [Math.cos((angle * Math.PI) / 180), -Math.sin((angle * Math.PI) / 180)];
  // Points along the line, each shared among the four pixels around it.
  const points = 8 * size;
  for (let p = 0; p < points; p++) {
    const way = ((p + 0.5) / points - 0.5) * length;
    const [x, y] = [half + way * dx, half + way * dy];
    const [left, top] = [Math.floor(x), Math.floor(y)];
    for (const [row, column] of [
      [top, left],
      [top, left + 1],
      [top + 1, left],
      [top + 1, left + 1],
    ]) {
      const share = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
      if (share > 0) kernel[row * size + column] += share;
    }
  }
  return blurBy("motionBlur", `length is ${length}, which`, tensor(kernel, { shape: [size, size] }));
}

/** A matrix `[rows, size]` over all entries of an image in their order: measurements are `[batch, rows]`. @param imageShape default `[size]` */
export function matrixMeasurement(matrix: TensorLike, imageShape?: readonly number[]): Measurement {
  const a = readNumbers("matrixMeasurement", "matrix", matrix, "float64");
  if (
    a.rank !== 2 ||
    a.size === 0 ||
    (imageShape !== undefined && imageShape.reduce((n, m) => n * m, 1) !== a.shape[1])
  ) {
    throw new ShapeError(
      `matrixMeasurement: the matrix has shape [${a.shape}]; it must be [rows, size] and not empty${imageShape ? `, for images [${imageShape}]` : ""}`,
    );
  }
  requireFinite("matrixMeasurement", "matrix", a);
  const [rows, size] = a.shape;
  const shape = imageShape ?? [size];
  const across = swapAxes(a, 0, 1);
  const inverse = linalg.pinv(a);
  const by = (y: Tensor, m: Tensor, to: readonly number[]): Tensor => reshape(matmul(y, m.cast(y.dtype)), to);
  return {
    apply(x) {
      if (x.rank >= 1 && x.size === x.shape[0] * size) {
        return by(reshape(x, [x.shape[0], size]), across, [x.shape[0], rows]);
      }
      throw new ShapeError(
        `matrixMeasurement: images have shape [${x.shape}]; they must be [batch, ${shape.join(", ")}]`,
      );
    },
    transpose: (y) => by(y, a, [y.shape[0], ...shape]),
    pseudoInverse: (y) => by(y, swapAxes(inverse, 0, 1), [y.shape[0], ...shape]),
  };
}
