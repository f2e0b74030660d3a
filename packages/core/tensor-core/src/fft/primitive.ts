import { allocate } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { div, mul } from "../ops/elementwise.js";
import { broadcastTo } from "../ops/movement.js";
import { bind, definePrimitive, type Primitive } from "../primitive.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { HostStorage } from "../storage.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";
import { type FloatArray, transformAxis } from "./axis.js";

/** Which axis is transformed, and in which direction. */
export interface FftParams {
  readonly axis: number;
  /** The inverse transform, which divides by the length. */
  readonly inverse: boolean;
}

/** Real and imaginary parts in, real and imaginary parts out, transformed along one axis. */
export const fftP: Primitive<FftParams> = definePrimitive<FftParams>({
  name: "fft",
  outputs([re, im], { axis }) {
    if (!sameShape(re.shape, im.shape)) {
      throw new ShapeError(
        `fft: real part ${formatShape(re.shape)} and imaginary part ${formatShape(im.shape)} must have one shape`,
      );
    }
    if (re.dtype !== im.dtype || (re.dtype !== "float32" && re.dtype !== "float64")) {
      throw new DTypeError(`fft: dtypes ${re.dtype} and ${im.dtype}: both must be float32 or both float64; cast first`);
    }
    if (re.shape[axis] === 0) {
      throw new ShapeError(`fft: axis ${axis} of ${formatShape(re.shape)} is empty; transform at least one point`);
    }
    const spec = { shape: re.shape, dtype: re.dtype };
    return [spec, spec];
  },
  host([re, im], { axis, inverse }, [{ shape, dtype }]) {
    const size = sizeOf(shape);
    const outRe = allocate(dtype, size) as FloatArray;
    const outIm = allocate(dtype, size) as FloatArray;
    const layout = { outer: sizeOf(shape.slice(0, axis)), n: shape[axis], inner: sizeOf(shape.slice(axis + 1)) };
    const imaginary = isZero(im) ? undefined : (contiguousData(im) as FloatArray);
    transformAxis(contiguousData(re) as FloatArray, imaginary, outRe, outIm, layout, inverse);
    return [hostTensor(outRe, shape, dtype), hostTensor(outIm, shape, dtype)];
  },
  // The transpose of the real map of both parts is the conjugate transform: the other direction, rescaled.
  vjp([gRe, gIm], { inputs: [re], params: { axis, inverse } }) {
    let pulled: Tensor[] | undefined;
    const n = re.shape[axis];
    const part = (i: number) => () => {
      pulled ??= bind(fftP, [gRe, gIm], { axis, inverse: !inverse });
      return inverse ? div(pulled[i], n) : mul(pulled[i], n);
    };
    return [part(0), part(1)];
  },
  batch([re, im], [inRe, inIm], { axis, inverse }, size) {
    const x = inRe ? re : broadcastTo(re, [size, ...re.shape]);
    const y = inIm ? im : broadcastTo(im, [size, ...im.shape]);
    return bind(fftP, [x, y], { axis: axis + 1, inverse });
  },
});

/** Whether a host tensor is a broadcast zero, as the imaginary part of real input is. */
function isZero(x: Tensor): boolean {
  const { data, strides, offset } = x.storage as HostStorage;
  return data[offset] === 0 && strides.every((step, axis) => step === 0 || x.shape[axis] === 1);
}
