import type { OnnxNode } from "@offprint/onnx-format";
import {
  abs,
  acos,
  add,
  asin,
  broadcastTo,
  cast,
  clip,
  concatenate,
  cos,
  type DType,
  div,
  equal,
  exp,
  expandDims,
  floor,
  full,
  greater,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalNot,
  logicalOr,
  logSoftmax,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  neg,
  pow,
  relu,
  reshape,
  type SliceIndex,
  sigmoid,
  sign,
  sin,
  slice,
  softmax,
  special,
  split,
  sqrt,
  square,
  squeeze,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  transpose,
  UnsupportedError,
  where,
} from "@offprint/tensor-core";

/** What a node is carried out on: nothing for an optional input that is left out. */
type Inputs = readonly (Tensor | undefined)[];
/** A node of an ONNX graph in operations of tensors, so that it has a gradient and compiles. */
export type OnnxOperator = (inputs: readonly Tensor[], node: OnnxNode, optional: Inputs) => Tensor | Tensor[];

const integer = (node: OnnxNode, name: string, fallback: number): number => {
  const value = node.attributes[name] ?? fallback;
  if (typeof value === "number") return value;
  throw new UnsupportedError(`${node.operator}: the attribute "${name}" must be a number`);
};

const whole = (x: Tensor): number[] => Array.from(x.data(), Number);

/** Numbers that newer versions give as an input and older ones as an attribute. */
function listed(node: OnnxNode, name: string, input: Tensor | undefined): number[] | undefined {
  if (input !== undefined) return whole(input);
  const value = node.attributes[name];
  return value === undefined ? undefined : [...(value as readonly number[])];
}

const integers = (values: readonly number[]): Tensor => tensor(Int32Array.from(values), { shape: [values.length] });

const unary =
  (f: (x: Tensor) => Tensor): OnnxOperator =>
  ([x]) =>
    f(x);
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): OnnxOperator =>
  ([a, b]) =>
    f(a, b);
const folded =
  (f: (a: Tensor, b: Tensor) => Tensor): OnnxOperator =>
  (inputs) =>
    inputs.reduce(f);

/** Quotients of integers are cut off towards 0. */
const quotient = (a: Tensor, b: Tensor): Tensor =>
  a.dtype === "int32" && b.dtype === "int32" ? cast(div(cast(a, "float64"), cast(b, "float64")), "int32") : div(a, b);

const reduction =
  (f: (x: Tensor, options: { axis?: number[]; keepDims: boolean }) => Tensor): OnnxOperator =>
  ([x], node, [, axes]) => {
    const axis = listed(node, "axes", axes);
    if (axis === undefined && integer(node, "noop_with_empty_axes", 0) === 1) return x;
    return f(x, { ...(axis !== undefined && { axis }), keepDims: integer(node, "keepdims", 1) === 1 });
  };

/** ONNX's numbers of element types. */
const types: Readonly<Record<number, DType>> = {
  ...{ 1: "float32", 10: "float32", 16: "float32", 11: "float64" },
  ...{ 2: "int32", 3: "int32", 5: "int32", 6: "int32", 7: "int32", 12: "int32", 9: "bool" },
};

function typeOf(node: OnnxNode): DType {
  const type = types[integer(node, "to", 0)];
  if (type !== undefined) return type;
  throw new UnsupportedError(`Cast: element type ${integer(node, "to", 0)} of ONNX is none that tensors have`);
}

/** The extents from axis `start` to before `end`. */
const extents: OnnxOperator = ([x], node) =>
  integers(x.shape.slice(integer(node, "start", 0), integer(node, "end", x.shape.length)));

/** 0 keeps an extent, -1 is what is left. */
const reshaped: OnnxOperator = ([x, target], node) => {
  const keeps = integer(node, "allowzero", 0) === 0;
  return reshape(
    x,
    whole(target).map((n, axis) => (n === 0 && keeps ? x.shape[axis] : n)),
  );
};

const sliced: OnnxOperator = ([x], node, [, starts, ends, axes, steps]) => {
  const [from, to] = [listed(node, "starts", starts) ?? [], listed(node, "ends", ends) ?? []];
  const along = listed(node, "axes", axes) ?? from.map((_, i) => i);
  const index: SliceIndex[] = x.shape.map(() => null);
  for (const [i, axis] of along.entries()) {
    const place = axis < 0 ? axis + x.rank : axis;
    const n = x.shape[place];
    const step = steps === undefined ? 1 : whole(steps)[i];
    if (step < 1) throw new UnsupportedError(`Slice: a step of ${step} is not carried out; export with steps above 0`);
    const inside = (at: number) => Math.min(n, Math.max(0, at < 0 ? at + n : at));
    index[place] = { start: inside(from[i]), stop: inside(to[i]), step };
  }
  return slice(x, index);
};

const gathered: OnnxOperator = ([x, indices], node) => take(x, indices, integer(node, "axis", 0));

const unsqueezed: OnnxOperator = ([x], node, [, axes]) => {
  const given = listed(node, "axes", axes) ?? [];
  const places = given.map((axis) => (axis < 0 ? axis + x.rank + given.length : axis)).sort((a, b) => a - b);
  return places.reduce((y, axis) => expandDims(y, axis), x);
};

const parts: OnnxOperator = ([x], node, [, sizes]) => {
  const axis = integer(node, "axis", 0);
  const given = listed(node, "split", sizes);
  return split(x, given ?? integer(node, "num_outputs", node.outputs.length), axis);
};

/** Shapes are broadcast both ways. */
const expanded: OnnxOperator = ([x, target]) => {
  const wanted = whole(target);
  const rank = Math.max(x.rank, wanted.length);
  const extent = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) => Math.max(extent(x.shape, axis), extent(wanted, axis)));
  return broadcastTo(x, shape);
};

const product: OnnxOperator = ([a, b], node, [, , c]) => {
  const turned = (x: Tensor, name: string) => (integer(node, name, 0) === 1 ? transpose(x) : x);
  const y = mul(matmul(turned(a, "transA"), turned(b, "transB")), integer(node, "alpha", 1));
  return c === undefined ? y : add(y, mul(c, integer(node, "beta", 1)));
};

const normalised: OnnxOperator = ([x, scale], node, [, , bias]) => {
  const first = integer(node, "axis", -1);
  const axis = x.shape.map((_, i) => i).slice(first);
  const centred = sub(x, mean(x, { axis, keepDims: true }));
  const deviation = sqrt(add(mean(square(centred), { axis, keepDims: true }), integer(node, "epsilon", 1e-5)));
  const y = mul(div(centred, deviation), scale);
  return bias === undefined ? y : add(y, bias);
};

const clipped: OnnxOperator = ([x], _, [, low, high]) =>
  clip(x, low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY);

const constant: OnnxOperator = (_, { attributes }) => {
  const { value, value_float, value_int, value_ints, value_floats } = attributes;
  if (value_int !== undefined) return tensor(value_int as number, { dtype: "int32" });
  if (value_float !== undefined) return tensor(value_float as number, { dtype: "float32" });
  if (value_ints !== undefined) return integers(value_ints as readonly number[]);
  if (value_floats !== undefined) return tensor(Float32Array.from(value_floats as readonly number[]));
  return value as Tensor;
};

const filled: OnnxOperator = ([shape], { attributes }) => {
  const value = attributes.value as Tensor | undefined;
  return full(whole(shape), value === undefined ? 0 : Number(value.data()[0]), value?.dtype ?? "float32");
};

const range: OnnxOperator = ([start, limit, step]) => {
  const [from, to, by] = [start, limit, step].map((x) => Number(x.data()[0]));
  const values = Array.from({ length: Math.max(0, Math.ceil((to - from) / by)) }, (_, i) => from + i * by);
  return start.dtype === "int32" ? integers(values) : tensor(values, { dtype: start.dtype as "float32" });
};

/** The operators of encoders, by name. */
export const onnxOperators: Readonly<Record<string, OnnxOperator>> = {
  ...{ Abs: unary(abs), Acos: unary(acos), Asin: unary(asin), Cos: unary(cos), Erf: unary(special.erf) },
  ...{ Exp: unary(exp), Floor: unary(floor), Identity: unary((x) => x), Dropout: unary((x) => x), Log: unary(log) },
  ...{ Neg: unary(neg), Not: unary(logicalNot), Reciprocal: unary((x) => div(1, x)), Relu: unary(relu) },
  ...{ Sigmoid: unary(sigmoid), Sign: unary(sign), Sin: unary(sin), Softplus: unary(special.softplus) },
  ...{ Sqrt: unary(sqrt), Tanh: unary(tanh), Shape: extents },
  ...{ Add: binary(add), Sub: binary(sub), Mul: binary(mul), Div: binary(quotient), Pow: binary(pow) },
  ...{ MatMul: binary(matmul), Equal: binary(equal), Less: binary(less), LessOrEqual: binary(lessEqual) },
  ...{ Greater: binary(greater), GreaterOrEqual: binary((a, b) => lessEqual(b, a)) },
  ...{ And: binary(logicalAnd), Or: binary(logicalOr), Max: folded(maximum), Min: folded(minimum) },
  ...{ ReduceMax: reduction(max), ReduceMean: reduction(mean), ReduceMin: reduction(min), ReduceSum: reduction(sum) },
  ...{ Clip: clipped, Constant: constant, ConstantOfShape: filled, Expand: expanded, Gather: gathered },
  ...{ Gemm: product, LayerNormalization: normalised, Range: range, Reshape: reshaped, Slice: sliced, Split: parts },
  ...{ Unsqueeze: unsqueezed, Where: ([c, a, b]) => where(c, a, b) },
  Cast: ([x], node) => cast(x, typeOf(node)),
  Concat: (inputs, node) => concatenate(inputs, integer(node, "axis", 0)),
  Gelu: ([x], { attributes }) => special.gelu(x, { approximate: attributes.approximate === "tanh" }),
  LogSoftmax: ([x], node) => logSoftmax(x, integer(node, "axis", -1)),
  Softmax: ([x], node) => softmax(x, integer(node, "axis", -1)),
  Squeeze: ([x], node, [, axes]) => squeeze(x, listed(node, "axes", axes)),
  Transpose: ([x], { attributes }) => transpose(x, attributes.perm as readonly number[] | undefined),
};
