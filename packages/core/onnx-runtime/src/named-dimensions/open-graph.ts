import { elementTypeCode } from "@offprint/onnx-format";
import { type TypedArray, UnsupportedError } from "@offprint/tensor-core";
import { type Attribute, GraphBuilder, type Initializer, type Value } from "../model/graph-builder.js";
import { constantOf, type Formula, formulaOf, textOf } from "./formula.js";

/** An entry of a constant: a number, a formula, or 1 over a formula. */
type Entry = { readonly formula: Formula; readonly reciprocal: boolean };

/**
 * One graph for all extents, from the graphs of the samples: they differ in numbers only, and these become formulas that
 * the graph computes from the shapes of its inputs.
 *
 * @throws UnsupportedError where the samples differ in more than that
 */
export function openGraph(graphs: readonly GraphBuilder[], names: readonly string[]): GraphBuilder {
  return new Opening(graphs, names).graph;
}

class Opening {
  readonly graph: GraphBuilder;
  private readonly open = new Map<string, { initializer: Initializer; entries: Entry[] }>();
  private readonly computed = new Map<string, Value>();
  private readonly extents = new Map<number, Value>();

  constructor(
    private readonly graphs: readonly GraphBuilder[],
    private readonly names: readonly string[],
  ) {
    this.graph = graphs[0];
    this.compareNodes(graphs);
    this.compareInitializers();
    this.declare(graphs);
    this.replace();
  }

  private refuse(what: string): UnsupportedError {
    return new UnsupportedError(
      `toOnnx: the extents ${this.names.join(", ")} cannot be left open: ${what}; give numbers instead of the names, or ` +
        "pass what depends on them as arguments",
    );
  }

  /** The samples must do the same in the same order. */
  private compareNodes(graphs: readonly GraphBuilder[]): void {
    const [first, ...others] = graphs;
    for (const other of others) {
      const at = first.nodes.findIndex((node, k) => node.operator !== other.nodes[k]?.operator);
      if (at >= 0 || other.nodes.length !== first.nodes.length) {
        throw this.refuse(`what is computed depends on them, from ${first.nodes[at]?.operator ?? "the end"} on`);
      }
    }
    first.nodes.forEach((node, k) => {
      const same = others.every(
        ({ nodes }) => nodes[k].inputs.join() === node.inputs.join() && nodes[k].outputs.join() === node.outputs.join(),
      );
      if (!same) throw this.refuse(`the operands of ${node.operator} depend on them`);
      for (const [key, value] of Object.entries(node.attributes)) {
        const values = graphs.map(({ nodes }) => nodes[k].attributes[key]);
        if (value instanceof GraphBuilder) this.compareNodes(values as GraphBuilder[]);
        else if (values.some((other) => !sameAttribute(value, other)))
          throw this.refuse(`${key} of ${node.operator} depends on them`);
      }
    });
  }

  private compareInitializers(): void {
    const [first, ...others] = this.graphs.map(({ initializers }) => initializers);
    first.forEach((initializer, k) => {
      const all = [initializer, ...others.map((list) => list[k])];
      if (all.every(({ data }) => sameNumbers(data, initializer.data))) return;
      if (all.some(({ data }) => data.length !== initializer.data.length)) throw this.refuse(this.longConstant(all));
      const entries = Array.from({ length: initializer.data.length }, (_, i) =>
        this.entry(
          initializer,
          all.map(({ data }) => Number(data[i])),
        ),
      );
      this.open.set(initializer.value.name, { initializer, entries });
    });
  }

  private longConstant(all: readonly Initializer[]): string {
    const formula = formulaOf(
      all.map(({ data }) => data.length),
      this.names.length,
    );
    const size = formula === undefined ? "as many numbers as they say" : `${textOf(formula, this.names)} numbers`;
    return `a constant of ${size} is used by ${this.userOf(all[0])}`;
  }

  private userOf({ value }: Initializer): string {
    return this.graph.nodes.find(({ inputs }) => inputs.includes(value.name))?.operator ?? "a loop";
  }

  private entry(initializer: Initializer, values: readonly number[]): Entry {
    const formula = formulaOf(values, this.names.length);
    if (formula !== undefined) return { formula, reciprocal: false };
    const inverted = values.map((v) => Math.round(1 / v));
    const exact = (v: number) => (initializer.value.type === "float32" ? Math.fround(v) : v);
    const over = values.every((v, k) => exact(1 / inverted[k]) === v)
      ? formulaOf(inverted, this.names.length)
      : undefined;
    if (over !== undefined) return { formula: over, reciprocal: true };
    throw this.refuse(
      `a number that ${this.userOf(initializer)} takes depends on them in another way than by products and sums`,
    );
  }

  /** Inputs and results are declared with names for their open extents. */
  private declare(graphs: readonly GraphBuilder[]): void {
    const [first] = graphs;
    for (const side of ["inputs", "outputs"] as const) {
      first[side].forEach((value, k) => {
        const shape = value.shape.map((_, axis) => {
          const extents = graphs.map((graph) => graph[side][k].shape[axis]);
          const formula = formulaOf(extents, this.names.length);
          if (formula === undefined) return `${value.name}_axis${axis}`;
          return constantOf(formula) ?? textOf(formula, this.names);
        });
        this.graph.declareShape(value, shape);
      });
    }
    first.nodes.forEach((node, k) => {
      for (const [key, value] of Object.entries(node.attributes)) {
        if (value instanceof GraphBuilder)
          this.declare(graphs.map(({ nodes }) => nodes[k].attributes[key] as GraphBuilder));
      }
    });
  }

  /** Puts what is computed in the place of the constants that differ. */
  private replace(): void {
    const { nodes } = this.graph;
    const own = nodes.length;
    this.replaceIn(this.graph, own);
    nodes.unshift(...nodes.splice(own));
    this.graph.dropInitializers(new Set(this.open.keys()));
  }

  private replaceIn(graph: GraphBuilder, count: number): void {
    for (let k = 0; k < count; k++) {
      const node = graph.nodes[k];
      const inputs = node.inputs.map((name, place) => {
        if (!this.open.has(name)) return name;
        const rest = node.operator === "Reshape" && place === 1 ? this.restOf(name) : undefined;
        return (rest ?? this.valueOf(name)).name;
      });
      graph.nodes[k] = { ...node, inputs };
      for (const attribute of Object.values(node.attributes)) {
        if (attribute instanceof GraphBuilder) this.replaceIn(attribute, attribute.nodes.length);
      }
    }
  }

  /** The target of a reshape of which one extent is open: that is what is left. */
  private restOf(name: string): Value | undefined {
    const numbers = this.open.get(name)?.entries.map(({ formula }) => constantOf(formula)) ?? [];
    const isOne = numbers.filter((n) => n === undefined).length === 1 && !numbers.includes(0);
    return isOne ? this.graph.integers(numbers.map((n) => n ?? -1)) : undefined;
  }

  private valueOf(name: string): Value {
    const known = this.computed.get(name);
    if (known !== undefined) return known;
    const { initializer, entries } = this.open.get(name) as { initializer: Initializer; entries: Entry[] };
    const { type, shape } = initializer.value;
    const parts = entries.map(({ formula }) => this.sum(formula));
    const reciprocal = entries.every((entry) => entry.reciprocal);
    if (!reciprocal && entries.some((entry) => entry.reciprocal)) {
      throw this.refuse(`numbers that ${this.userOf(initializer)} takes depend on them in several ways`);
    }
    const g = this.graph;
    const vector = { shape: [entries.length], type: "int64" } as const;
    let value = parts.length === 1 ? parts[0] : g.node("Concat", parts, vector, { axis: 0 });
    if (type !== "int64") value = g.node("Cast", [value], { ...vector, type }, { to: elementTypeCode(type) });
    if (reciprocal) value = g.node("Reciprocal", [value], { ...vector, type });
    if (shape.length !== 1) value = g.node("Reshape", [value, g.integers(shape)], { shape, type });
    this.computed.set(name, value);
    return value;
  }

  /** A formula as an int64 vector of one element. */
  private sum({ terms }: Formula): Value {
    const g = this.graph;
    const one = { shape: [1], type: "int64" } as const;
    const products = terms.map(({ factor, powers }) => {
      const extents = powers.flatMap((power, name) => new Array<Value>(power).fill(this.extent(name)));
      const factors = factor === 1 && extents.length > 0 ? extents : [g.integers([factor]), ...extents];
      return factors.reduce((a, b) => g.node("Mul", [a, b], one));
    });
    return products.length === 0 ? g.integers([0]) : products.reduce((a, b) => g.node("Add", [a, b], one));
  }

  /** The extent of a name, from the first input that has it. */
  private extent(name: number): Value {
    const known = this.extents.get(name);
    if (known !== undefined) return known;
    for (const input of this.graph.inputs) {
      const axis = this.graph.declaredShape(input).indexOf(this.names[name]);
      if (axis < 0) continue;
      const value = this.graph.node("Shape", [input], { shape: [1], type: "int64" }, { start: axis, end: axis + 1 });
      this.extents.set(name, value);
      return value;
    }
    throw this.refuse(`no input has the extent ${this.names[name]}`);
  }
}

function sameAttribute(a: Attribute, b: Attribute | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameNumbers(a: TypedArray | BigInt64Array, b: TypedArray | BigInt64Array): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((v, i) => Object.is(v, b[i]));
}
