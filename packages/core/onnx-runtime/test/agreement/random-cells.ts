import { bind, type DType, type Primitive, primitives as p, type Tensor } from "@offprint/tensor-core";
import { Source } from "@offprint/tensor-core/conformance";
import type { FloatType, PrimitiveCell } from "./cells.js";
import { drawn, dressed, laidOut, randomShape } from "./operands.js";

/** Draws the parameters and operands of one call of a primitive. */
type Draw = (
  source: Source,
  dtype: FloatType,
) => { readonly primitive: Primitive<any>; readonly params: unknown; readonly inputs: readonly Tensor[] };

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function floatsOf(source: Source, shape: readonly number[], dtype: DType): Tensor {
  return drawn(
    Array.from({ length: sizeOf(shape) }, () => source.uniform(-2, 2)),
    shape,
    dtype,
  );
}

function integersOf(
  source: Source,
  shape: readonly number[],
  low: number,
  high: number,
  dtype: DType = "int32",
): Tensor {
  return drawn(
    Array.from({ length: sizeOf(shape) }, () => source.integer(low, high)),
    shape,
    dtype,
  );
}

/** Numbers of any of the element types that a primitive takes. */
function numbersOf(source: Source, shape: readonly number[], dtype: FloatType, takes: readonly string[]): Tensor {
  const type = source.pick(takes);
  if (type === "float") return floatsOf(source, shape, dtype);
  return type === "bool" ? integersOf(source, shape, 0, 2, "bool") : integersOf(source, shape, -9, 10);
}

const ANY = ["float", "float", "int32", "bool"];
const NUMBERS = ["float", "float", "int32"];

/** A shape of rank 1 to 4. */
function lined(source: Source, lowest = 0): number[] {
  for (;;) {
    const shape = randomShape(source);
    if (shape.length > 0 && shape.every((n) => n >= lowest)) return shape;
  }
}

function reducing(primitive: Primitive<any>, takes: readonly string[]): Draw {
  return (source, dtype) => {
    const shape = randomShape(source);
    const axes = shape.map((_, axis) => axis).filter(() => source.next() < 0.5);
    return { primitive, params: { axes }, inputs: [numbersOf(source, shape, dtype, takes)] };
  };
}

function alongAxis(primitive: Primitive<any>, takes: readonly string[]): Draw {
  return (source, dtype) => {
    const shape = lined(source, 1);
    return {
      primitive,
      params: { axis: source.integer(0, shape.length) },
      inputs: [numbersOf(source, shape, dtype, takes)],
    };
  };
}

const moving: Draw[] = [
  (source, dtype) => {
    const shape = lined(source);
    const target = source.shuffle([...shape, ...(source.next() < 0.5 ? [1] : [])]);
    return { primitive: p.reshape, params: { shape: target }, inputs: [numbersOf(source, shape, dtype, ANY)] };
  },
  (source, dtype) => {
    const shape = randomShape(source);
    const permutation = source.shuffle(shape.map((_, axis) => axis));
    return { primitive: p.transpose, params: { permutation }, inputs: [numbersOf(source, shape, dtype, ANY)] };
  },
  (source, dtype) => {
    const shape = lined(source, 1).map((n) => n + 2);
    const starts = shape.map((n) => source.integer(0, n));
    const steps = shape.map(() => source.pick([1, 1, 2, -1, -2]));
    const counts = shape.map((n, i) => {
      const most = steps[i] > 0 ? Math.ceil((n - starts[i]) / steps[i]) : Math.floor(starts[i] / -steps[i]) + 1;
      return source.integer(source.next() < 0.1 ? 0 : 1, most + 1);
    });
    return { primitive: p.slice, params: { starts, counts, steps }, inputs: [numbersOf(source, shape, dtype, ANY)] };
  },
  (source, dtype) => {
    const shape = lined(source);
    const interior = shape.map(() => source.pick([0, 0, 1, 2]));
    const low = shape.map(() => source.pick([0, 0, 1, 2, -1]));
    const high = shape.map((n, i) => {
      const high = source.pick([0, 0, 1, 3, -1]);
      return n + Math.max(0, n - 1) * interior[i] + low[i] + high < 0 ? 2 : high;
    });
    const inputs = [numbersOf(source, shape, dtype, ANY)];
    const value = inputs[0].dtype === "bool" ? source.integer(0, 2) : source.pick([0, 3]);
    return { primitive: p.pad, params: { low, high, interior, value }, inputs };
  },
  (source, dtype) => {
    const shape = lined(source);
    const axis = source.integer(0, shape.length);
    const takes = [source.pick(ANY)];
    const part = () =>
      numbersOf(
        source,
        shape.map((n, i) => (i === axis ? source.integer(0, 4) : n)),
        dtype,
        takes,
      );
    return { primitive: p.concatenate, params: { axis }, inputs: Array.from({ length: source.integer(1, 5) }, part) };
  },
];

function indexed(indices: readonly number[], shape: readonly number[], axis: number): number[] {
  return [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)];
}

const indexing: Draw[] = [
  (source, dtype) => {
    const shape = lined(source, 1);
    const axis = source.integer(0, shape.length);
    const indices = integersOf(source, randomShape(source, 2), 0, shape[axis]);
    return { primitive: p.take, params: { axis }, inputs: [numbersOf(source, shape, dtype, ANY), indices] };
  },
  ...[p.scatterAdd, p.scatterMax].map(
    (primitive): Draw =>
      (source, dtype) => {
        const shape = lined(source, 1);
        const axis = source.integer(0, shape.length);
        const indices = integersOf(source, randomShape(source, 2), 0, shape[axis]);
        const takes = [source.pick(NUMBERS)];
        const updates = numbersOf(source, indexed(indices.shape, shape, axis), dtype, takes);
        return { primitive, params: { axis }, inputs: [numbersOf(source, shape, dtype, takes), indices, updates] };
      },
  ),
  (source, dtype) => {
    const shape = lined(source, 1);
    const axis = source.integer(0, shape.length);
    const chosen = shape.map((n, i) => (i === axis ? source.integer(0, 4) : n));
    const indices = integersOf(source, chosen, 0, shape[axis]);
    return { primitive: p.takeAlongAxis, params: { axis }, inputs: [numbersOf(source, shape, dtype, ANY), indices] };
  },
  (source, dtype) => {
    const shape = lined(source, 1);
    const axis = source.integer(0, shape.length);
    const chosen = shape.map((n, i) => (i === axis ? source.integer(0, 4) : n));
    const takes = [source.pick(NUMBERS)];
    const inputs = [
      numbersOf(source, shape, dtype, takes),
      integersOf(source, chosen, 0, shape[axis]),
      numbersOf(source, chosen, dtype, takes),
    ];
    return { primitive: p.scatterAddAlongAxis, params: { axis }, inputs };
  },
  (source, dtype) => {
    const shape = lined(source, 1);
    const axis = source.integer(0, shape.length);
    shape[axis] += 3;
    const params = { axis, k: source.integer(0, shape[axis] + 1), largest: source.next() < 0.5 };
    return { primitive: p.topKIndices, params, inputs: [numbersOf(source, shape, dtype, NUMBERS)] };
  },
];

const products: Draw[] = [
  (source, dtype) => {
    const lead = randomShape(source, 2);
    const [m, k, n] = Array.from({ length: 3 }, () => source.integer(0, 5));
    return {
      primitive: p.matmul,
      params: null,
      inputs: [floatsOf(source, [...lead, m, k], dtype), floatsOf(source, [...lead, k, n], dtype)],
    };
  },
  (source, dtype) => {
    const shape = lined(source, 1);
    const axis = source.integer(0, shape.length);
    shape[axis] = source.pick([1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 30, 37, 64, 65, 100]);
    const params = { axis, inverse: source.next() < 0.5 };
    return { primitive: p.fft, params, inputs: [floatsOf(source, shape, dtype), floatsOf(source, shape, dtype)] };
  },
  (source, dtype) => {
    const shape = lined(source, 1);
    const axis = source.integer(0, shape.length);
    const n = source.pick([1, 2, 3, 5, 8, 12, 37, 64]);
    if (source.next() < 0.5) {
      const real = shape.map((extent, i) => (i === axis ? n : extent));
      return { primitive: p.rfft, params: { axis }, inputs: [floatsOf(source, real, dtype)] };
    }
    const half = shape.map((extent, i) => (i === axis ? Math.floor(n / 2) + 1 : extent));
    const inputs = [floatsOf(source, half, dtype), floatsOf(source, half, dtype)];
    return { primitive: p.irfft, params: { axis, n }, inputs };
  },
];

/** Input, kernel and result of a convolution that fits, with its parameters. */
function convolution(source: Source) {
  const axes = source.integer(1, 4);
  const each = <T>(draw: () => T) => Array.from({ length: axes }, draw);
  for (;;) {
    const groups = source.pick([1, 1, 2]);
    const strides = each(() => source.pick([1, 1, 2, 3]));
    const dilation = each(() => source.pick([1, 1, 2]));
    const padding = each((): [number, number] => [source.pick([0, 0, 1, 2, -1]), source.pick([0, 1, -1])]);
    const spatial = each(() => source.integer(1, 7));
    const kernel = each(() => source.integer(1, 4));
    const out = spatial.map(
      (n, i) => Math.floor((n + padding[i][0] + padding[i][1] - dilation[i] * (kernel[i] - 1) - 1) / strides[i]) + 1,
    );
    if (
      out.some((n) => n < 1) ||
      spatial.some((n, i) => n + Math.min(0, padding[i][0]) + Math.min(0, padding[i][1]) < 1)
    )
      continue;
    const x = [source.integer(1, 3), groups * source.integer(1, 3), ...spatial];
    const w = [groups * source.integer(1, 3), x[1] / groups, ...kernel];
    return { params: { strides, padding, dilation, groups }, x, w, y: [x[0], w[0], ...out] };
  }
}

const convolving: Draw[] = [
  (source, dtype) => {
    const { params, x, w } = convolution(source);
    return { primitive: p.conv, params, inputs: [floatsOf(source, x, dtype), floatsOf(source, w, dtype)] };
  },
  (source, dtype) => {
    const { params, x, w, y } = convolution(source);
    const all = { ...params, inputSpatial: x.slice(2) };
    return {
      primitive: p.convInputGrad,
      params: all,
      inputs: [floatsOf(source, y, dtype), floatsOf(source, w, dtype)],
    };
  },
  (source, dtype) => {
    const { params, x, w, y } = convolution(source);
    const all = { ...params, kernelSpatial: w.slice(2) };
    return {
      primitive: p.convKernelGrad,
      params: all,
      inputs: [floatsOf(source, x, dtype), floatsOf(source, y, dtype)],
    };
  },
  (source, dtype) => {
    const axes = source.integer(1, 4);
    const kernel = Array.from({ length: axes }, () => source.integer(1, 4));
    const dilation = kernel.map(() => source.pick([1, 1, 2]));
    const params = {
      kernel,
      dilation,
      strides: kernel.map(() => source.integer(1, 4)),
      // Less than the kernel, so that no window sees padding only.
      padding: kernel.map((k, i): [number, number] =>
        k > 1 && dilation[i] === 1 ? [source.integer(0, k), 0] : [0, 0],
      ),
    };
    const spatial = kernel.map((k, i) => dilation[i] * (k - 1) + source.integer(1, 5));
    const shape = [source.integer(1, 3), source.integer(1, 3), ...spatial];
    return { primitive: p.maxPool, params, inputs: [floatsOf(source, shape, dtype)] };
  },
];

const DRAWS: readonly Draw[] = [
  reducing(p.sum, NUMBERS),
  reducing(p.prod, NUMBERS),
  reducing(p.max, ANY),
  reducing(p.min, ANY),
  ...[p.argMax, p.argMin].map((primitive) => alongAxis(primitive, ANY)),
  alongAxis(p.cumSum, NUMBERS),
  alongAxis(p.softmax, ["float"]),
  alongAxis(p.logSoftmax, ["float"]),
  ...moving,
  ...indexing,
  ...products,
  ...convolving,
];

/** Primitives other than elementwise ones, with parameters, shapes, types and layouts drawn at random. */
export function randomCells(dtype: FloatType, seed: number, perKind: number): PrimitiveCell[] {
  const source = new Source(seed);
  return DRAWS.flatMap((draw) =>
    Array.from({ length: perKind }, () => {
      const { primitive, params, inputs } = draw(source, dtype);
      const operands = inputs.map((x) => dressed(x, source));
      const given = operands.map((operand) => laidOut(operand.given, source));
      return {
        primitive: primitive.name,
        label: `${primitive.name} ${JSON.stringify(params)} of ${inputs.map((x) => `${x.dtype}[${x.shape}]`).join(", ")}`,
        inputs: given,
        f: (...xs: Tensor[]) =>
          bind(
            primitive,
            xs.map((x, i) => operands[i].use(x)),
            params,
          ),
        tolerance: { float32: { relative: 1e-5, absolute: 1e-5 }, float64: { relative: 1e-12, absolute: 1e-12 } },
      };
    }),
  );
}
