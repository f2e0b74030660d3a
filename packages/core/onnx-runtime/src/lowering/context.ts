import type { DType, Equation, Graph, Shape, Tensor, TypedArray, Variable } from "@offprint/tensor-core";
import { OffprintError, UnsupportedError } from "@offprint/tensor-core";
import type { Attribute, ElementType, Value } from "../model/onnx-graph.js";
import { OnnxGraph } from "../model/onnx-graph.js";

/** What a graph is compiled for: some operators exist on one device only. */
export interface Target {
  readonly device: string;
}

/**
 * What a traced variable is in the ONNX graph. Broadcasts and transposes are kept pending, since most consumers
 * (elementwise operators, matrix products) take them for free.
 */
interface Entry {
  readonly value: Value;
  /** The value must be transposed first, if given. */
  readonly permutation?: readonly number[];
  /** The value written out in its full shape, once somebody needed that. */
  full?: Value;
}

/** Emits the nodes of one graph. A lowering asks it for its inputs and tells it its outputs. */
export class LoweringContext {
  private readonly entries = new Map<Variable, Entry>();

  constructor(
    readonly graph: OnnxGraph,
    readonly target: Target,
    private readonly lowerEquation: (context: LoweringContext, equation: Equation) => void,
    private readonly outer?: LoweringContext,
  ) {}

  /** The ONNX value of a variable, in its full shape. */
  value(v: Variable): Value {
    if (!this.entries.has(v) && this.outer !== undefined) return this.outer.value(v);
    const entry = this.entry(v);
    if (entry.full !== undefined) return entry.full;
    let full = entry.value;
    if (entry.permutation !== undefined) {
      const shape = entry.permutation.map((axis) => full.shape[axis]);
      full = this.emit("Transpose", [full], { shape, type: full.type }, { perm: entry.permutation });
    } else if (!sameShape(full.shape, v.shape)) {
      full = this.emit("Expand", [full, this.graph.integers(v.shape)], { shape: v.shape, type: full.type });
    }
    entry.full = full;
    return full;
  }

  values(equation: Equation): Value[] {
    return equation.inputs.map((v) => this.value(v));
  }

  /** A value that broadcasts to the variable's shape, possibly smaller. */
  unexpanded(v: Variable): Value {
    const entry = this.entry(v);
    return entry.permutation === undefined ? entry.value : this.value(v);
  }

  /** A matrix of which the last two axes may be the other way round. */
  matrix(v: Variable): { value: Value; transposed: boolean } {
    const { permutation, value, full } = this.entry(v);
    const rank = v.shape.length;
    const swapsLast =
      permutation !== undefined &&
      full === undefined &&
      permutation.every((axis, i) => axis === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
    return swapsLast ? { value, transposed: true } : { value: this.value(v), transposed: false };
  }

  define(v: Variable, value: Value): void {
    this.entries.set(v, { value });
  }

  /** Says that `v` is `source` broadcast to the shape of `v`. */
  defineBroadcast(v: Variable, source: Variable): void {
    this.entries.set(v, { value: this.unexpanded(source) });
  }

  defineTransposed(v: Variable, source: Variable, permutation: readonly number[]): void {
    this.entries.set(v, { value: this.value(source), permutation });
  }

  emit(
    operator: string,
    inputs: readonly (Value | null)[],
    output: { shape: Shape; type: ElementType },
    attributes: Record<string, Attribute> = {},
    domain = "",
  ): Value {
    return this.graph.node(operator, inputs, output, attributes, domain);
  }

  /** An elementwise node over values that broadcast with each other. */
  map(
    operator: string,
    inputs: readonly Value[],
    type: ElementType = inputs[0].type,
    attributes: Record<string, Attribute> = {},
  ): Value {
    return this.emit(operator, inputs, { shape: broadcast(inputs.map((v) => v.shape)), type }, attributes);
  }

  scalar(type: ElementType, value: number): Value {
    return this.graph.scalar(type as DType, value);
  }

  reshape(value: Value, shape: Shape): Value {
    if (sameShape(value.shape, shape)) return value;
    return this.emit("Reshape", [value, this.graph.integers(shape)], { shape, type: value.type }, { allowzero: 1 });
  }

  cast(value: Value, type: ElementType, code: number): Value {
    return value.type === type ? value : this.emit("Cast", [value], { shape: value.shape, type }, { to: code });
  }

  /** A known value as a constant; axes that only repeat are kept once. */
  defineConstant(v: Variable, tensor: Tensor): void {
    const { shape, data } = compact(tensor);
    this.entries.set(v, { value: this.graph.constant(tensor.dtype, shape, data) });
  }

  /** The context of a graph nested in a Loop or If, which sees the values of this one. */
  nested(): LoweringContext {
    return new LoweringContext(new OnnxGraph(this.graph), this.target, this.lowerEquation, this);
  }

  /** Emits all operations of a traced graph whose inputs are defined. */
  lower(graph: Graph): Value[] {
    for (const { variable, value } of graph.constants) this.defineConstant(variable, value);
    for (const equation of graph.equations) this.lowerEquation(this, equation);
    return graph.outputs.map((v) => this.value(v));
  }

  unsupported(primitive: string, type: string, why: string): UnsupportedError {
    return new UnsupportedError(
      `${primitive}: ${type} cannot be compiled for ${this.target.device}: ${why}. Run it on the host (no backend), or outside the compiled function`,
    );
  }

  private entry(v: Variable): Entry {
    const entry = this.entries.get(v) ?? this.outer?.entry(v);
    if (entry === undefined) throw new OffprintError(`lowering: variable %${v.id} is used before it is defined`);
    return entry;
  }
}

/** A constant's values without the repetition that broadcasting left in them. */
function compact(tensor: Tensor): { shape: Shape; data: TypedArray } {
  const view = tensor.ndarray();
  const repeats = tensor.shape.map((n, axis) => n > 1 && view.stride[axis] === 0);
  if (!repeats.includes(true)) return { shape: tensor.shape, data: tensor.data() };
  const once = view.hi(...tensor.shape.map((n, axis) => (repeats[axis] ? 1 : n)));
  const shape = once.shape.slice();
  const lead = shape.findIndex((n) => n !== 1);
  const kept = lead < 0 ? [] : shape.slice(lead);
  const out = tensor.data().slice(0, 0).constructor as { new (n: number): TypedArray };
  const data = new out(shape.reduce((a, b) => a * b, 1));
  let next = 0;
  const walk = (axis: number, offset: number): void => {
    if (axis === shape.length) {
      data[next++] = view.data[offset];
      return;
    }
    for (let i = 0; i < shape[axis]; i++) walk(axis + 1, offset + i * view.stride[axis]);
  };
  walk(0, view.offset);
  return { shape: kept, data };
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

export function broadcast(shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    const extents = shapes.map((s) => s[i - rank + s.length] ?? 1);
    return extents.find((n) => n !== 1) ?? 1;
  });
}
