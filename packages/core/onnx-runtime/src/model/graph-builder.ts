import { type AttributeSource, type GraphSource, writeOnnxGraph } from "@offprint/onnx-format";
import type { DType, ElementType, Shape, TypedArray } from "@offprint/tensor-core";

/** Version of the ONNX operator set that the lowerings are written for. */
export const OPSET = 21;

/** A value in an ONNX graph, by name. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
}

/** Attribute values of ONNX nodes; numbers are integers, `{ float }` is a float. */
export type Attribute = number | readonly number[] | string | { readonly float: number } | GraphBuilder;

export interface BuiltNode {
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly value: Value;
  readonly data: TypedArray | BigInt64Array;
}

/** Names and constants that a graph shares with the graphs nested inside it. */
class Scope {
  private next = 0;
  initializers: Initializer[] = [];
  private readonly small = new Map<string, Value>();
  readonly numbers = new Map<string, number>();
  /** Shapes that are written otherwise than they are known here. */
  readonly declared = new Map<string, readonly (number | string)[]>();

  name(): string {
    return `t${this.next++}`;
  }

  constant(type: ElementType, shape: Shape, data: TypedArray | BigInt64Array): Value {
    const key =
      data.length <= 64
        ? `${type} ${shape.join()} ${Array.from(data as ArrayLike<number | bigint>, exactText).join()}`
        : undefined;
    const known = key === undefined ? undefined : this.small.get(key);
    if (known !== undefined) return known;
    const value: Value = { name: this.name(), shape, type };
    this.initializers.push({ value, data });
    if (key !== undefined) this.small.set(key, value);
    if (data.length === 1) this.numbers.set(value.name, Number(data[0]));
    return value;
  }
}

function exactText(value: number | bigint): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** An ONNX graph under construction: nodes in order, over constants shared with the graphs around and inside it. */
export class GraphBuilder {
  readonly nodes: BuiltNode[] = [];
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  private readonly scope: Scope;

  constructor(parent?: GraphBuilder) {
    this.scope = parent?.scope ?? new Scope();
  }

  /** Constants; they live in the outermost graph. */
  get initializers(): readonly Initializer[] {
    return this.scope.initializers;
  }

  input(type: ElementType, shape: Shape, name = this.scope.name()): Value {
    const value = { name, shape, type };
    this.inputs.push(value);
    return value;
  }

  constant(type: ElementType, shape: Shape, data: TypedArray | BigInt64Array): Value {
    return this.scope.constant(type, shape, data);
  }

  /** The number in a constant of one element. */
  numberOf(value: Value): number | undefined {
    return this.scope.numbers.get(value.name);
  }

  /** Gives values other names, wherever they are made or used. */
  rename(names: ReadonlyMap<string, string>): void {
    const renamed = (list: readonly string[]) => list.map((name) => names.get(name) ?? name);
    for (let i = 0; i < this.nodes.length; i++) {
      const node = this.nodes[i];
      this.nodes[i] = { ...node, inputs: renamed(node.inputs), outputs: renamed(node.outputs) };
      for (const attribute of Object.values(node.attributes))
        if (attribute instanceof GraphBuilder) attribute.rename(names);
    }
    for (let i = 0; i < this.outputs.length; i++)
      this.outputs[i] = { ...this.outputs[i], name: names.get(this.outputs[i].name) ?? this.outputs[i].name };
  }

  /** An int64 vector, as shapes, axes and the like are given. */
  integers(values: readonly number[]): Value {
    return this.constant(
      "int64",
      [values.length],
      BigInt64Array.from(values, (v) => BigInt(v)),
    );
  }

  integer(value: number): Value {
    return this.constant("int64", [], BigInt64Array.of(BigInt(value)));
  }

  /** A scalar of a float or integer type. */
  scalar(type: DType, value: number): Value {
    const array = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array }[type];
    return this.constant(type, [], array.of(value));
  }

  /** Adds a node with one output. */
  node(
    operator: string,
    inputs: readonly (Value | null)[],
    output: { shape: Shape; type: ElementType },
    attributes: Record<string, Attribute> = {},
    domain = "",
  ): Value {
    return this.nodeWithOutputs(operator, inputs, [output], attributes, domain)[0];
  }

  /** Adds a node with several outputs. */
  nodeWithOutputs(
    operator: string,
    inputs: readonly (Value | null)[],
    outputs: readonly { shape: Shape; type: ElementType }[],
    attributes: Record<string, Attribute> = {},
    domain = "",
  ): Value[] {
    const values = outputs.map(({ shape, type }) => ({ name: this.scope.name(), shape, type }));
    this.nodes.push({
      operator,
      domain,
      inputs: inputs.map((v) => v?.name ?? ""),
      outputs: values.map((v) => v.name),
      attributes,
    });
    return values;
  }

  /** Says how the shape of an input or a result is written: with texts where any extent is allowed. */
  declareShape({ name }: Value, shape: readonly (number | string)[]): void {
    this.scope.declared.set(name, shape);
  }

  /** The shape of an input or a result as it is written. */
  declaredShape({ name, shape }: Value): readonly (number | string)[] {
    return this.scope.declared.get(name) ?? shape;
  }

  /** Removes constants that nothing uses any more. */
  dropInitializers(names: ReadonlySet<string>): void {
    this.scope.initializers = this.scope.initializers.filter(({ value }) => !names.has(value.name));
  }

  /** The graph as it is written. */
  source(): GraphSource {
    const declared = (value: Value) => ({ name: value.name, type: value.type, shape: this.declaredShape(value) });
    return {
      inputs: this.inputs.map(declared),
      outputs: this.outputs.map(declared),
      nodes: this.nodes.map((node) => ({
        ...node,
        attributes: Object.fromEntries(Object.entries(node.attributes).map(([key, v]) => [key, attributeSource(v)])),
      })),
    };
  }
}

function attributeSource(value: Attribute): AttributeSource {
  return value instanceof GraphBuilder ? { graph: value.source() } : value;
}

/** The bytes of the .onnx file of an outermost graph. */
export function encodeModel(graph: GraphBuilder, name: string): Uint8Array {
  const constants = graph.initializers.map(({ value, data }) => ({ ...value, data }));
  return writeOnnxGraph({ ...graph.source(), constants }, { name, opset: OPSET });
}
