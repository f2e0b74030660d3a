import type { Primitive } from "../primitive.js";
import { broadcastToP, reshapeP, transposeP } from "../primitives/movement.js";
import type { Equation, Variable } from "./builder.js";
import { Graph } from "./graph.js";

/** Ways to read a value otherwise, which cost less than the copy that keeping their result would. */
const readings: ReadonlySet<unknown> = new Set<unknown>([transposeP, reshapeP, broadcastToP] as Primitive<never>[]);

/** A graph in two, of which the first need not run again while the first inputs stay. */
export interface SplitGraph {
  /** Of the first inputs alone: everything that the second uses of them. */
  readonly first: Graph;
  /** Of that and the other inputs: the outputs of the whole. */
  readonly second: Graph;
}

/** Takes a graph apart into what depends on the first `count` inputs alone and the rest. */
export function splitGraph(graph: Graph, count: number): SplitGraph {
  const { inputs, equations, constants, outputs, outputStructure } = graph;
  const others = inputs.slice(count);
  const varying = new Set<Variable>(others);
  for (const e of equations) {
    if (e.inputs.some((x) => varying.has(x))) for (const y of e.outputs) varying.add(y);
  }
  const known = new Set(constants.map(({ variable }) => variable));
  const kept = new Set<Variable>();
  const need = (x: Variable) => {
    if (!varying.has(x) && !known.has(x)) kept.add(x);
  };
  for (const y of outputs) need(y);
  // From the end, so that every use of a reading is seen before it.
  const last: Equation[] = [];
  for (const e of [...equations].reverse()) {
    const again = e.outputs.some((y) => varying.has(y)) || (readings.has(e.primitive) && kept.delete(e.outputs[0]));
    if (!again) continue;
    last.push(e);
    for (const x of e.inputs) need(x);
  }
  const between = [...kept];
  return {
    first: new Graph(inputs.slice(0, count), constants, equations, between),
    second: new Graph([...between, ...others], constants, last.reverse(), outputs, null, outputStructure),
  };
}
