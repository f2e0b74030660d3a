import type { OnnxGraph, OnnxNode } from "@offprint/onnx-format";
import { ShapeError, type Tensor, tensor, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { operators } from "./operators.js";
import { withGelu } from "./written-gelu.js";

/** A node of a graph whose operator is read. */
export interface FileNode {
  readonly node: OnnxNode;
  /** The node for error messages. */
  readonly where: string;
  /**
   * The node's inputs among values by name; nothing for optional ones that are left out.
   *
   * @throws UnsupportedError where one is missing
   */
  inputsFrom<T>(values: ReadonlyMap<string, T | undefined>): (T | undefined)[];
  /** Runs what reads the node; errors about shapes and numbers that do not fit are those of a file that is not read. */
  run<T>(read: () => T): T;
}

/** The graph of a file with one input, for one sample. */
export interface FileGraph {
  /** Of the input, with a first axis of one sample, where the file has an axis of samples. */
  readonly shape: readonly number[];
  readonly input: string;
  readonly output: string;
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly FileNode[];
}

/**
 * The part of a graph that networks are read from.
 *
 * @throws UnsupportedError for a graph with several inputs, unknown shapes or operators that are not read
 */
export function fileGraph(graph: OnnxGraph): FileGraph {
  if (graph.inputs.length !== 1) {
    throw new UnsupportedError(
      `fromOnnx: the model has ${graph.inputs.length} inputs; only networks with one are read`,
    );
  }
  if (graph.outputs.length !== 1) {
    throw new UnsupportedError(
      `fromOnnx: the model has ${graph.outputs.length} outputs; only networks with one are read`,
    );
  }
  const [input] = graph.inputs;
  const constants = new Map(Object.entries(graph.constants));
  const isConstant = ({ operator, domain }: OnnxNode) => operator === "Constant" && domain === "";
  for (const node of graph.nodes) {
    if (isConstant(node)) constants.set(node.outputs[0], constantOf(node, `fromOnnx: ${labelOf(node)}`));
  }
  const nodes: FileNode[] = [];
  for (const node of withGelu(graph, constants)) {
    if (isConstant(node)) continue;
    const label = labelOf(node);
    if (node.domain !== "" || !Object.hasOwn(operators, node.operator)) {
      const domain = node.domain === "" ? "" : `${node.domain}.`;
      const reason = node.domain === "" && Object.hasOwn(reasons, node.operator) ? reasons[node.operator] : undefined;
      throw new UnsupportedError(
        `fromOnnx: the operator ${domain}${label} is not read; ${reason ?? `a network may have ${Object.keys(operators).join(", ")}`}`,
      );
    }
    nodes.push(fileNode(node, `fromOnnx: ${label}`));
  }
  const shape = inputShape(input.name, input.shape);
  return { shape, input: input.name, output: graph.outputs[0].name, constants, nodes };
}

const divides = "it divides by what it computes from the sample; BatchNormalization is read";
const jumps = "it is not continuous";

/** Why operators that networks often have are not read. */
const reasons: Readonly<Record<string, string>> = {
  LayerNormalization: divides,
  InstanceNormalization: divides,
  GroupNormalization: divides,
  RMSNormalization: divides,
  LpNormalization: divides,
  MeanVarianceNormalization: divides,
  LRN: divides,
  Softmax: "export the network up to its logits",
  LogSoftmax: "export the network up to its logits",
  ArgMax: `${jumps}; export the network up to its logits`,
  Sign: jumps,
  Round: jumps,
  Floor: jumps,
  Ceil: jumps,
  QuantizeLinear: `${jumps}; export the network before it is quantised`,
};

const labelOf = ({ name, operator }: OnnxNode): string => (name === "" ? operator : `${operator} "${name}"`);

function fileNode(node: OnnxNode, where: string): FileNode {
  return {
    node,
    where,
    inputsFrom: (values) =>
      node.inputs.map((name) => {
        if (name === "") return undefined;
        const value = values.get(name);
        if (value === undefined) throw new UnsupportedError(`${where}: its input "${name}" is nothing that is read`);
        return value;
      }),
    run(read) {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof ShapeError || error instanceof ValueError)) throw error;
        throw new UnsupportedError(`${where}: ${error.message}`, { cause: error });
      }
    },
  };
}

/** The shape of one sample: a first axis of any extent is the batch. */
function inputShape(name: string, shape: readonly (number | string)[] | undefined): number[] {
  if (shape === undefined || shape.length === 0) {
    throw new UnsupportedError(`fromOnnx: the file does not say the shape of input "${name}"; export with shapes`);
  }
  const [batch, ...rest] = shape;
  const single = shape.length === 1 && typeof batch === "number";
  if (!single && typeof batch === "number" && batch !== 1) {
    throw new UnsupportedError(
      `fromOnnx: input "${name}" has a fixed batch of ${batch}; export with batch size 1 or any`,
    );
  }
  const free = rest.find((extent) => typeof extent !== "number");
  if (free !== undefined || (shape.length === 1 && !single)) {
    throw new UnsupportedError(`fromOnnx: input "${name}" has shape [${shape.join(", ")}]; only the batch may be free`);
  }
  const own = single ? [batch] : [1, ...(rest as number[])];
  if (!own.every((n) => Number.isSafeInteger(n) && n >= 1)) {
    throw new UnsupportedError(`fromOnnx: input "${name}" has shape [${shape.join(", ")}]; extents are at least 1`);
  }
  return own;
}

function constantOf(node: OnnxNode, where: string): Tensor {
  const { value, value_float: float, value_int: int, value_floats: floats, value_ints: ints } = node.attributes;
  if (value !== undefined) return value as Tensor;
  if (float !== undefined || int !== undefined) return tensor((float ?? int) as number, { dtype: "float64" });
  if (floats !== undefined || ints !== undefined) return tensor(Float64Array.from((floats ?? ints) as number[]));
  throw new UnsupportedError(`${where}: a constant of this kind is not read`);
}
