import type { OnnxNode } from "@offprint/onnx-format";
import { add, mul, ones, reshape, type Tensor, transpose, zeros } from "@offprint/tensor-core";
import { isActivation } from "../activation.js";
import { averagePool, batchNorm, convolution, flatten, linear } from "../layer.js";
import { gatedBy, mixedLeaks, readActivation } from "./activation-operators.js";
import type { Chain } from "./chain.js";
import { FLOATS } from "./element-codes.js";
import { maxPoolLayers } from "./max-pool-layers.js";
import { listAttribute, numberAttribute, requireFixedStatistics } from "./operator.js";
import { axisOf, countOf, reshapeTarget } from "./shapes.js";
import { windowLayout } from "./window-layout.js";

/** Appends a node to a chain of layers, or gives false where it is no layer. */
type ChainOperator = (chain: Chain, node: OnnxNode, where: string, known: ReadonlyMap<string, Tensor>) => boolean;

const float64 = (x: Tensor): Tensor => x.cast("float64");

/** A constant as one number for each channel, `[channels]`, or nothing where it varies otherwise. */
function perChannel(x: Tensor, shape: readonly number[]): Tensor | undefined {
  const channels = shape[1];
  const extents = [...new Array<number>(Math.max(0, shape.length - x.rank)).fill(1), ...x.shape];
  if (extents.length !== shape.length || extents.some((n, axis) => n !== 1 && axis !== 1)) return undefined;
  if (extents[1] !== 1 && extents[1] !== channels) return undefined;
  const own = reshape(float64(x), [x.size]);
  return own.size === channels ? own : mul(own, ones([channels], "float64"));
}

const gemm: ChainOperator = (chain, node, where, known) => {
  const [x, w, c] = node.inputs;
  const weight = known.get(w);
  if (x !== chain.head || weight?.rank !== 2 || chain.shape.length !== 2) return false;
  if (numberAttribute({ node, where }, "transA", 0) !== 0) return false;
  const turned = numberAttribute({ node, where }, "transB", 0) === 1 ? float64(weight) : transpose(float64(weight));
  const scaled = mul(turned, numberAttribute({ node, where }, "alpha", 1));
  if (c === undefined || c === "") return chain.push(linear(scaled), node.outputs[0]);
  const constant = known.get(c);
  const bias = constant && perChannel(constant, [1, scaled.shape[0]]);
  if (bias === undefined) return false;
  return chain.push(linear(scaled, mul(bias, numberAttribute({ node, where }, "beta", 1))), node.outputs[0]);
};

const matmul: ChainOperator = (chain, node, _, known) => {
  const [x, w] = node.inputs;
  const weight = known.get(w);
  if (x !== chain.head || weight?.rank !== 2 || chain.shape.length !== 2) return false;
  return chain.push(linear(transpose(float64(weight))), node.outputs[0]);
};

const conv: ChainOperator = (chain, node, where, known) => {
  const [x, w, b] = node.inputs;
  const weight = known.get(w);
  const bias = b === undefined || b === "" ? undefined : known.get(b);
  if (x !== chain.head || weight === undefined || weight.rank !== chain.shape.length || (b && bias === undefined))
    return false;
  const {
    strides,
    dilations: dilation,
    padding,
  } = windowLayout({ node, where }, chain.shape.slice(2), weight.shape.slice(2));
  const options = {
    strides,
    dilation,
    padding,
    groups: numberAttribute({ node, where }, "group", 1),
    ...(bias === undefined ? {} : { bias: float64(bias) }),
  };
  return chain.push(convolution(float64(weight), options), node.outputs[0]);
};

const pool: ChainOperator = (chain, node, where) => {
  if (node.operator === "GlobalAveragePool")
    return chain.shape.length > 2 && chain.push(averagePool(chain.shape.slice(2)), node.outputs[0]);
  const window = listAttribute({ node, where }, "kernel_shape");
  if (window === undefined) return false;
  const { strides, dilations, padding, output } = windowLayout({ node, where }, chain.shape.slice(2), window);
  const fits = output.every(
    (n, a) => n === Math.floor((chain.shape[a + 2] + padding[a][0] + padding[a][1] - window[a]) / strides[a]) + 1,
  );
  // Windows that reach over the padding, and those with gaps, are no layer.
  if (!fits || dilations.some((n) => n !== 1)) return false;
  const countIncludePad = numberAttribute({ node, where }, "count_include_pad", 0) === 1;
  return chain.push(averagePool(window, { strides, padding, countIncludePad }), node.outputs[0]);
};

const maxPool: ChainOperator = (chain, node, where) => {
  const spatial = chain.shape.slice(2);
  const global = node.operator === "GlobalMaxPool";
  const window = global ? spatial : listAttribute({ node, where }, "kernel_shape");
  if (window === undefined) return false;
  const layout = windowLayout({ node: global ? { ...node, attributes: {} } : node, where }, spatial, window);
  const layers = maxPoolLayers(chain.layers[chain.layers.length - 1], chain.shape[1], layout);
  return layers?.every((layer) => chain.push(layer, node.outputs[0])) ?? false;
};

const normalization: ChainOperator = (chain, node, where, known) => {
  requireFixedStatistics({ node, where });
  const [scale, shift, mean, variance] = node.inputs.slice(1).map((name) => known.get(name));
  if (!scale || !shift || !mean || !variance || node.inputs[0] !== chain.head) return false;
  const statistics = { scale: float64(scale), shift: float64(shift), mean: float64(mean), variance: float64(variance) };
  return chain.push(
    batchNorm({ ...statistics, epsilon: numberAttribute({ node, where }, "epsilon", 1e-5) }),
    node.outputs[0],
  );
};

/** `factor x + shift` by channels: into the bias before it, or a normalisation of its own. */
function scaledAndShifted(chain: Chain, factor: Tensor | undefined, shift: Tensor | undefined, name: string): boolean {
  const channels = [chain.shape[1]];
  const last = chain.layers[chain.layers.length - 1];
  if (factor === undefined && (last?.kind === "linear" || last?.kind === "convolution")) {
    const bias = last.bias === undefined ? (shift as Tensor) : add(last.bias, shift as Tensor);
    return chain.replace({ ...last, bias }, name);
  }
  const plain = { mean: zeros(channels, "float64"), variance: ones(channels, "float64"), epsilon: 0 };
  return chain.push(batchNorm({ ...plain, ...(factor && { scale: factor }), ...(shift && { shift }) }), name);
}

const combined: ChainOperator = (chain, node, _, known) => {
  const [a, b] = node.inputs;
  const [name] = node.outputs;
  const last = chain.layers[chain.layers.length - 1];
  const product = last !== undefined && isActivation(last) ? gatedBy(last) : undefined;
  if (node.operator === "Mul" && product && [a, b].includes(chain.before as string) && [a, b].includes(chain.head)) {
    return chain.replace(product, name);
  }
  const constant = known.get(a === chain.head ? b : a);
  const values = constant && perChannel(constant, chain.shape);
  const reversed = a !== chain.head;
  if (values === undefined || (reversed && (node.operator === "Sub" || node.operator === "Div"))) return false;
  switch (node.operator) {
    case "Add":
      return scaledAndShifted(chain, undefined, values, name);
    case "Sub":
      return scaledAndShifted(chain, undefined, mul(values, -1), name);
    case "Mul":
      return scaledAndShifted(chain, values, undefined, name);
    default:
      return scaledAndShifted(chain, ones(values.shape, "float64").div(values), undefined, name);
  }
};

const flattened: ChainOperator = (chain, node, where, known) => {
  const { shape } = chain;
  const [name] = node.outputs;
  if (node.inputs[0] !== chain.head) return false;
  let target: number[];
  if (node.operator === "Flatten") {
    const axis = axisOf(numberAttribute({ node, where }, "axis", 1), shape.length);
    target = [countOf(shape.slice(0, axis)), countOf(shape.slice(axis))];
  } else {
    const wanted = known.get(node.inputs[1]);
    if (wanted === undefined) return false;
    target = reshapeTarget(
      shape,
      Array.from(wanted.data()),
      where,
      numberAttribute({ node, where }, "allowzero", 0) === 1,
    );
  }
  if (target.length === shape.length && target.every((n, axis) => n === shape[axis])) return chain.rename(name);
  return target.length === 2 && target[0] === 1 && chain.push(flatten(), name);
};

const elementwise: ChainOperator = (chain, node, where, known) => {
  if (node.inputs[0] !== chain.head) return false;
  const further = node.inputs.slice(1);
  if (further.some((name) => name !== "" && !known.has(name))) return false;
  const inputs = [undefined, ...further.map((name) => known.get(name))];
  const slopes = node.operator === "PRelu" ? inputs[1] : undefined;
  const own = readActivation({ node, where }, inputs) ?? (slopes && mixedLeaks(slopes, chain.shape, where));
  return own !== undefined && chain.push(own, node.outputs[0]);
};

const same: ChainOperator = (chain, node) => node.inputs[0] === chain.head && chain.rename(node.outputs[0]);

/** Only between floating-point numbers. */
const cast: ChainOperator = (chain, node, where, known) =>
  FLOATS.includes(node.attributes.to) && same(chain, node, where, known);

/** Only where it does not depend on chance. */
const dropout: ChainOperator = (chain, node, where, known) => node.inputs.length < 3 && same(chain, node, where, known);

const activations = [
  "Relu",
  "Tanh",
  "Sigmoid",
  "Softplus",
  "Softsign",
  "Abs",
  "Gelu",
  "Clip",
  "LeakyRelu",
  "PRelu",
  "Elu",
  "Celu",
  "Selu",
  "HardSwish",
  "HardSigmoid",
];

/** The operators that are layers of a chain, by name. */
export const chainOperators: Readonly<Record<string, ChainOperator>> = {
  Gemm: gemm,
  MatMul: matmul,
  Conv: conv,
  AveragePool: pool,
  GlobalAveragePool: pool,
  MaxPool: maxPool,
  GlobalMaxPool: maxPool,
  BatchNormalization: normalization,
  Add: combined,
  Sub: combined,
  Mul: combined,
  Div: combined,
  Flatten: flattened,
  Reshape: flattened,
  Identity: same,
  Dropout: dropout,
  Cast: cast,
  ...Object.fromEntries(activations.map((name) => [name, elementwise])),
};
