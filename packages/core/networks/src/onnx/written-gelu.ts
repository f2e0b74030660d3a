import type { OnnxGraph, OnnxNode } from "@offprint/onnx-format";
import type { Tensor } from "@offprint/tensor-core";

/** How near the numbers of a GELU in float32 are to its own. */
const TOLERANCE = 1e-6;

const isNear = (value: number, wanted: number): boolean => Math.abs(value - wanted) <= TOLERANCE;

/**
 * The nodes of a graph, with one `Gelu` for each x (1 + erf(x / sqrt 2)) / 2 that is written out, as exporters do below version
 * 20 of the operators: in whatever order the factors stand.
 */
export function withGelu({ nodes, outputs }: OnnxGraph, constants: ReadonlyMap<string, Tensor>): readonly OnnxNode[] {
  if (!nodes.some(({ operator }) => operator === "Erf")) return nodes;
  const graph = new Uses(nodes, new Set(outputs.map(({ name }) => name)), constants);
  const replaced = new Map<OnnxNode, OnnxNode | undefined>();
  for (const node of nodes) {
    const found = node.operator === "Erf" ? geluAround(node, graph) : undefined;
    if (found === undefined) continue;
    for (const part of found.parts) replaced.set(part, undefined);
    const { name, outputs } = found.last;
    replaced.set(found.last, { ...found.last, operator: "Gelu", name, inputs: [found.x], outputs, attributes: {} });
  }
  return nodes.flatMap((node) => (replaced.has(node) ? (replaced.get(node) ?? []) : node));
}

/** What a written GELU takes, the nodes that it is, and the one that gives its value. */
interface Written {
  readonly x: string;
  readonly parts: readonly OnnxNode[];
  readonly last: OnnxNode;
}

function geluAround(erf: OnnxNode, graph: Uses): Written | undefined {
  const inner = graph.scaling(erf.inputs[0]);
  if (inner === undefined || !isNear(inner.factor, Math.SQRT1_2)) return undefined;
  const x = inner.from;
  const one = graph.onlyUse(erf);
  if (one?.operator !== "Add" || graph.number(other(one, erf.outputs[0])) !== 1) return undefined;
  const parts = [inner.node, erf, one];
  let [last, factor, gated] = [one, 1, false];
  while (!gated || !isNear(factor, 0.5)) {
    const [value] = last.outputs;
    const next = graph.onlyUse(last);
    if (next === undefined) return undefined;
    const scaling = graph.scaling(next.outputs[0], true);
    if (scaling?.from === value) factor *= scaling.factor;
    else {
      if (gated || next.operator !== "Mul") return undefined;
      // The other factor is x, or a multiple of it.
      let source = other(next, value);
      while (source !== x) {
        const multiple = graph.scaling(source);
        if (multiple === undefined) return undefined;
        factor *= multiple.factor;
        parts.push(multiple.node);
        source = multiple.from;
      }
      gated = true;
    }
    parts.push(next);
    last = next;
  }
  return { x, parts, last };
}

const other = ({ inputs: [a, b] }: OnnxNode, value: string): string => (a === value ? b : a);

/** A value that is a number times another one. */
interface Scaling {
  readonly from: string;
  readonly factor: number;
  readonly node: OnnxNode;
}

/** Which nodes give and take the values of a graph. */
class Uses {
  private readonly makers = new Map<string, OnnxNode>();
  private readonly takers = new Map<string, OnnxNode[]>();

  constructor(
    nodes: readonly OnnxNode[],
    private readonly results: ReadonlySet<string>,
    private readonly constants: ReadonlyMap<string, Tensor>,
  ) {
    for (const node of nodes) {
      for (const name of node.outputs) this.makers.set(name, node);
      for (const name of node.inputs) this.takers.set(name, [...(this.takers.get(name) ?? []), node]);
    }
  }

  /** The one number that a constant is. */
  number(name: string): number | undefined {
    const value = this.constants.get(name);
    return value?.size === 1 ? value.item() : undefined;
  }

  /** The node that takes a node's value, where nobody else does. */
  onlyUse({ outputs: [name] }: OnnxNode): OnnxNode | undefined {
    const takers = this.takers.get(name) ?? [];
    return takers.length === 1 && !this.results.has(name) ? takers[0] : undefined;
  }

  /** How a value is another one times a number; where it is used once, or `always`. */
  scaling(name: string, always = false): Scaling | undefined {
    const node = this.makers.get(name);
    if (node === undefined || (node.operator !== "Mul" && node.operator !== "Div")) return undefined;
    if (!always && this.onlyUse(node) === undefined) return undefined;
    const [a, b] = node.inputs;
    const [first, second] = [this.number(a), this.number(b)];
    if (second !== undefined) return { from: a, factor: node.operator === "Mul" ? second : 1 / second, node };
    return first !== undefined && node.operator === "Mul" ? { from: b, factor: first, node } : undefined;
  }
}
