import { requireFunction } from "../arguments.js";
import { asTensor } from "../construct.js";
import { ValueError } from "../errors.js";
import { applied, type TensorFunction, type TreeFunction } from "../function-types.js";
import { GraphBuilder } from "../graph/builder.js";
import { Graph } from "../graph/graph.js";
import { inlineCalls } from "../graph/inline.js";
import { withTrace } from "../levels.js";
import { type Spec, takingIn } from "../primitive.js";
import { released } from "../tape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import * as tree from "../tree.js";

/** A traced body and the outer traced values it uses, which are the last inputs of its graph. */
export interface OpenGraph {
  readonly graph: Graph;
  readonly captured: readonly Tensor[];
}

/**
 * Traces a flat function. Values from outside that are known become constants of the graph; values of an outer
 * trace, gradient or batch become further inputs, listed in `captured`. Operations on those alone are carried out where
 * they are, once, or belong to a branch, which may not be taken.
 */
export function traceFlat(
  f: (inputs: Tensor[]) => readonly Tensor[],
  specs: readonly Spec[],
  options: { readonly isBranch?: boolean } = {},
): OpenGraph {
  return withTrace((level) => {
    const builder = new GraphBuilder(level);
    const inputs = specs.map((spec) => builder.input(spec));
    const results = options.isBranch ? takingIn(builder, () => f(inputs)) : f(inputs);
    const outputs = results.map((y) => builder.variableOf(y));
    // Gradients that were taken inside the body are over: their variables are plain values.
    const captures = builder.close().map(({ variable, value }) => ({ variable, value: released(value) }));
    const constant = captures.filter((c) => c.value.storage.kind === "host" && c.value.record === null);
    const free = captures.filter((c) => !constant.includes(c));
    const graph = new Graph([...builder.inputs, ...free.map((c) => c.variable)], constant, builder.equations, outputs);
    return { graph, captured: free.map((c) => c.value) };
  });
}

/**
 * Runs `f` once on stand-ins for its arguments and gives the operations it carries out as a graph. Each argument is
 * a tree of tensors or of `{ shape, dtype }`; everything else that `f` uses becomes constant. Custom and stopped
 * gradients are not part of the graph: take gradients inside `f`, not of the graph.
 * @throws TraceError where `f` reads a value; ValueError where it uses a value of an unfinished gradient or `vmap`.
 * @example console.log(String(trace(grad((w) => sum(square(w))), { shape: [3], dtype: "float32" })))
 */
export function trace<F extends TreeFunction = TensorFunction>(f: F, ...specs: readonly unknown[]): Graph {
  requireFunction("trace", "the first argument", f);
  const flat = flattenSpecs(specs);
  return traceTree(f, flat.structure, flat.specs);
}

/** @internal */
export function traceTree(f: TreeFunction, structure: tree.TreeStructure, specs: readonly Spec[]): Graph {
  let outputStructure: tree.TreeStructure | null = null;
  const { graph, captured } = traceFlat((inputs) => {
    const result = tree.flatten(applied(f, tree.unflatten<unknown[]>(structure, inputs)));
    outputStructure = result.structure;
    return result.leaves.map((leaf) => asTensor(leaf as TensorLike));
  }, specs);
  if (captured.length > 0) {
    throw new ValueError(
      "trace: the function uses a value of an unfinished gradient, vmap or trace, or one on a device; pass it as an argument",
    );
  }
  const whole = new Graph(graph.inputs, graph.constants, graph.equations, graph.outputs, structure, outputStructure);
  return inlineCalls(whole);
}

/** @throws ValueError for a shape without a dtype, which would be a tree of its extents. */
function isSpec(value: unknown): value is Spec {
  if (typeof value !== "object" || value === null || !Array.isArray((value as Spec).shape)) return false;
  const { shape, dtype } = value as Spec;
  const members = Object.keys(value).length;
  if (members === 1 && shape.every(Number.isInteger)) {
    throw new ValueError(`trace: { shape: [${shape}] } has no dtype; give { shape: [${shape}], dtype: "float32" }`);
  }
  return members === 2 && typeof dtype === "string";
}

function flattenSpecs(args: readonly unknown[]): { specs: Spec[]; structure: tree.TreeStructure } {
  // A spec looks like a subtree, so it is hidden inside a box while the tree is taken apart.
  class Box {
    constructor(readonly spec: Spec) {}
  }
  const boxed = (node: unknown): unknown => {
    if (isSpec(node)) return new Box(node);
    if (Array.isArray(node)) return node.map(boxed);
    if (typeof node === "object" && node !== null && Object.getPrototypeOf(node) === Object.prototype) {
      return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, boxed(value)]));
    }
    return node;
  };
  const flat = tree.flatten(boxed(args));
  const specs = flat.leaves.map((leaf) => {
    const { shape, dtype } = leaf instanceof Box ? leaf.spec : asTensor(leaf as TensorLike);
    return { shape, dtype };
  });
  return { specs, structure: flat.structure };
}
