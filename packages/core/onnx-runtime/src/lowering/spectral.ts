import {
  add,
  bind,
  concatenate,
  div,
  flip,
  matmul,
  moveAxis,
  mul,
  neg,
  type PrimitiveParams,
  pad,
  primitives,
  slice,
  sub,
  type Tensor,
  tensor,
  zerosLike,
} from "@offprint/tensor-core";
import { composed } from "./composed.js";
import { isForGpu, type Lowering, lowerings } from "./lowering.js";

type FftParams = PrimitiveParams<"fft">;

type Parts = [re: Tensor, im: Tensor];

/** Up to this length, or on GPUs, a product with the matrix of roots is exact and fast enough. */
const MATRIX_UP_TO = 64;

const isPowerOfTwo = (n: number) => (n & (n - 1)) === 0;

/** Cosines and sines of `2 pi k / n` for integers k, reduced first. */
function roots(n: number, dtype: Tensor["dtype"], shape: readonly number[], multiple: (i: number) => number): Parts {
  const size = shape.reduce((a, b) => a * b, 1);
  const part = (f: (angle: number) => number) => {
    const values = Float64Array.from({ length: size }, (_, i) => f((2 * Math.PI * (multiple(i) % n)) / n));
    return tensor(values, { shape, dtype });
  };
  return [part(Math.cos), part(Math.sin)];
}

const times = ([a, b]: Parts, [c, d]: Parts): Parts => [sub(mul(a, c), mul(b, d)), add(mul(a, d), mul(b, c))];
const conjugate = ([a, b]: Parts): Parts => [a, neg(b)];

/** The transform along the last axis as a product with the matrix of roots. */
function byMatrix([re, im]: Parts, inverse: boolean): Parts {
  const n = re.shape[re.rank - 1];
  const [cosine, sine] = roots(n, re.dtype, [n, n], (i) => Math.floor(i / n) * (i % n));
  const [a, b, c, d] = [matmul(re, cosine), matmul(im, sine), matmul(im, cosine), matmul(re, sine)];
  return inverse ? [div(sub(a, b), n), div(add(c, d), n)] : [add(a, b), sub(c, d)];
}

/** Bluestein's algorithm: a transform of any length as a convolution, by transforms whose length is a power of two. */
function byConvolution(x: Parts, inverse: boolean): Parts {
  const { shape, dtype, rank } = x[0];
  const n = shape[rank - 1];
  const length = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const transform = (parts: Parts, backwards: boolean): Parts =>
    bind(primitives.fft, parts, { axis: parts[0].rank - 1, inverse: backwards }) as Parts;
  // The chirp e^(i pi k^2 / n), and the same laid round a circle.
  const chirp = roots(2 * n, dtype, [n], (k) => k * k);
  const around = roots(2 * n, "float64", [length], (k) => {
    const distance = Math.min(k, length - k);
    return distance < n ? distance * distance : 0;
  }).map((part) => {
    const inside = Float64Array.from({ length }, (_, k) => (Math.min(k, length - k) < n ? 1 : 0));
    return mul(part, tensor(inside));
  }) as Parts;
  const filter = transform(around, false).map((part) => tensor(part, { dtype })) as Parts;
  const turned = times(inverse ? conjugate(x) : x, conjugate(chirp));
  const widths = shape.map((_, axis): [number, number] => [0, axis === rank - 1 ? length - n : 0]);
  const spectrum = transform(turned.map((part) => pad(part, widths)) as Parts, false);
  const convolved = transform(times(spectrum, filter), true);
  const kept = convolved.map((part) => slice(part, [...shape.slice(1).map(() => null), { stop: n }])) as Parts;
  const result = times(kept, conjugate(chirp));
  return inverse ? (conjugate(result).map((part) => div(part, n)) as Parts) : result;
}

function alongLastAxis(f: (x: Parts, inverse: boolean) => Parts): Lowering<FftParams> {
  return composed((parts, { axis, inverse }) => {
    const moved = parts.map((x) => moveAxis(x, axis, -1)) as Parts;
    return f(moved, inverse).map((x) => moveAxis(x, -1, axis));
  });
}

const asMatrixProduct = alongLastAxis(byMatrix);
const asConvolution = alongLastAxis(byConvolution);

/** The operator DFT, which takes complex numbers as a last axis of two; a leading axis is its batch. */
const asOperator: Lowering<FftParams> = (c, { inputs: [re, im], outputs: [outRe, outIm], params }) => {
  const shape = re.shape;
  const parts = [re, im].map((v) => c.reshape(c.value(v), [...shape, 1]));
  const complex = c.emit("Concat", parts, { shape: [...shape, 2], type: re.dtype }, { axis: shape.length });
  const batched = c.reshape(complex, [1, ...shape, 2]);
  const out = c.emit(
    "DFT",
    [batched, null, c.graph.integer(params.axis + 1)],
    { shape: batched.shape, type: re.dtype },
    { inverse: params.inverse ? 1 : 0 },
  );
  [outRe, outIm].forEach((v, part) => {
    const picked = c.emit(
      "Gather",
      [out, c.graph.integer(part)],
      { shape: [1, ...shape], type: re.dtype },
      { axis: shape.length + 1 },
    );
    c.define(v, c.reshape(picked, shape));
  });
};

export const spectralLowerings = lowerings({
  // ONNX Runtime's transforms of lengths that are not powers of two keep only half of the digits.
  fft: (c, equation) => {
    const n = equation.inputs[0].shape[equation.params.axis];
    if (isPowerOfTwo(n) && !isForGpu(c)) asOperator(c, equation);
    else if (n <= MATRIX_UP_TO || isPowerOfTwo(n)) asMatrixProduct(c, equation);
    else asConvolution(c, equation);
  },
  rfft: composed<PrimitiveParams<"rfft">>(([x], { axis }) => {
    const parts = bind(primitives.fft, [x, zerosLike(x)], { axis, inverse: false });
    const index = [...leading(axis), { stop: Math.floor(x.shape[axis] / 2) + 1 }];
    return parts.map((part) => slice(part, index));
  }),
  irfft: composed<PrimitiveParams<"irfft">>(([re, im], { axis, n }) => {
    const [a, b] = [wholeSpectrum(re, axis, n), wholeSpectrum(mul(im, imaginaryTerms(im, axis, n)), axis, n, -1)];
    return [bind(primitives.fft, [a, b], { axis, inverse: true })[0]];
  }),
});

const leading = (axis: number) => new Array<null>(axis).fill(null);

/** All terms of the transform of n real numbers from its first half, of which the others are the conjugates. */
function wholeSpectrum(half: Tensor, axis: number, n: number, sign: 1 | -1 = 1): Tensor {
  const rest = n - half.shape[axis];
  if (rest === 0) return half;
  const mirrored = flip(slice(half, [...leading(axis), { start: 1, stop: 1 + rest }]), axis);
  return concatenate([half, sign === 1 ? mirrored : neg(mirrored)], axis);
}

/** 0 for the terms that are real whatever is given, else 1. */
function imaginaryTerms(x: Tensor, axis: number, n: number): Tensor {
  const values = Float64Array.from({ length: x.shape[axis] }, (_, k) => (k === 0 || 2 * k === n ? 0 : 1));
  return tensor(values, { shape: x.shape.map((_, i) => (i === axis ? values.length : 1)), dtype: x.dtype });
}
