import { tensor, UnsupportedError } from "@offprint/tensor-core";
import { asNeurons, type Neuron } from "./neurons.js";
import { constant, listAttribute, neuronAt, neurons, numberAttribute, numbers, type Operator } from "./operator.js";
import { checkedAxis, eachIndex, stridesOf } from "./shapes.js";

/** Where a position outside an axis of length n reads, or nothing for the constant. */
const modes: Readonly<Record<string, (position: number, n: number) => number | undefined>> = {
  constant: () => undefined,
  edge: (position, n) => (position < 0 ? 0 : n - 1),
  reflect: (position, n) => (position < 0 ? -position : 2 * (n - 1) - position),
  wrap: (position, n) => ((position % n) + n) % n,
};

/** More places at the ends of axes, or fewer: amounts are an input with axes, in old files attributes. */
export const pad: Operator = (inputs, context) => {
  const { node, where } = context;
  const x = neurons(inputs[0], context);
  const list = (k: number, name: string) =>
    inputs[k] === undefined ? listAttribute(context, name) : numbers(constant(inputs[k], where, name));
  const axes = (list(3, "axes") ?? x.shape.map((_, a) => a)).map((axis) => checkedAxis(axis, x.shape.length, where));
  const pads = list(1, "pads") ?? [];
  const mode = String(node.attributes.mode ?? "constant");
  if (pads.length !== 2 * axes.length || !pads.every(Number.isSafeInteger) || !Object.hasOwn(modes, mode)) {
    throw new UnsupportedError(`${where}: pads [${pads}] of mode "${mode}" do not fit a sample of shape [${x.shape}]`);
  }
  const before = x.shape.map(() => 0);
  const shape = [...x.shape];
  for (const [k, axis] of axes.entries()) {
    const [first, last] = [pads[k], pads[k + axes.length]];
    const most = mode === "reflect" ? x.shape[axis] - 1 : Infinity;
    if (mode !== "constant" && (Math.min(first, last) < 0 || Math.max(first, last) > most)) {
      throw new UnsupportedError(
        `${where}: [${first}, ${last}] places are not padded by "${mode}" to ${x.shape[axis]}`,
      );
    }
    before[axis] = first;
    shape[axis] = Math.max(0, shape[axis] + first + last);
  }
  const value =
    inputs[2] === undefined
      ? numberAttribute(context, "value", 0)
      : numbers(constant(inputs[2], where, "its value"))[0];
  const [fill] = asNeurons(tensor(value ?? 0, { dtype: "float64" }), context.stack).neurons;
  const strides = stridesOf(x.shape);
  const out: Neuron[] = [];
  eachIndex(shape, (index) => {
    let place: number | undefined = 0;
    for (const [a, n] of x.shape.entries()) {
      const position = index[a] - before[a];
      const own = position >= 0 && position < n ? position : modes[mode](position, n);
      if (own === undefined) place = undefined;
      else if (place !== undefined) place += own * strides[a];
    }
    out.push(place === undefined ? fill : neuronAt(x, place, where));
  });
  return [{ shape, neurons: out }];
};
