import type { CondParams } from "../control/cond.js";
import type { Equation } from "../graph/builder.js";
import type { Graph } from "../graph/graph.js";
import { sizeOf } from "../shape.js";
import type { Compilation } from "./compilation.js";
import { copyInto } from "./groups.js";
import { elementTypes, Value, type View } from "./values.js";

/** Where both branches leave a result. */
type Target = { readonly locals: readonly number[] } | { readonly view: View };

/** A branch of the program. */
export function writeCond(c: Compilation, equation: Equation): boolean {
  const [test, ...operands] = equation.inputs;
  const { onTrue, onFalse } = equation.params as CondParams;
  c.groups.writeAll();
  const values = operands.map((v) => c.find(v));
  const targets = equation.outputs.map((y): Target => {
    const size = sizeOf(y.shape);
    if (size > c.small) return { view: c.allocate(y) };
    return { locals: Array.from({ length: size }, () => c.writer.local(elementTypes[y.dtype])) };
  });
  c.push(c.element(c.find(test)));
  c.note("branch");
  const branch = (graph: Graph) => () => c.scope(() => writeBranch(c, graph, values, targets));
  c.writer.if(branch(onTrue), branch(onFalse));
  equation.outputs.forEach((y, i) => {
    const target = targets[i];
    const places =
      "view" in target
        ? { view: target.view }
        : { elements: target.locals.map((local) => ({ type: elementTypes[y.dtype], local })) };
    c.define(y, new Value(y.shape, y.dtype, places));
  });
  return true;
}

function writeBranch(c: Compilation, graph: Graph, values: readonly Value[], targets: readonly Target[]): void {
  c.enter(graph);
  c.bind(graph.inputs, values);
  c.writeGraph(graph);
  c.groups.writeAll();
  graph.outputs.forEach((v, i) => {
    const value = c.find(v);
    const target = targets[i];
    if ("view" in target) copyInto(c, value, target.view, true);
    else {
      c.elements(value).forEach((element, k) => {
        c.push(element);
        c.writer.set(target.locals[k]);
      });
    }
  });
  for (const v of graph.outputs) c.release(v);
}
