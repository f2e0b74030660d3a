import {
  asTensor,
  concatenate,
  mul,
  onesLike,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";

/** What a primitive is: a half-space, or a region bounded by a quadric. */
export type Primitive = "plane" | "quadric";

/** Dimensions of space. */
export type Dim = 2 | 3;

/** Coefficients of a primitive: 3 or 4 of a line or plane, 6 or 10 of a conic or quadric. */
export function featureCount(dim: Dim, primitive: Primitive): number {
  return primitive === "plane" ? dim + 1 : ((dim + 1) * (dim + 2)) / 2;
}

function coordinates(owner: string, points: TensorLike): Tensor[] {
  const x = asTensor(points);
  const d = x.shape[x.rank - 1];
  if (x.rank < 2 || (d !== 2 && d !== 3)) {
    throw new ShapeError(`${owner}: points have shape [${x.shape}]; give [..., n, 2] or [..., n, 3]`);
  }
  return Array.from({ length: d }, (_, i) => {
    const all = new Array<null>(x.rank - 1).fill(null);
    return slice(x, [...all, { start: i, stop: i + 1 }]);
  });
}

/** Homogeneous coordinates: `[x y 1]` or `[x y z 1]` for points `[..., n, 2]` or `[..., n, 3]`. */
export function planeFeatures(points: TensorLike): Tensor {
  const x = coordinates("planeFeatures", points);
  return concatenate([...x, onesLike(x[0])], -1);
}

/**
 * Monomials up to degree two: `[x² y² xy x y 1]` or `[x² y² z² xy yz zx x y z 1]` for points `[..., n, 2]` or
 * `[..., n, 3]`.
 */
export function quadricFeatures(points: TensorLike): Tensor {
  const x = coordinates("quadricFeatures", points);
  const pairs =
    x.length === 2
      ? [[0, 1]]
      : [
          [0, 1],
          [1, 2],
          [2, 0],
        ]; // prettier-ignore
  const products = pairs.map(([i, j]) => mul(x[i], x[j]));
  return concatenate([...x.map((c) => mul(c, c)), ...products, ...x, onesLike(x[0])], -1);
}

/** The features whose product with a primitive's coefficients is <= 0 inside it. */
export function features(points: TensorLike, primitive: Primitive): Tensor {
  return primitive === "plane" ? planeFeatures(points) : quadricFeatures(points);
}
