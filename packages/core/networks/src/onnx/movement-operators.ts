import { tensor, UnsupportedError } from "@offprint/tensor-core";
import { FLOATS } from "./element-codes.js";
import type { Neuron, NeuronArray } from "./neurons.js";
import {
  constant,
  listAttribute,
  movable,
  moved,
  neuronAt,
  neurons,
  numberAttribute,
  numbers,
  type Operator,
  type OperatorContext,
  type OperatorInput,
  shapeInput,
} from "./operator.js";
import { pad } from "./pad.js";
import { resize } from "./resize.js";
import {
  axisOf,
  broadcastPlace,
  broadcastShapes,
  checkedAxis,
  countOf,
  eachIndex,
  reshapeTarget,
  stridesOf,
} from "./shapes.js";

// Movements only carry neurons to new places.

function slice(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const list = (k: number, name: string): readonly number[] | undefined =>
    inputs[k] === undefined ? listAttribute(context, name) : numbers(constant(inputs[k], context.where, name));
  const starts = list(1, "starts") ?? [];
  const ends = list(2, "ends") ?? [];
  const axes = list(3, "axes") ?? starts.map((_, k) => k);
  const steps = list(4, "steps") ?? starts.map(() => 1);
  const begin = x.shape.map(() => 0);
  const step = x.shape.map(() => 1);
  const shape = [...x.shape];
  for (const [k, given] of axes.entries()) {
    const axis = checkedAxis(given, x.shape.length, context.where);
    const n = x.shape[axis];
    const bound = (value: number, low: number, high: number): number =>
      Math.min(high, Math.max(low, value < 0 ? value + n : value));
    const forward = steps[k] > 0;
    begin[axis] = forward ? bound(starts[k], 0, n) : bound(starts[k], 0, n - 1);
    const end = forward ? bound(ends[k], 0, n) : ends[k] < -n ? -1 : bound(ends[k], -1, n - 1);
    step[axis] = steps[k];
    shape[axis] = Math.max(0, Math.ceil((end - begin[axis]) / steps[k]));
  }
  const strides = stridesOf(x.shape);
  return [
    moved(
      x,
      shape,
      (index) => index.reduce((place, i, a) => place + (begin[a] + i * step[a]) * strides[a], 0),
      context,
    ),
  ];
}

function split(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const axis = checkedAxis(numberAttribute(context, "axis", 0), x.shape.length, context.where);
  const parts = context.node.outputs.length;
  const given =
    inputs[1] === undefined ? listAttribute(context, "split") : numbers(constant(inputs[1], context.where, "split"));
  const even = Math.ceil(x.shape[axis] / parts);
  const sizes = given ?? Array.from({ length: parts }, (_, k) => Math.min(even, x.shape[axis] - k * even));
  const strides = stridesOf(x.shape);
  let start = 0;
  return sizes.map((size) => {
    const first = start;
    start += size;
    const shape = x.shape.map((n, a) => (a === axis ? size : n));
    const from = (index: readonly number[]) =>
      index.reduce((place, i, a) => place + (i + (a === axis ? first : 0)) * strides[a], 0);
    return moved(x, shape, from, context);
  });
}

function gather(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const indices = constant(inputs[1], context.where, "indices");
  const axis = checkedAxis(numberAttribute(context, "axis", 0), x.shape.length, context.where);
  const n = x.shape[axis];
  const places = numbers(indices).map((i) => axisOf(i, n));
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const strides = stridesOf(x.shape);
  const inner = stridesOf(indices.shape);
  const from = (index: readonly number[]): number => {
    let place = 0;
    for (let a = 0; a < axis; a++) place += index[a] * strides[a];
    const which = inner.reduce((at, step, k) => at + step * index[axis + k], 0);
    place += places[which] * strides[axis];
    for (let a = axis + 1; a < x.shape.length; a++) place += index[a - 1 + indices.shape.length] * strides[a];
    return place;
  };
  return [moved(x, shape, from, context)];
}

function concat(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const arrays = inputs.map((x) => movable(x, context));
  if (arrays.length === 0) throw new UnsupportedError(`${context.where} joins nothing`);
  const rank = arrays[0].shape.length;
  const axis = checkedAxis(numberAttribute(context, "axis", 0), rank, context.where);
  const sizes = arrays.map(({ shape }) => shape[axis]);
  const shape = arrays[0].shape.map((n, a) => (a === axis ? sizes.reduce((sum, size) => sum + size, 0) : n));
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    let which = 0;
    let offset = index[axis];
    while (offset >= sizes[which]) offset -= sizes[which++];
    const own = arrays[which];
    const strides = stridesOf(own.shape);
    const place = index.reduce((at, i, a) => at + (a === axis ? offset : i) * strides[a], 0);
    out.push(neuronAt(own, place, context.where));
  });
  return [{ shape, neurons: out }];
}

function transpose(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const order = listAttribute(context, "perm") ?? x.shape.map((_, k) => x.shape.length - 1 - k);
  if (order.length !== x.shape.length || x.shape.some((_, axis) => !order.includes(axis))) {
    throw new UnsupportedError(`${context.where}: "perm" is no order of the axes of [${x.shape}]`);
  }
  const strides = stridesOf(x.shape);
  const from = (index: readonly number[]) => order.reduce((place, a, k) => place + index[k] * strides[a], 0);
  return [
    moved(
      x,
      order.map((a) => x.shape[a]),
      from,
      context,
    ),
  ];
}

function expand(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const shape = broadcastShapes(x.shape, shapeInput(inputs[1], context), context.where);
  return [moved(x, shape, (index) => broadcastPlace(index, x.shape), context)];
}

function tile(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const repeats = shapeInput(inputs[1], context);
  if (repeats.length !== x.shape.length) {
    throw new UnsupportedError(`${context.where}: [${repeats}] does not fit a sample of shape [${x.shape}]`);
  }
  const strides = stridesOf(x.shape);
  const shape = x.shape.map((n, a) => n * repeats[a]);
  return [moved(x, shape, (index) => index.reduce((place, i, a) => place + (i % x.shape[a]) * strides[a], 0), context)];
}

/** Takes each place from one of two arrays, as a constant says. */
function where(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const condition = constant(inputs[0], context.where, "the condition");
  const [a, b] = inputs.slice(1).map((x) => movable(x, context));
  const shape = [b.shape, condition.shape].reduce((all, own) => broadcastShapes(all, own, context.where), a.shape);
  const holds = condition.data();
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    const own = holds[broadcastPlace(index, condition.shape)] ? a : b;
    out.push(neuronAt(own, broadcastPlace(index, own.shape), context.where));
  });
  return [{ shape, neurons: out }];
}

/** Channels that hold the pixels of blocks, and the other way. */
function blocks(inputs: readonly OperatorInput[], context: OperatorContext): OperatorInput[] {
  const x = neurons(inputs[0], context);
  const deep = context.node.operator === "DepthToSpace";
  const size = numberAttribute(context, "blocksize", 0);
  const [batch, channels, height, width] = x.shape;
  const shape = deep
    ? [batch, channels / size ** 2, height * size, width * size]
    : [batch, channels * size ** 2, height / size, width / size];
  if (x.shape.length !== 4 || size < 1 || !shape.every(Number.isSafeInteger)) {
    throw new UnsupportedError(`${context.where}: blocks of ${size} do not fit a sample of shape [${x.shape}]`);
  }
  // The side with fewer channels has larger images.
  const few = deep ? shape[1] : channels;
  const columnsFirst = context.node.attributes.mode === "CRD";
  const strides = stridesOf(x.shape);
  const from = ([n, c, i, j]: readonly number[]): number => {
    const within = (i % size) * size + (j % size);
    const place = deep
      ? [n, columnsFirst ? c * size ** 2 + within : within * few + c, Math.floor(i / size), Math.floor(j / size)]
      : [n, c % few, i * size + Math.floor(Math.floor(c / few) / size), j * size + (Math.floor(c / few) % size)];
    return place.reduce((sum, p, a) => sum + p * strides[a], 0);
  };
  return [moved(x, shape, from, context)];
}

const reshaped = (x: NeuronArray, shape: readonly number[]): NeuronArray[] => [{ shape, neurons: x.neurons }];

function axesInput(inputs: readonly OperatorInput[], context: OperatorContext): readonly number[] | undefined {
  return inputs[1] === undefined ? listAttribute(context, "axes") : numbers(constant(inputs[1], context.where, "axes"));
}

const same: Operator = ([x]) => [x];

/** Between floating-point numbers; whole ones would be steps. */
const cast: Operator = ([x], { node, where }) => {
  if (!FLOATS.includes(node.attributes.to)) {
    throw new UnsupportedError(`${where} rounds a computed value, which is not continuous`);
  }
  return [x];
};

const dropout: Operator = ([x, , training], { where }) => {
  if (training !== undefined && numbers(constant(training, where, "training_mode"))[0] !== 0) {
    throw new UnsupportedError(`${where} is random; export the network for evaluation`);
  }
  return [x];
};

const onlyConstants: Operator = (_, { where }) => {
  throw new UnsupportedError(`${where} is only read of constants`);
};

/** Operators that move, name and copy. */
export const movementOperators: Readonly<Record<string, Operator>> = {
  Shape: ([x], context) => {
    if (x === undefined) throw new UnsupportedError(`${context.where} has no input`);
    const own = x.shape.slice(numberAttribute(context, "start", 0), numberAttribute(context, "end", x.shape.length));
    return [tensor(Int32Array.from(own))];
  },
  Identity: same,
  Dropout: dropout,
  Cast: cast,
  Equal: onlyConstants,
  ConstantOfShape: onlyConstants,
  Flatten: ([x], context) => {
    const own = neurons(x, context);
    const axis = axisOf(numberAttribute(context, "axis", 1), own.shape.length);
    return reshaped(own, [countOf(own.shape.slice(0, axis)), countOf(own.shape.slice(axis))]);
  },
  Reshape: ([x, target], context) => {
    const own = neurons(x, context);
    const wanted = numbers(constant(target, context.where, "the shape"));
    return reshaped(
      own,
      reshapeTarget(own.shape, wanted, context.where, numberAttribute(context, "allowzero", 0) === 1),
    );
  },
  Squeeze: (inputs, context) => {
    const x = neurons(inputs[0], context);
    const axes = axesInput(inputs, context)?.map((axis) => axisOf(axis, x.shape.length));
    return reshaped(
      x,
      x.shape.filter((n, a) => (axes === undefined ? n !== 1 : !axes.includes(a))),
    );
  },
  Unsqueeze: (inputs, context) => {
    const x = neurons(inputs[0], context);
    const given = axesInput(inputs, context) ?? [];
    const axes = given.map((axis) => axisOf(axis, x.shape.length + given.length)).sort((a, b) => a - b);
    const shape = [...x.shape];
    for (const axis of axes) shape.splice(axis, 0, 1);
    return reshaped(x, shape);
  },
  Transpose: transpose,
  Slice: slice,
  Split: split,
  Gather: gather,
  Concat: concat,
  Expand: expand,
  Tile: tile,
  Where: where,
  DepthToSpace: blocks,
  SpaceToDepth: blocks,
  Pad: pad,
  Resize: resize,
  Upsample: resize,
};
