import { requireArray, requireFunction } from "../arguments.js";
import { asTensor } from "../construct.js";
import { ShapeError, ValueError } from "../errors.js";
import type { TensorFunction, TreeFunction } from "../function-types.js";
import { isWeak } from "../literals.js";
import { add, mul } from "../ops/elementwise.js";
import { sum } from "../ops/reduction.js";
import { formatShape, sameShape } from "../shape.js";
import { released } from "../tape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import * as tree from "../tree.js";
import { valueAndGrad } from "./grad.js";
import { differentiableLeaves, linearise, zerosOf } from "./vjp.js";

/**
 * The value of `f` at `args` and its derivative along `tangents` (one tree per argument, like the argument).
 * Computed as the transpose of the pullback, which is linear: a traced one costs about two evaluations.
 * @throws ShapeError for a tangent of another shape than its argument.
 */
export function jvp<A extends unknown[], R>(
  f: (...args: A) => R,
  args: readonly [...A],
  tangents: { readonly [K in keyof A]: unknown },
): [value: R, tangent: R] {
  requireFunction("jvp", "the first argument", f);
  requireArray("jvp", args, "arguments");
  const { leaves, structure } = differentiableLeaves("jvp", args);
  const directions = tangentLeaves("jvp", leaves, structure, tangents);
  let resultStructure: tree.TreeStructure | undefined;
  const forward = linearise((variables) => {
    const flat = tree.flatten(f(...tree.unflatten<A>(structure, variables)));
    resultStructure = flat.structure;
    return flat.leaves.map((leaf) => asTensor(leaf as TensorLike));
  }, leaves);
  const transposed = linearise((cotangents) => forward.pullback(cotangents), forward.outputs.map(zerosOf));
  const outputTangents = transposed.pullback(directions);
  const build = (parts: readonly Tensor[]) =>
    tree.unflatten<R>(resultStructure as tree.TreeStructure, parts.map(released));
  return [build(forward.outputs), build(outputTangents)];
}

function tangentLeaves(
  operation: string,
  leaves: readonly Tensor[],
  structure: tree.TreeStructure,
  tangents: unknown,
): Tensor[] {
  const flat = tree.flatten(tangents);
  if (!tree.sameStructure(flat.structure, structure)) {
    throw new ValueError(`${operation}: the tangents must be trees like the arguments`);
  }
  return flat.leaves.map((leaf, i) => {
    const t = asTensor(leaf as TensorLike, isWeak(leaf) && isWeak(leaves[i]) ? undefined : leaves[i].dtype);
    if (!sameShape(t.shape, leaves[i].shape)) {
      throw new ShapeError(
        `${operation}: a tangent has shape ${formatShape(t.shape)}, its argument ${formatShape(leaves[i].shape)}`,
      );
    }
    return t;
  });
}

/** All arguments but the first. */
type Rest<A extends readonly unknown[]> = A extends readonly [unknown?, ...infer R] ? R : never;

/**
 * A function `(x, v, ...rest)` that gives the product of the Hessian of the scalar function `f(x, ...rest)` at x with
 * the tree `v` like x, without forming the Hessian; about the cost of two gradients.
 */
export function hvp<F extends TreeFunction = TensorFunction>(
  f: F,
): (x: Parameters<F>[0], v: Parameters<F>[0], ...rest: Rest<Parameters<F>>) => Parameters<F>[0] {
  requireFunction("hvp", "the first argument", f);
  return (x, v, ...rest) => {
    const { leaves, structure } = differentiableLeaves("hvp", x);
    const directions = tangentLeaves("hvp", leaves, structure, v);
    const slope = (point: unknown) => {
      const gradient = tree.leaves<Tensor>(valueAndGrad(f)(...([point, ...rest] as Parameters<F>))[1]);
      return gradient.map((g, i) => sum(mul(g, directions[i]))).reduce((a, b) => add(a, b));
    };
    return valueAndGrad(slope)(tree.unflatten(structure, leaves))[1] as Parameters<F>[0];
  };
}
