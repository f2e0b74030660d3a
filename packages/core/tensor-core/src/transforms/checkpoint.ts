import { requireFunction } from "../arguments.js";
import { traceFlat } from "../compile/trace.js";
import { asTensor, zerosLike } from "../construct.js";
import { flattenTensors } from "../control/loop-body.js";
import { TraceError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import { isNestedTrace, recordingAbove, recordingBelow } from "../levels.js";
import { bindOne } from "../primitive.js";
import { identityP } from "../primitives/elementwise.js";
import type { Tensor, TensorLike } from "../tensor.js";
import * as tree from "../tree.js";
import { customVjp } from "./custom-vjp.js";
import { lineariseFloats } from "./vjp.js";

let barriers = 0;

/**
 * `f` with a gradient that computes `f` again instead of keeping its intermediate values: less memory for about one
 * more evaluation. Gradients flow to the arguments and to what `f` closes over. Where `f` reads values, or closes over
 * variables and loops with `whileLoop`, it runs as it is and its intermediate values are kept.
 */
export function checkpoint<A extends unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  requireFunction("checkpoint", "the first argument", f);
  return (...args) => {
    if (recordingAbove(0) === 0 && !isNestedTrace()) return f(...args);
    const open = opened(f, args);
    if (open === undefined) return f(...args);
    return open.captured.length === 0 ? recomputed(f)(...args) : recomputed(open.body)(args, open.captured);
  };
}

/** `f` as a function of its arguments and of the variables that it closes over; undefined where it cannot be traced. */
function opened<A extends unknown[], R>(f: (...args: A) => R, args: A) {
  const flat = tree.flatten(args);
  let structure: tree.TreeStructure | undefined;
  try {
    const { graph, captured } = traceFlat(
      (variables) => {
        const result = tree.flatten(f(...tree.unflatten<A>(flat.structure, variables)));
        structure = result.structure;
        return result.leaves.map((leaf) => asTensor(leaf as TensorLike));
      },
      flat.leaves.map((leaf) => asTensor(leaf as TensorLike)),
    );
    // A traced loop of unknown length has no gradient, an eager one has.
    if (captured.length > 0 && loopsFreely(graph)) return undefined;
    const body = (given: A, variables: readonly Tensor[]): R =>
      tree.unflatten<R>(
        structure as tree.TreeStructure,
        graph.apply([...tree.leaves<TensorLike>(given).map((leaf) => asTensor(leaf)), ...variables]),
      );
    return { body, captured };
  } catch (error) {
    if (error instanceof TraceError) return undefined;
    throw error;
  }
}

function loopsFreely(graph: Graph): boolean {
  return graph.equations.some(({ primitive, params }) => {
    if (primitive.name === "whileLoop") return true;
    return Object.values((params ?? {}) as object).some(
      (value) => typeof value === "object" && value !== null && "equations" in value && loopsFreely(value as Graph),
    );
  });
}

function recomputed<A extends unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  return customVjp(
    f,
    (...args) => [recordingBelow(1, () => f(...args)), args],
    (args, cotangent) => {
      // Without the barrier a graph would merge the second evaluation with the first.
      const barrier = ++barriers;
      const { leaves, structure } = flattenTensors(args);
      const again = leaves.map((leaf) => bindOne(identityP, [leaf], { barrier }));
      const results = (given: Tensor[]) => flattenTensors(f(...tree.unflatten<A>(structure, given))).leaves;
      const gradients = lineariseFloats(results, again).pullback(flattenTensors(cotangent).leaves);
      return tree.unflatten<A>(
        structure,
        gradients.map((g, i) => g ?? zerosLike(again[i])),
      );
    },
  );
}
