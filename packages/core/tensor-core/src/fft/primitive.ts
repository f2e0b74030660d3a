import { allocateUnwritten } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import type { AxisLayout } from "../kernels/fft.js";
import { div, mul } from "../ops/elementwise.js";
import { broadcastTo } from "../ops/movement.js";
import { bind, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { formatShape, type Shape, sameShape, sizeOf } from "../shape.js";
import type { HostStorage } from "../storage.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";
import { type FloatArray, halfLength, transformAxis, transformReal, transformToReal } from "./axis.js";

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
    requirePair("fft", re, im);
    requireTransformable("fft", re, axis);
    const spec = { shape: re.shape, dtype: re.dtype };
    return [spec, spec];
  },
  host([re, im], { axis, inverse }, [{ shape, dtype }]) {
    const size = sizeOf(shape);
    const outRe = allocateUnwritten(dtype, size) as FloatArray;
    const outIm = allocateUnwritten(dtype, size) as FloatArray;
    const layout = layoutOf(shape, axis);
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

/** Along which axis real numbers are transformed. */
export interface RealFftParams {
  readonly axis: number;
}

/** Real numbers in, real and imaginary parts of the first n / 2 + 1 terms of their transform out. */
export const rfftP: Primitive<RealFftParams> = definePrimitive<RealFftParams>({
  name: "rfft",
  outputs([x], { axis }) {
    requireTransformable("rfft", x, axis);
    const spec = { shape: withExtent(x.shape, axis, halfLength(x.shape[axis])), dtype: x.dtype };
    return [spec, spec];
  },
  host([x], { axis }, [{ shape, dtype }]) {
    const outRe = allocateUnwritten(dtype, sizeOf(shape)) as FloatArray;
    const outIm = allocateUnwritten(dtype, sizeOf(shape)) as FloatArray;
    transformReal(contiguousData(x) as FloatArray, outRe, outIm, layoutOf(x.shape, axis));
    return [hostTensor(outRe, shape, dtype), hostTensor(outIm, shape, dtype)];
  },
  // The transpose sums over the half alone: an inverse transform in which the terms that stand for two count half.
  vjp([gRe, gIm], { inputs: [x], params: { axis } }) {
    return [
      () => {
        const n = x.shape[axis];
        const weight = multiplicity(gRe, axis, n, (count) => n / count);
        const [pulled] = bind(irfftP, [mul(gRe, weight), mul(gIm, weight)], { axis, n });
        return pulled;
      },
    ];
  },
  batch: ([x], _, { axis }) => bind(rfftP, [x], { axis: axis + 1 }),
});

/** Along which axis half of the terms are transformed back, and to how many real numbers. */
export interface InverseRealFftParams extends RealFftParams {
  readonly n: number;
}

/** Real and imaginary parts of the first n / 2 + 1 terms in, n real numbers out. */
export const irfftP: Primitive<InverseRealFftParams> = definePrimitive<InverseRealFftParams>({
  name: "irfft",
  outputs([re, im], { axis, n }) {
    requirePair("irfft", re, im);
    if (re.shape[axis] !== halfLength(n)) {
      throw new ShapeError(
        `irfft: axis ${axis} of ${formatShape(re.shape)} must hold the ${halfLength(n)} first terms of ${n} real numbers`,
      );
    }
    return [{ shape: withExtent(re.shape, axis, n), dtype: re.dtype }];
  },
  host([re, im], { axis }, [{ shape, dtype }]) {
    const out = allocateUnwritten(dtype, sizeOf(shape)) as FloatArray;
    const parts = [re, im].map((part) => contiguousData(part) as FloatArray);
    transformToReal(parts[0], parts[1], out, layoutOf(shape, axis));
    return [hostTensor(out, shape, dtype)];
  },
  vjp([g], { inputs: [re], params: { axis, n } }) {
    let pulled: Tensor[] | undefined;
    const part = (i: number) => () => {
      pulled ??= bind(rfftP, [g], { axis });
      return mul(
        pulled[i],
        multiplicity(re, axis, n, (count) => count / n),
      );
    };
    return [part(0), part(1)];
  },
  batch([re, im], [inRe, inIm], { axis, n }, size) {
    const x = inRe ? re : broadcastTo(re, [size, ...re.shape]);
    const y = inIm ? im : broadcastTo(im, [size, ...im.shape]);
    return bind(irfftP, [x, y], { axis: axis + 1, n });
  },
});

/** A function of how many terms of the whole transform each one of the half stands for, to broadcast over it. */
function multiplicity(x: Tensor, axis: number, n: number, f: (count: 1 | 2) => number): Tensor {
  const values = Float64Array.from({ length: halfLength(n) }, (_, k) => f(k === 0 || 2 * k === n ? 1 : 2));
  const shape = x.shape.map((_, i) => (i === axis ? values.length : 1));
  const data = x.dtype === "float64" ? values : Float32Array.from(values);
  return hostTensor(data, shape, x.dtype);
}

/** How the transforms see an array. */
export function layoutOf(shape: Shape, axis: number): AxisLayout {
  return { outer: sizeOf(shape.slice(0, axis)), n: shape[axis], inner: sizeOf(shape.slice(axis + 1)) };
}

function withExtent(shape: Shape, axis: number, extent: number): number[] {
  return shape.map((n, i) => (i === axis ? extent : n));
}

function requireTransformable(operation: string, x: Spec, axis: number): void {
  if (x.dtype !== "float32" && x.dtype !== "float64") {
    throw new DTypeError(`${operation}: dtype ${x.dtype}: it must be float32 or float64; cast first`);
  }
  if (x.shape[axis] === 0) {
    throw new ShapeError(
      `${operation}: axis ${axis} of ${formatShape(x.shape)} is empty; transform at least one point`,
    );
  }
}

function requirePair(operation: string, re: Spec, im: Spec): void {
  if (!sameShape(re.shape, im.shape)) {
    throw new ShapeError(
      `${operation}: real part ${formatShape(re.shape)} and imaginary part ${formatShape(im.shape)} must have one shape`,
    );
  }
  if (re.dtype !== im.dtype || (re.dtype !== "float32" && re.dtype !== "float64")) {
    throw new DTypeError(
      `${operation}: dtypes ${re.dtype} and ${im.dtype}: both must be float32 or both float64; cast first`,
    );
  }
}

/** Whether a host tensor is a broadcast zero, as the imaginary part of real input is. */
function isZero(x: Tensor): boolean {
  const { data, strides, offset } = x.storage as HostStorage;
  return data[offset] === 0 && strides.every((step, axis) => step === 0 || x.shape[axis] === 1);
}
