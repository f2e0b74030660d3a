import { requireFunction } from "../arguments.js";
import { asTensor, zerosLike } from "../construct.js";
import { isFloat } from "../dtype.js";
import { DTypeError, ShapeError, ValueError } from "../errors.js";
import { withLevel } from "../levels.js";
import { isWeak, widened, withWide } from "../literals.js";
import { cast } from "../ops/elementwise.js";
import { formatShape, sameShape } from "../shape.js";
import { backward, released, variable } from "../tape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import * as tree from "../tree.js";

/** What a flat function was linearised at. */
export interface Linearised {
  readonly outputs: readonly Tensor[];
  /** Cotangents of the outputs to gradients of the inputs; zeros where an input has no influence. */
  pullback(cotangents: readonly (Tensor | null)[]): Tensor[];
}

/**
 * Runs `f` on variables that equal `inputs` and keeps how its outputs came about. Outputs may depend on outer
 * gradients too; those stay connected.
 */
export function linearise(f: (variables: Tensor[]) => readonly Tensor[], inputs: readonly Tensor[]): Linearised {
  return withLevel(true, (level) => {
    // What is weakly typed is differentiated in float64, in which it is kept.
    const roots = inputs.map((x) => variable(isWeak(x) ? widened(x) : x));
    const results = f(roots.map((root, i) => (isWeak(inputs[i]) ? narrowed(root) : root)));
    const differentiated = results.map((y) => (isWeak(y) ? widened(y) : y));
    return {
      outputs: results,
      pullback: (cotangents) =>
        backward(
          differentiated,
          cotangents.map((g, i) => (g !== null && isWeak(results[i]) ? cast(g, "float64") : g)),
          roots,
          level,
        ).map((g, i) => {
          const gradient = g ?? zerosLike(roots[i]);
          return isWeak(inputs[i]) ? narrowed(gradient) : gradient;
        }),
    };
  });
}

/** `linearise` in the inputs of float types; the others are given to `f` as they are, and their gradients are null. */
export function lineariseFloats(
  f: (inputs: Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
): { readonly outputs: readonly Tensor[]; pullback(cotangents: readonly (Tensor | null)[]): (Tensor | null)[] } {
  const merge = <T>(ofFloats: readonly Tensor[], other: (x: Tensor) => T) => {
    let next = 0;
    return inputs.map((x) => (isFloat(x.dtype) ? ofFloats[next++] : other(x)));
  };
  const floats = inputs.filter((x) => isFloat(x.dtype));
  const { outputs, pullback } = linearise((variables) => f(merge(variables, (x) => x)), floats);
  return {
    outputs,
    pullback: (cotangents) => {
      const ofFloats = cotangents.map((g, i) => (isFloat(outputs[i].dtype) ? g : null));
      return merge(pullback(ofFloats), () => null);
    },
  };
}

/** A float64 tensor as weakly typed. */
function narrowed(wide: Tensor): Tensor {
  return withWide(cast(wide, "float32"), () => wide);
}

/** Zeros like `x`, weakly typed where it is. */
export function zerosOf(x: Tensor): Tensor {
  return isWeak(x) ? narrowed(zerosLike(widened(x))) : zerosLike(x);
}

/** The leaves of a tree as tensors that can have a gradient. */
export function differentiableLeaves(
  operation: string,
  value: unknown,
): { leaves: Tensor[]; structure: tree.TreeStructure } {
  const flat = tree.flatten(value);
  const leaves = flat.leaves.map((leaf) => {
    const t = asTensor(leaf as TensorLike);
    if (!isFloat(t.dtype)) {
      throw new DTypeError(
        `${operation}: an argument is ${t.dtype}, which has no gradient; cast it to float32 or float64, or leave it out`,
      );
    }
    return t;
  });
  return { leaves, structure: flat.structure };
}

/** `x` without history of gradients that have ended, leaf by leaf. */
export function releaseTree<T>(value: T): T {
  return tree.map(
    (leaf) => (leaf !== null && typeof leaf === "object" && "record" in leaf ? released(leaf as Tensor) : leaf),
    value,
  );
}

/**
 * The value of `f` at `args` and the function that takes a cotangent of the result (a tree like the result) to the
 * gradients of all arguments (an array with a tree for each).
 * @throws DTypeError for integer arguments; ShapeError for a cotangent of another shape than the result.
 * @example const [y, pullback] = vjp(f, x); const [dx] = pullback(onesLike(y));
 */
export function vjp<A extends unknown[], R>(
  f: (...args: A) => R,
  ...args: A
): [value: R, pullback: (cotangent: R) => A] {
  requireFunction("vjp", "the first argument", f);
  const { leaves, structure } = differentiableLeaves("vjp", args);
  let resultStructure: tree.TreeStructure | undefined;
  const linear = linearise((variables) => {
    const flat = tree.flatten(f(...tree.unflatten<A>(structure, variables)));
    resultStructure = flat.structure;
    return flat.leaves.map((leaf) => asTensor(leaf as TensorLike));
  }, leaves);
  const value = tree.unflatten<R>(resultStructure as tree.TreeStructure, linear.outputs.map(released));
  const pullback = (cotangent: R): A => {
    const flat = tree.flatten(cotangent);
    if (!tree.sameStructure(flat.structure, resultStructure as tree.TreeStructure)) {
      throw new ValueError("vjp: the cotangent must be a tree like the result of the function");
    }
    const cotangents = flat.leaves.map((leaf, i) => {
      const y = linear.outputs[i];
      const g = asTensor(leaf as TensorLike, typeof leaf === "number" && !isWeak(y) ? y.dtype : undefined);
      if (!sameShape(g.shape, y.shape)) {
        throw new ShapeError(`vjp: a cotangent has shape ${formatShape(g.shape)}, its result ${formatShape(y.shape)}`);
      }
      return g.dtype === y.dtype ? g : asTensor(g, y.dtype);
    });
    return tree.unflatten(structure, linear.pullback(cotangents).map(released));
  };
  return [value, pullback];
}
