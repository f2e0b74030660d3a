import {
  add,
  cast,
  div,
  maximum,
  mul,
  ShapeError,
  sqrt,
  sub,
  sum,
  type Tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** Two gradients, one of them without its part along the other. */
export interface OrthogonalGradient<P> {
  /** `gF + gB - c gF`. */
  readonly combined: P;
  /** `c = <gF, gB> / max(<gF, gF>, floor)`, a scalar. */
  readonly coefficient: Tensor;
  /** The cosine of the angle between them, 0 where one is 0. */
  readonly cosine: Tensor;
}

/** The inner product of two trees, in float64. */
export function treeDot<P>(a: P, b: P): Tensor {
  const others = tree.leaves<Tensor>(b);
  return tree
    .leaves<Tensor>(a)
    .map((x, i) => sum(mul(cast(x, "float64"), cast(others[i], "float64"))))
    .reduce((total, part) => add(total, part));
}

/**
 * A gradient with the part of another that is orthogonal to it: what pulls against the first is left out, whatever losses they
 * belong to. Traceable.
 * @param gF the gradient that stays whole, a tree
 * @param gB the other, a tree like it
 * @param floor the least `<gF, gF>` to divide by
 * @throws ShapeError for trees that differ; ValueError for a floor that is not positive.
 * @example const { combined } = orthogonalGradient(grad(first)(params), grad(second)(params));
 */
export function orthogonalGradient<P>(gF: P, gB: P, floor = 1e-10): OrthogonalGradient<P> {
  if (tree.leaves(gF).length === 0)
    throw new ValueError("orthogonalGradient: gF has no tensors; give a tree of gradients");
  if (!(floor > 0)) throw new ValueError(`orthogonalGradient: floor is ${floor}; it must be above 0`);
  const [first, second] = [tree.leaves<Tensor>(gF), tree.leaves<Tensor>(gB)];
  if (first.length !== second.length || first.some((x, i) => x.shape.join() !== second[i].shape.join())) {
    throw new ShapeError("orthogonalGradient: the gradients must be trees of tensors of the same shapes");
  }
  const [ff, bb, fb] = [treeDot(gF, gF), treeDot(gB, gB), treeDot(gF, gB)];
  const coefficient = div(fb, maximum(ff, floor));
  const combined = tree.map((f: Tensor, b: Tensor) => add(mul(f, cast(sub(1, coefficient), f.dtype)), b), gF, gB) as P;
  return { combined, coefficient, cosine: div(fb, maximum(sqrt(mul(ff, bb)), 1e-300)) };
}
