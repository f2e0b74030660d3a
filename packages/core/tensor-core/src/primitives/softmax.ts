import { allocateUnwritten, isFloat, type TypedArray } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { div, exp, log, mul, sub } from "../ops/elementwise.js";
import { max, sum } from "../ops/reduction.js";
import { bindOne, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { formatShape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";

/** The axis that is normalised. */
export interface AxisParams {
  readonly axis: number;
}

function checked(name: string, x: Spec, axis: number): Spec[] {
  if (!isFloat(x.dtype))
    throw new DTypeError(`${name}: dtype ${x.dtype} is not supported; cast to float32 or float64 first`);
  if (x.shape[axis] === 0) throw new ShapeError(`${name}: axis ${axis} of ${formatShape(x.shape)} is empty`);
  return [{ shape: x.shape, dtype: x.dtype }];
}

/** Writes one line of `n` values, `inner` apart. */
type Line = (x: TypedArray, out: TypedArray, start: number, n: number, inner: number) => void;

function alongLines(x: Tensor, axis: number, line: Line): Tensor {
  const data = contiguousData(x);
  const out = allocateUnwritten(x.dtype, data.length);
  const n = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  for (let start = 0; start < data.length; start += n * inner) {
    for (let i = 0; i < inner; i++) line(data, out, start + i, n, inner);
  }
  return hostTensor(out, x.shape, x.dtype);
}

function peakOf(x: TypedArray, start: number, n: number, inner: number): number {
  let peak = x[start];
  for (let k = 1, p = start + inner; k < n; k++, p += inner) if (x[p] > peak) peak = x[p];
  return peak;
}

function softmaxLine(x: TypedArray, out: TypedArray, start: number, n: number, inner: number): void {
  const peak = peakOf(x, start, n, inner);
  let total = 0;
  for (let k = 0, p = start; k < n; k++, p += inner) {
    const e = Math.exp(x[p] - peak);
    out[p] = e;
    total += e;
  }
  for (let k = 0, p = start; k < n; k++, p += inner) out[p] /= total;
}

function logSoftmaxLine(x: TypedArray, out: TypedArray, start: number, n: number, inner: number): void {
  const peak = peakOf(x, start, n, inner);
  let total = 0;
  for (let k = 0, p = start; k < n; k++, p += inner) total += Math.exp(x[p] - peak);
  const shift = Math.log(total);
  for (let k = 0, p = start; k < n; k++, p += inner) out[p] = x[p] - peak - shift;
}

/** `e^x / sum(e^x)` along an axis. */
export const softmaxP: Primitive<AxisParams> = definePrimitive<AxisParams>({
  name: "softmax",
  outputs: ([x], { axis }) => checked("softmax", x, axis),
  host: ([x], { axis }) => [alongLines(x, axis, softmaxLine)],
  vjp: ([g], { outputs: [y], params: { axis } }) => [
    () => {
      const weighted = mul(g, y);
      return sub(weighted, mul(y, sum(weighted, { axis, keepDims: true })));
    },
  ],
  batch: ([x], _, { axis }) => [bindOne(softmaxP, [x], { axis: axis + 1 })],
  expand([x], { axis }) {
    const e = exp(sub(x, max(x, { axis, keepDims: true })));
    return [div(e, sum(e, { axis, keepDims: true }))];
  },
});

/** `ln(softmax(x))` along an axis. */
export const logSoftmaxP: Primitive<AxisParams> = definePrimitive<AxisParams>({
  name: "logSoftmax",
  outputs: ([x], { axis }) => checked("logSoftmax", x, axis),
  host: ([x], { axis }) => [alongLines(x, axis, logSoftmaxLine)],
  vjp: ([g], { outputs: [y], params: { axis } }) => [() => sub(g, mul(exp(y), sum(g, { axis, keepDims: true })))],
  batch: ([x], _, { axis }) => [bindOne(logSoftmaxP, [x], { axis: axis + 1 })],
  expand([x], { axis }) {
    const shifted = sub(x, max(x, { axis, keepDims: true }));
    return [sub(shifted, log(sum(exp(shifted), { axis, keepDims: true })))];
  },
});
