import { type Tensor, tensor, UnsupportedError } from "@offprint/tensor-core";
import { BOOL, FLOATS, INTEGERS } from "./element-codes.js";
import { asNeurons, type NeuronArray } from "./neurons.js";
import {
  constant,
  isNeurons,
  type Operator,
  type OperatorContext,
  type OperatorInput,
  shapeInput,
} from "./operator.js";
import { broadcastPlace, broadcastShapes, checkedCount, eachIndex } from "./shapes.js";

/**
 * Runs an operator on constants, as exporters compute shapes and slices from the shape of the input: what it moves passes
 * through it as neurons that do not depend on anything, and comes out as constants again.
 */
export function foldConstants(
  operator: Operator,
  inputs: readonly OperatorInput[],
  context: OperatorContext,
): OperatorInput[] {
  const tensors = inputs as readonly (Tensor | undefined)[];
  const { operator: name } = context.node;
  const whole = tensors.every((x) => x === undefined || x.dtype === "int32" || x.dtype === "bool");
  if (tensors[0] === undefined) throw new UnsupportedError(`${context.where}: its first input is missing`);
  if (Object.hasOwn(onConstants, name)) return [onConstants[name](tensors[0], tensors[1], context)];
  // The others take indices, axes or factors besides, or make neurons of what else they move.
  const moved = name === "Where" ? 1 : 0;
  const given = tensors.map((x, k) => (k === moved && x !== undefined ? asNeurons(x, context.stack) : x));
  return operator(given, context).map((x) => (isNeurons(x) ? asConstant(x, whole, context) : x));
}

function asConstant({ shape, neurons }: NeuronArray, whole: boolean, { where }: OperatorContext): Tensor {
  const values = Float64Array.from(neurons, (neuron) => {
    if (neuron.kind === "affine") return neuron.bias;
    throw new UnsupportedError(`${where}: activations of constants are not read; export with constants folded`);
  });
  return tensor(whole ? Int32Array.from(values) : values, { shape });
}

/** Operators that do other things to constants than to neurons. */
const onConstants: Readonly<Record<string, (a: Tensor, b: Tensor | undefined, context: OperatorContext) => Tensor>> = {
  // Integers divide towards zero.
  Div: (a, b, context) =>
    combined(a, b, context, (x, y) => (a.dtype === "int32" && b?.dtype === "int32" ? Math.trunc(x / y) : x / y)),
  Equal: (a, b, context) => combined(a, b, context, (x, y) => Number(x === y)),
  Cast: (x, _, { node: { attributes }, where }) => {
    const to = attributes.to as number;
    if (FLOATS.includes(to)) return x.cast("float64");
    if (to === BOOL)
      return tensor(
        Int32Array.from(x.data(), (value) => Number(value !== 0)),
        { shape: x.shape },
      );
    const values = Float64Array.from(x.data(), Math.trunc);
    if (!INTEGERS.includes(to)) throw new UnsupportedError(`${where}: a cast to type ${to} is not read`);
    return tensor(values.every((n) => Math.abs(n) < 2 ** 31) ? Int32Array.from(values) : values, { shape: x.shape });
  },
  ConstantOfShape: (x, _, context) => {
    const shape = shapeInput(x, context);
    const { value } = context.node.attributes;
    const fill = value === undefined ? 0 : (value as Tensor).data()[0];
    const values = new Float64Array(checkedCount(shape)).fill(fill);
    const whole = (value as Tensor | undefined)?.dtype === "int32";
    return tensor(whole ? Int32Array.from(values) : values, { shape });
  },
};

/** Two constants, place by place: whole numbers where both are and the result is. */
function combined(
  a: Tensor,
  second: Tensor | undefined,
  { where }: OperatorContext,
  f: (x: number, y: number) => number,
): Tensor {
  const b = constant(second, where, "the second input");
  const shape = broadcastShapes(a.shape, b.shape, where);
  const values: number[] = [];
  eachIndex(shape, (index) => {
    values.push(f(a.data()[broadcastPlace(index, a.shape)], b.data()[broadcastPlace(index, b.shape)]));
  });
  const whole = a.dtype !== "float32" && a.dtype !== "float64" && b.dtype === a.dtype;
  return tensor(whole ? Int32Array.from(values) : Float64Array.from(values), { shape });
}
