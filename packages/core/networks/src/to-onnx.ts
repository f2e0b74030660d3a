import { type AttributeSource, type ConstantSource, type NodeSource, writeOnnxGraph } from "@offprint/onnx-format";
import { checkOptions, requireChoice, type TensorLike, UnsupportedError } from "@offprint/tensor-core";
import {
  type Activation,
  activationGroups,
  type MixedActivation,
  type ScalarActivation,
  scalarParameters,
} from "./activation.js";
import { type FeedForward, layerShapes } from "./feed-forward.js";
import { withFloat64 } from "./fold-linear.js";
import type { BatchNormLayer, Layer } from "./layer.js";
import { paddingPairs } from "./windowed-shape.js";

/** Options of `toOnnx`. */
export interface ToOnnxOptions {
  /** Element type of inputs, weights and outputs. Default float32, which every runtime computes with. */
  readonly dtype?: "float32" | "float64";
  /** Name of the graph. Default "network". */
  readonly name?: string;
}

/** Files without the operators that came later are written for old runtimes. */
const OPSET = 13;
const LATER: Readonly<Partial<Record<ScalarActivation["name"], number>>> = { hardSwish: 14, gelu: 20 };
const IR_VERSION = 8;

/**
 * The bytes of an .onnx file of a network: input `x` `[batch, ...]`, output `y`.
 *
 * @throws ShapeError and ValueError for what is no network; UnsupportedError for an activation of which only slopes are known
 * @example
 * ```ts
 * import { activation, fromOnnx, perceptron, toOnnx } from "@offprint/networks";
 *
 * const bytes = toOnnx(perceptron([{ weight: [[1, 2]] }, { weight: [[3]] }], activation("tanh")));
 * console.log(fromOnnx(bytes).layers.length); // 3
 * ```
 */
export function toOnnx(network: FeedForward, options: ToOnnxOptions = {}): Uint8Array {
  checkOptions("toOnnx", options, ["dtype", "name"]);
  const { dtype = "float32", name = "network" } = options;
  requireChoice("toOnnx", "dtype", dtype, ["float32", "float64"]);
  const shapes = layerShapes(network);
  const writer = new Writer(dtype);
  for (const [k, layer] of network.layers.entries()) {
    writer.layer(withFloat64(layer, `layer ${k + 1}`), shapes[k]);
  }
  const last = shapes[shapes.length - 1];
  writer.finish("y");
  const graph = {
    inputs: [{ name: "x", type: dtype, shape: ["batch", ...shapes[0]] }],
    outputs: [{ name: writer.head, type: dtype, shape: ["batch", ...last] }],
    constants: writer.constants,
    nodes: writer.nodes,
  };
  const opset = network.layers
    .flatMap((layer) => (layer.kind === "mixed" ? layer.parts.map(({ activation }) => activation) : [layer]))
    .reduce((most, layer) => Math.max(most, layer.kind === "scalar" ? (LATER[layer.name] ?? 0) : 0), OPSET);
  return writeOnnxGraph(graph, { name, opset, irVersion: IR_VERSION });
}

/** Collects nodes and constants. */
class Writer {
  readonly nodes: NodeSource[] = [];
  readonly constants: ConstantSource[] = [];
  /** Name of the value computed last. */
  head = "x";

  constructor(private readonly dtype: "float32" | "float64") {}

  /** A constant, under a name of its own. */
  constant(x: TensorLike | ArrayLike<number>, shape: readonly number[]): string {
    const values = "data" in Object(x) ? (x as { data(): ArrayLike<number> }).data() : (x as ArrayLike<number>);
    const data = this.dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values);
    const name = `c${this.constants.length}`;
    this.constants.push({ name, type: this.dtype, shape, data });
    return name;
  }

  /** A constant shape. */
  shape(extents: readonly number[]): string {
    const name = `c${this.constants.length}`;
    const data = BigInt64Array.from(extents, BigInt);
    this.constants.push({ name, type: "int64", shape: [extents.length], data });
    return name;
  }

  /** An operator on the value computed last, or on `inputs`. */
  node(
    operator: string,
    further: readonly string[] = [],
    attributes: Readonly<Record<string, AttributeSource>> = {},
    inputs: readonly string[] = [this.head, ...further],
  ): string {
    this.head = `v${this.nodes.length}`;
    const outputs = operator === "TopK" ? [this.head, `${this.head}_places`] : [this.head];
    this.nodes.push({ operator, inputs, outputs, attributes });
    return this.head;
  }

  /** Names the value computed last; the input keeps its name where nothing was computed. */
  finish(name: string): void {
    const last = this.nodes.pop();
    if (last === undefined) return;
    this.head = name;
    this.nodes.push({ ...last, outputs: [name] });
  }

  layer(layer: Layer, shape: readonly number[]): void {
    switch (layer.kind) {
      case "linear": {
        const { shape: extents } = layer.weight as { shape: readonly number[] };
        const weight = this.constant(layer.weight, extents);
        const bias = layer.bias === undefined ? [] : [this.constant(layer.bias, [extents[0]])];
        this.node("Gemm", [weight, ...bias], { transB: 1 });
        return;
      }
      case "convolution": {
        const { shape: extents } = layer.weight as { shape: readonly number[] };
        const weight = this.constant(layer.weight, extents);
        const bias = layer.bias === undefined ? [] : [this.constant(layer.bias, [extents[0]])];
        const { groups = 1 } = layer;
        this.node("Conv", [weight, ...bias], {
          ...windowAttributes(layer, shape.length - 1),
          kernel_shape: extents.slice(2),
          group: groups,
        });
        return;
      }
      case "averagePool": {
        const { countIncludePad = true } = layer;
        const rank = shape.length - 1;
        this.node("AveragePool", [], {
          ...windowAttributes({ ...layer, strides: layer.strides ?? layer.window }, rank),
          kernel_shape: each(layer.window, rank),
          count_include_pad: countIncludePad ? 1 : 0,
        });
        return;
      }
      case "batchNorm":
        this.normalization(layer, shape[0]);
        return;
      case "flatten":
        this.node("Flatten", [], { axis: 1 });
        return;
      default:
        this.activation(layer, shape);
    }
  }

  private normalization(layer: BatchNormLayer, channels: number): void {
    const { scale, shift, mean, variance, epsilon = 1e-5 } = layer;
    const filled = (value: number) => new Float64Array(channels).fill(value);
    const inputs = [scale ?? filled(1), shift ?? filled(0), mean, variance].map((x) => this.constant(x, [channels]));
    this.node("BatchNormalization", inputs, { epsilon: { float: epsilon } });
  }

  private activation(activation: Activation, shape: readonly number[]): void {
    if (activation.kind === "scalar") {
      this.scalar(activation);
      return;
    }
    if (activation.kind === "slope") {
      throw new UnsupportedError(
        "toOnnx: an activation is known by its slopes only; networks that are written have activations by name",
      );
    }
    const [width] = shape;
    if (activation.kind === "mixed") {
      // Vectors lose nothing by parts, which runtimes have in float64 too; they have PRelu, like Conv, in float32.
      if (shape.length > 1 && activation.parts.every(({ activation: { name } }) => Object.hasOwn(leaks, name))) {
        this.leaking(activation, shape);
        return;
      }
      if (shape.length > 1) this.node("Flatten", [], { axis: 1 });
      this.parts(activation);
      if (shape.length > 1) this.node("Reshape", [this.shape([-1, ...shape])]);
      return;
    }
    const { size, vectors } = activationGroups(activation, width, "toOnnx: a layer");
    const grouped = this.node("Reshape", [this.shape([-1, width / size, size])]);
    if (vectors === undefined) this.node("TopK", [this.shape([size])], { axis: -1, largest: 0, sorted: 1 });
    else {
      // x + 2 relu(-v^T x) v
      const v = Float64Array.from(vectors.flatMap((vector) => [...vector]));
      const extents = [vectors.length, size];
      this.node("Mul", [
        this.constant(
          v.map((value) => -value),
          extents,
        ),
      ]);
      this.node("ReduceSum", [this.shape([2])], { keepdims: 1 });
      this.node("Relu");
      this.node("Mul", [
        this.constant(
          v.map((value) => 2 * value),
          extents,
        ),
      ]);
      this.node("Add", [grouped]);
    }
    this.node("Reshape", [this.shape([-1, width])]);
  }

  /** ReLUs beside values that pass, which keep their shape: the leaks of each channel, or of each neuron. */
  private leaking({ parts }: MixedActivation, [channels, ...spatial]: readonly number[]): void {
    const area = spatial.reduce((n, extent) => n * extent, 1);
    const slopes = parts.flatMap(({ activation, count }) =>
      new Array<number>(count).fill(leaks[activation.name as keyof typeof leaks](activation)),
    );
    const even = slopes.every((slope, i) => slope === slopes[i - (i % area)]);
    const values = even ? slopes.filter((_, i) => i % area === 0) : slopes;
    this.node("PRelu", [this.constant(values, [channels, ...(even ? spatial.map(() => 1) : spatial)])]);
  }

  private parts({ parts }: MixedActivation): void {
    const whole = this.head;
    let start = 0;
    const acted = parts.map(({ activation, count }) => {
      const limits = [[start], [start + count], [1]].map((values) => this.shape(values));
      start += count;
      this.node("Slice", limits, {}, [whole, ...limits]);
      this.scalar(activation);
      return this.head;
    });
    this.node("Concat", [], { axis: 1 }, acted);
  }

  private scalar(activation: ScalarActivation): void {
    const parameters = scalarParameters(activation);
    const { name } = activation;
    if (name === "silu") {
      const x = this.head;
      this.node("Mul", [this.node("Sigmoid")], {}, [x, this.head]);
      return;
    }
    if (name === "clip") {
      const limit = (value: number) => (Number.isFinite(value) ? this.constant([value], []) : "");
      const limits = [limit(parameters.low), limit(parameters.high)];
      this.node("Clip", limits[1] === "" ? limits.slice(0, 1) : limits);
      return;
    }
    const [operator, attributes] = scalarOperators[name];
    const floats = Object.entries(attributes).map(([attribute, key]) => [attribute, { float: parameters[key] }]);
    this.node(operator, [], Object.fromEntries(floats));
  }
}

/** The functions that are a line of slope 1 above 0, by their slope below. */
const leaks = {
  relu: () => 0,
  identity: () => 1,
  leakyRelu: (activation: ScalarActivation) => scalarParameters(activation).slope,
} as const;

/** ONNX's operators for scalar functions, and the parameters that are their attributes. */
const scalarOperators: Readonly<
  Record<
    Exclude<ScalarActivation["name"], "silu" | "clip">,
    readonly [operator: string, attributes: Readonly<Record<string, string>>]
  >
> = {
  relu: ["Relu", {}],
  leakyRelu: ["LeakyRelu", { alpha: "slope" }],
  tanh: ["Tanh", {}],
  sigmoid: ["Sigmoid", {}],
  softplus: ["Softplus", {}],
  softsign: ["Softsign", {}],
  elu: ["Elu", { alpha: "alpha" }],
  celu: ["Celu", { alpha: "alpha" }],
  selu: ["Selu", { alpha: "alpha", gamma: "gamma" }],
  gelu: ["Gelu", {}],
  identity: ["Identity", {}],
  abs: ["Abs", {}],
  hardSigmoid: ["HardSigmoid", { alpha: "alpha", beta: "beta" }],
  hardSwish: ["HardSwish", {}],
};

const each = (value: number | readonly number[], rank: number): readonly number[] =>
  typeof value === "number" ? new Array<number>(rank).fill(value) : value;

function windowAttributes(
  { strides = 1, padding = 0, dilation = 1 }: Extract<Layer, { kind: "convolution" }> | WindowedPool,
  rank: number,
): Record<string, readonly number[]> {
  const pairs = paddingPairs(padding, rank);
  return {
    strides: each(strides, rank),
    pads: [...pairs.map(([before]) => before), ...pairs.map(([, after]) => after)],
    ...(dilation === 1 ? {} : { dilations: each(dilation, rank) }),
  };
}

/** A pooling has no dilation. */
type WindowedPool = Extract<Layer, { kind: "averagePool" }> & { readonly dilation?: undefined };
