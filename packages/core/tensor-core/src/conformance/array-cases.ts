import { type Primitive, primitives as p } from "../index.js";
import type { PrimitiveCase } from "./primitive-case.js";
import { booleans, distinct, type InputSpec, integers, uniform } from "./sampling.js";

const one = (primitive: Primitive, params: unknown, ...inputs: InputSpec[]): PrimitiveCase => ({
  primitive,
  params,
  inputs,
});

function reductions(primitive: Primitive, draw: (shape: readonly number[]) => InputSpec, emptyToo: boolean) {
  const shapes: [number[], number[]][] = [
    [[2, 3, 4], [1]],
    [[2, 3, 4], [2]],
    [
      [2, 3, 4],
      [0, 2],
    ],
    [
      [2, 3],
      [0, 1],
    ],
    [[1], [0]],
    [[3, 0], [0]],
    ...(emptyToo ? ([[[3, 0, 2], [1]]] as [number[], number[]][]) : []),
  ];
  return shapes.map(([shape, axes]) => one(primitive, { axes }, draw(shape)));
}

const reductionCases: PrimitiveCase[] = [
  ...reductions(p.sum, uniform, true),
  ...reductions(p.sum, (shape) => integers(shape, -5, 6), true),
  ...reductions(p.prod, uniform, true),
  ...reductions(p.max, distinct, false),
  ...reductions(p.min, distinct, false),
  ...reductions(p.max, booleans, false),
  ...[p.argMax, p.argMin].flatMap((primitive) =>
    [0, 1].map((axis) => one(primitive, { axis }, integers([4, 3], 0, 3, "float64"))),
  ),
  one(p.argMax, { axis: 0 }, uniform([2, 0])),
  ...[p.softmax, p.logSoftmax].flatMap((primitive) => [
    one(primitive, { axis: 1 }, uniform([2, 3])),
    one(primitive, { axis: 0 }, uniform([3, 2, 2])),
    one(primitive, { axis: 0 }, uniform([1])),
    one(primitive, { axis: 1 }, uniform([0, 2])),
    one(primitive, { axis: 1 }, uniform([3, 150])),
  ]),
  one(p.cumSum, { axis: 0 }, uniform([3, 2])),
  one(p.cumSum, { axis: 1 }, uniform([3, 4])),
  one(p.cumSum, { axis: 1 }, integers([2, 4], -3, 4)),
  one(p.cumSum, { axis: 1 }, uniform([2, 0])),
];

const movementCases: PrimitiveCase[] = [
  one(p.reshape, { shape: [3, 2] }, uniform([2, 3])),
  one(p.reshape, { shape: [] }, uniform([1])),
  one(p.reshape, { shape: [0, 5] }, uniform([2, 0])),
  one(p.reshape, { shape: [4] }, booleans([2, 2])),
  one(p.transpose, { permutation: [2, 0, 1] }, uniform([2, 3, 4])),
  one(p.transpose, { permutation: [1, 0] }, uniform([0, 3])),
  one(p.broadcastTo, { shape: [2, 3, 4] }, uniform([3, 1])),
  one(p.broadcastTo, { shape: [2, 2] }, uniform([])),
  one(p.broadcastTo, { shape: [0, 3] }, uniform([1, 3])),
  one(p.broadcastTo, { shape: [3, 1] }, uniform([1])),
  one(p.slice, { starts: [0, 3], counts: [2, 2], steps: [1, -2] }, uniform([2, 4])),
  one(p.slice, { starts: [1, 0], counts: [2, 3], steps: [2, 1] }, uniform([5, 3])),
  one(p.slice, { starts: [0, 1], counts: [2, 0], steps: [1, 1] }, uniform([2, 3])),
  one(p.pad, { low: [1, 0], high: [0, 2], interior: [0, 0], value: 0 }, uniform([2, 3])),
  one(p.pad, { low: [0, 2], high: [1, 1], interior: [1, 2], value: 1.5 }, uniform([2, 3])),
  one(p.pad, { low: [-1, 1], high: [1, -1], interior: [0, 0], value: 0 }, uniform([3, 3])),
  one(p.pad, { low: [-1, -2], high: [-1, 0], interior: [1, 2], value: 2 }, uniform([3, 3])),
  one(p.pad, { low: [1], high: [1], interior: [1], value: 3 }, uniform([0])),
  one(p.pad, { low: [1], high: [1], interior: [0], value: 3 }, integers([2], 0, 5)),
  one(p.concatenate, { axis: 1 }, uniform([2, 3]), uniform([2, 1]), uniform([2, 0])),
  one(p.concatenate, { axis: 0 }, integers([2], 0, 5), integers([1], 0, 5)),
];

const indexingCases: PrimitiveCase[] = [
  one(p.take, { axis: 0 }, uniform([4, 3]), integers([5], 0, 4)),
  one(p.take, { axis: 1 }, uniform([2, 4, 3]), integers([2, 3], 0, 4)),
  one(p.take, { axis: 0 }, uniform([4]), integers([], 0, 4)),
  one(p.take, { axis: 0 }, uniform([4, 2]), integers([0], 0, 4)),
  one(p.takeAlongAxis, { axis: 1 }, uniform([2, 4]), integers([2, 3], 0, 4)),
  one(p.takeAlongAxis, { axis: 0 }, uniform([3, 2]), integers([1, 2], 0, 3)),
  one(p.scatterAdd, { axis: 0 }, uniform([4, 2]), integers([5], 0, 4), uniform([5, 2])),
  one(p.scatterAdd, { axis: 1 }, uniform([2, 4]), integers([3], 0, 4), uniform([2, 3])),
  one(p.scatterAdd, { axis: 0 }, uniform([4]), integers([0], 0, 4), uniform([0])),
  one(p.scatterSet, { axis: 0 }, uniform([4, 2]), integers([5], 0, 4), uniform([5, 2])),
  one(p.scatterSet, { axis: 1 }, uniform([2, 4, 20]), integers([1, 2], 0, 4), uniform([2, 1, 2, 20])),
  one(p.scatterSet, { axis: 0 }, uniform([4]), integers([0], 0, 4), uniform([0])),
  one(p.scatterMax, { axis: 0 }, distinct([3, 2]), integers([4], 0, 3), uniform([4, 2], -0.09, 0.09)),
  ...[1, 3, 6, 40, 150].map((width) =>
    one(
      p.scatterProduct,
      { rows: 3 },
      uniform([5, width]),
      uniform([4, width]),
      integers([5], 0, 3),
      integers([5], 0, 4),
    ),
  ),
  one(p.scatterProduct, { rows: 2 }, uniform([0, 3]), uniform([4, 3]), integers([0], 0, 2), integers([0], 0, 4)),
  one(p.scatterAddAlongAxis, { axis: 1 }, uniform([2, 4]), integers([2, 3], 0, 4), uniform([2, 3])),
  one(p.unwritten, { shape: [0, 3] }, uniform([])),
  one(p.topKIndices, { k: 2, axis: 1, largest: true }, distinct([2, 5])),
  one(p.topKIndices, { k: 3, axis: 0, largest: false }, integers([3, 2], 0, 2, "float64")),
];

const fftCases: PrimitiveCase[] = [1, 5, 7, 8].flatMap((n) => {
  const half = Math.floor(n / 2) + 1;
  return [
    one(p.fft, { axis: 1, inverse: false }, uniform([2, n]), uniform([2, n])),
    one(p.fft, { axis: 0, inverse: true }, uniform([n]), uniform([n])),
    one(p.rfft, { axis: 1 }, uniform([3, n])),
    one(p.rfft, { axis: 0 }, uniform([n, 2])),
    one(p.irfft, { axis: 1, n }, uniform([3, half]), uniform([3, half])),
    one(p.irfft, { axis: 0, n }, uniform([half]), uniform([half])),
  ];
});

const matmulCases: PrimitiveCase[] = [
  one(p.matmul, null, uniform([2, 3]), uniform([3, 4])),
  one(p.matmul, null, uniform([2, 2, 3]), uniform([2, 3, 1])),
  one(p.matmul, null, uniform([1, 1]), uniform([1, 1])),
  one(p.matmul, null, uniform([17, 20]), uniform([20, 19])),
  one(p.matmul, null, uniform([2, 14, 15]), uniform([2, 15, 13])),
  one(p.matmul, null, uniform([2, 0]), uniform([0, 3])),
  one(p.matmul, null, uniform([0, 2]), uniform([2, 3])),
];

const line = { strides: [2], padding: [[1, 0]], dilation: [1], groups: 1 };
const grouped = { strides: [1], padding: [[0, 0]], dilation: [2], groups: 2 };
const plane = {
  strides: [1, 2],
  padding: [
    [1, 1],
    [0, 1],
  ],
  dilation: [1, 1],
  groups: 1,
};
const volume = {
  strides: [1, 1, 1],
  padding: [
    [0, 0],
    [0, 0],
    [0, 1],
  ],
  dilation: [1, 1, 1],
  groups: 1,
};

/** A convolution with its two gradients: parameters, then the shapes of input, kernel and result. */
function convolutions(params: object, x: number[], w: number[], y: number[]): PrimitiveCase[] {
  return [
    one(p.conv, params, uniform(x), uniform(w)),
    one(p.convInputGrad, { ...params, inputSpatial: x.slice(2) }, uniform(y), uniform(w)),
    one(p.convKernelGrad, { ...params, kernelSpatial: w.slice(2) }, uniform(x), uniform(y)),
  ];
}

const convolutionCases: PrimitiveCase[] = [
  ...convolutions(line, [2, 2, 5], [3, 2, 3], [2, 3, 2]),
  ...convolutions(grouped, [1, 4, 6], [2, 2, 3], [1, 2, 2]),
  ...convolutions(plane, [2, 1, 3, 4], [2, 1, 2, 2], [2, 2, 4, 2]),
  ...convolutions(volume, [1, 2, 2, 3, 2], [1, 2, 2, 2, 2], [1, 1, 1, 2, 2]),
  ...convolutions(line, [0, 2, 5], [3, 2, 3], [0, 3, 2]),
  ...convolutions(line, [1, 1, 1], [1, 1, 1], [1, 1, 1]),
  one(p.maxPool, { kernel: [2], strides: [2], padding: [[0, 0]], dilation: [1] }, distinct([2, 1, 4])),
  one(
    p.maxPool,
    {
      kernel: [2, 3],
      strides: [1, 2],
      padding: [
        [1, 0],
        [1, 1],
      ],
      dilation: [1, 1],
    },
    distinct([1, 2, 3, 4]),
  ),
  one(p.maxPool, { kernel: [2], strides: [1], padding: [[0, 0]], dilation: [2] }, distinct([0, 1, 4])),
];

/** Cases of reductions, movement, indexing, sorting, products, transforms and convolutions. */
export const arrayCases: readonly PrimitiveCase[] = [
  ...reductionCases,
  ...movementCases,
  ...indexingCases,
  ...fftCases,
  ...matmulCases,
  ...convolutionCases,
];
