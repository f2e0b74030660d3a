import { requireObject } from "../arguments.js";
import { bind } from "../primitive.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import type { TreeStructure } from "../tree.js";
import type { Capture, Equation, Variable } from "./builder.js";
import { paramsText } from "./params.js";

/**
 * A traced function: typed variables, the operations in order, and constants. Equal operations are merged and
 * operations whose results are not used are gone.
 */
export class Graph {
  /** The operations, each after those whose results it uses. */
  readonly equations: readonly Equation[];
  /** Known values that the operations use. */
  readonly constants: readonly Capture[];

  constructor(
    readonly inputs: readonly Variable[],
    constants: readonly Capture[],
    equations: readonly Equation[],
    readonly outputs: readonly Variable[],
    /** How the flat inputs and outputs make up the arguments and the result of the traced function. */
    readonly inputStructure: TreeStructure | null = null,
    readonly outputStructure: TreeStructure | null = null,
  ) {
    requireObject("Graph", "inputs", inputs, "an array");
    requireObject("Graph", "constants", constants, "an array");
    requireObject("Graph", "equations", equations, "an array");
    requireObject("Graph", "outputs", outputs, "an array");
    const used = new Set<Variable>(outputs);
    const alive: Equation[] = [];
    for (let i = equations.length - 1; i >= 0; i--) {
      if (!equations[i].outputs.some((v) => used.has(v))) continue;
      alive.push(equations[i]);
      for (const v of equations[i].inputs) used.add(v);
    }
    this.equations = alive.reverse();
    this.constants = constants.filter((c) => used.has(c.variable));
  }

  /** Carries the graph out, operation by operation, on tensors of any kind. */
  apply(inputs: readonly Tensor[]): Tensor[] {
    return this.carryOut(inputs, bindEquation);
  }

  /** @internal `apply` with each operation carried out by `operate`. */
  carryOut(
    inputs: readonly Tensor[],
    operate: (equation: Equation, inputs: readonly Tensor[]) => readonly Tensor[],
  ): Tensor[] {
    const values = new Map<Variable, Tensor>();
    this.inputs.forEach((v, i) => {
      values.set(v, inputs[i]);
    });
    for (const c of this.constants) values.set(c.variable, c.value);
    const lastUse = this.lastUse();
    this.equations.forEach((equation, position) => {
      const results = operate(
        equation,
        equation.inputs.map((v) => values.get(v) as Tensor),
      );
      for (const v of equation.inputs) if (lastUse.get(v) === position) values.delete(v);
      equation.outputs.forEach((v, i) => {
        values.set(v, results[i]);
      });
    });
    return this.outputs.map((v) => values.get(v) as Tensor);
  }

  /** The graph as text, one operation a line. */
  toString(): string {
    const name = (v: Variable) => `%${v.id}`;
    const typed = (v: Variable) => `${name(v)}: ${v.dtype}${formatShape(v.shape)}`;
    const lines = [`graph(${this.inputs.map(typed).join(", ")})`];
    for (const c of this.constants) lines.push(`  ${typed(c.variable)} = constant`);
    for (const e of this.equations) {
      const params = formatParams(e.params);
      lines.push(`  ${e.outputs.map(typed).join(", ")} = ${e.primitive.name}${params} ${e.inputs.map(name).join(" ")}`);
    }
    lines.push(`  return ${this.outputs.map(name).join(", ")}`);
    return lines.join("\n");
  }

  private lastUseOf: Map<Variable, number> | undefined;

  private lastUse(): Map<Variable, number> {
    if (this.lastUseOf === undefined) {
      this.lastUseOf = new Map();
      this.equations.forEach((e, i) => {
        for (const v of e.inputs) this.lastUseOf?.set(v, i);
      });
      for (const v of this.outputs) this.lastUseOf.delete(v);
    }
    return this.lastUseOf;
  }
}

function bindEquation({ primitive, params }: Equation, inputs: readonly Tensor[]): Tensor[] {
  return bind(primitive, inputs, params);
}

function formatParams(params: unknown): string {
  if (params === null) return "";
  return paramsText(params, (value) => (value instanceof Graph ? `{${value.equations.length} operations}` : value));
}
