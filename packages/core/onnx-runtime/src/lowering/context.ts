import type { DType, ElementType, Equation, Graph, Shape, Tensor, TypedArray, Variable } from "@offprint/tensor-core";
import { OffprintError, UnsupportedError } from "@offprint/tensor-core";
import type { Attribute, Value } from "../model/graph-builder.js";
import { GraphBuilder } from "../model/graph-builder.js";

/** What a graph is compiled for: some operators exist on one device only. */
export interface Target {
  readonly device: string;
  /** Whether extents are samples of many, so that nothing may be decided by them. */
  readonly open?: boolean;
}

/** A matrix product `alpha A B + beta C` that is not emitted yet, so that what follows it can still become part of it. */
export interface Product {
  readonly a: Value;
  readonly b: Value;
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
  readonly beta: number;
  readonly addend: Value | null;
}

/** A sum over axes that is not emitted yet: divided by the count it is a mean. */
export interface PendingSum {
  readonly source: Value;
  readonly axes: readonly number[];
  /** Whether the axes stay, with extent 1. */
  readonly keeps: boolean;
}

/**
 * What a traced variable is in the ONNX graph. A value may be smaller than the variable's shape, which it broadcasts to.
 * Broadcasts, transposes, reshapes, products and sums stay pending, since most consumers take them for free.
 */
type Pending =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "transpose"; readonly source: Value; readonly permutation: readonly number[] }
  | { readonly kind: "reshape"; readonly source: Value }
  | { readonly kind: "product"; readonly product: Product }
  | { readonly kind: "sum"; readonly sum: PendingSum };

interface Entry {
  readonly pending: Pending;
  /** The value written out in its full shape, once somebody needed that. */
  full?: Value;
}

/** Emits the nodes of one graph. A lowering asks it for its inputs and tells it its outputs. */
export class LoweringContext {
  private readonly entries = new Map<Variable, Entry>();
  /** What uses each variable in the graph; null stands for a result of the graph. */
  private readonly consumers = new Map<Variable, (Equation | null)[]>();
  private readonly producers = new Map<Variable, Equation>();

  constructor(
    readonly graph: GraphBuilder,
    readonly target: Target,
    private readonly lowerEquation: (context: LoweringContext, equation: Equation) => void,
    private readonly outer?: LoweringContext,
  ) {}

  /** The ONNX value of a variable, in its full shape. */
  value(v: Variable): Value {
    if (!this.entries.has(v) && this.outer !== undefined) return this.outer.value(v);
    const entry = this.entry(v);
    entry.full ??= this.writeOut(entry.pending, v);
    return entry.full;
  }

  private writeOut(pending: Pending, v: Variable): Value {
    switch (pending.kind) {
      case "value":
        if (sameShape(pending.value.shape, v.shape)) return pending.value;
        return this.emit("Expand", [pending.value, this.graph.integers(v.shape)], { shape: v.shape, type: v.dtype });
      case "transpose":
        return this.emit(
          "Transpose",
          [pending.source],
          { shape: v.shape, type: v.dtype },
          { perm: pending.permutation },
        );
      case "reshape":
        return this.reshape(pending.source, v.shape);
      case "product":
        return this.emitProduct(pending.product, v);
      case "sum":
        return this.emitReduction("ReduceSum", pending.sum, v.shape);
    }
  }

  /** A reduction over the axes of a sum. */
  emitReduction(operator: string, { source, axes, keeps }: PendingSum, shape: Shape): Value {
    const output = { shape, type: source.type };
    return this.emit(operator, [source, this.graph.integers(axes)], output, { keepdims: keeps ? 1 : 0 });
  }

  private emitProduct({ a, b, transA, transB, alpha, beta, addend }: Product, v: Variable): Value {
    const attributes: Record<string, Attribute> = { transA: transA ? 1 : 0, transB: transB ? 1 : 0 };
    if (alpha !== 1) attributes.alpha = { float: alpha };
    if (beta !== 1) attributes.beta = { float: beta };
    const operands = addend === null ? [a, b] : [a, b, addend];
    return this.emit("Gemm", operands, { shape: v.shape, type: v.dtype }, attributes);
  }

  values(equation: Equation): Value[] {
    return equation.inputs.map((v) => this.value(v));
  }

  /** A value that broadcasts to the variable's shape, possibly smaller. */
  unexpanded(v: Variable): Value {
    const { pending } = this.entry(v);
    return pending.kind === "value" ? pending.value : this.value(v);
  }

  /** A matrix of which the last two axes may be the other way round. */
  matrix(v: Variable): { value: Value; transposed: boolean } {
    const { pending, full } = this.entry(v);
    const rank = v.shape.length;
    const swapsLast =
      pending.kind === "transpose" &&
      full === undefined &&
      pending.permutation.every((axis, i) => axis === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
    return swapsLast ? { value: pending.source, transposed: true } : { value: this.value(v), transposed: false };
  }

  /** The pending product behind a variable that nothing else uses. */
  soleProduct(v: Variable): Product | undefined {
    const entry = this.entries.get(v);
    if (entry === undefined || entry.full !== undefined || entry.pending.kind !== "product") return undefined;
    return this.consumers.get(v)?.length === 1 ? entry.pending.product : undefined;
  }

  /** The pending sum behind a variable that nothing else uses. */
  soleSum(v: Variable): PendingSum | undefined {
    const entry = this.entries.get(v);
    if (entry === undefined || entry.full !== undefined || entry.pending.kind !== "sum") return undefined;
    return this.consumers.get(v)?.length === 1 ? entry.pending.sum : undefined;
  }

  /** The number that a variable is everywhere, where that is known. */
  constantOf(v: Variable): number | undefined {
    const { pending } = this.entry(v);
    return pending.kind === "value" ? this.graph.numberOf(pending.value) : undefined;
  }

  /** What uses a variable in the graph; null stands for a result of the graph. */
  consumersOf(v: Variable): readonly (Equation | null)[] {
    return this.consumers.get(v) ?? [];
  }

  /** The one operation that uses a variable, if there is just one. */
  soleConsumer(v: Variable): Equation | undefined {
    const consumers = this.consumersOf(v);
    return consumers.length === 1 ? (consumers[0] ?? undefined) : undefined;
  }

  /** The operation of the graph that computes a variable, if one does. */
  producer(v: Variable): Equation | undefined {
    return this.producers.get(v);
  }

  private note(v: Variable, consumer: Equation | null): void {
    const consumers = this.consumers.get(v);
    if (consumers === undefined) this.consumers.set(v, [consumer]);
    else consumers.push(consumer);
  }

  /** Says that `v` has the values of `root` in order, in another shape. */
  defineReshapeOf(v: Variable, root: Value): void {
    this.entries.set(v, {
      pending: sameShape(root.shape, v.shape) ? { kind: "value", value: root } : { kind: "reshape", source: root },
    });
  }

  define(v: Variable, value: Value): void {
    this.entries.set(v, { pending: { kind: "value", value } });
  }

  defineProduct(v: Variable, product: Product): void {
    this.entries.set(v, { pending: { kind: "product", product } });
  }

  defineSum(v: Variable, sum: PendingSum): void {
    this.entries.set(v, { pending: { kind: "sum", sum } });
  }

  /** Says that `v` is `source`, perhaps broadcast; what is pending stays so where nothing else uses it. */
  defineSame(v: Variable, source: Variable): void {
    const alone = this.consumers.get(source)?.length === 1 && sameShape(v.shape, source.shape);
    if (alone && this.entries.has(source)) this.entries.set(v, this.entry(source));
    else this.define(v, this.unexpanded(source));
  }

  /** Says that `v` is `source` broadcast to the shape of `v`. */
  defineBroadcast(v: Variable, source: Variable): void {
    this.define(v, this.unexpanded(source));
  }

  defineTransposed(v: Variable, source: Variable, permutation: readonly number[]): void {
    this.entries.set(v, { pending: { kind: "transpose", source: this.value(source), permutation } });
  }

  /** Says that `v` has the values of `source` in order; reshapes of reshapes are one. */
  defineReshaped(v: Variable, source: Variable): void {
    const { pending } = this.entry(source);
    if (pending.kind === "value" && pending.value.shape.length === 0) {
      this.define(v, pending.value);
      return;
    }
    const sum = this.soleSum(source);
    if (sum !== undefined && sameShape(v.shape, keptShape(sum))) {
      this.defineSum(v, { ...sum, keeps: true });
      return;
    }
    this.defineReshapeOf(v, pending.kind === "reshape" ? pending.source : this.value(source));
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

  /** A known value as a constant; axes that only repeat are kept once. */
  defineConstant(v: Variable, tensor: Tensor): void {
    const { shape, data } = compact(tensor);
    this.define(v, this.graph.constant(tensor.dtype, shape, data));
  }

  /** The context of a graph nested in a Loop or If, which sees the values of this one. */
  nested(): LoweringContext {
    return new LoweringContext(new GraphBuilder(this.graph), this.target, this.lowerEquation, this);
  }

  /** Emits all operations of a traced graph whose inputs are defined. */
  lower(graph: Graph): Value[] {
    for (const { variable, value } of graph.constants) this.defineConstant(variable, value);
    for (const equation of graph.equations) {
      for (const v of equation.inputs) this.note(v, equation);
      for (const v of equation.outputs) this.producers.set(v, equation);
    }
    for (const v of graph.outputs) this.note(v, null);
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

/** The shape of a sum whose axes stay. */
function keptShape({ source, axes }: PendingSum): Shape {
  return source.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
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
  // Only what is there once is looked at: the whole may be larger than memory.
  const data = new (view.data.constructor as { new (n: number): TypedArray })(shape.reduce((a, b) => a * b, 1));
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
