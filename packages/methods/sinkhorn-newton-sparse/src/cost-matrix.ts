import {
  abs,
  add,
  asTensor,
  cast,
  DTypeError,
  expandDims,
  greater,
  mul,
  ShapeError,
  slice,
  sqrt,
  sub,
  type Tensor,
  type TensorLike,
  ValueError,
  vmap,
  where,
} from "@offprint/tensor-core";

/** The cost of moving a unit of mass: squared or plain Euclidean distance, sum of absolute differences, or a function of two points `[d]`. */
export type Metric = "sqeuclidean" | "euclidean" | "l1" | ((p: Tensor, q: Tensor) => Tensor);

/**
 * The cost matrix between two clouds of points; it can be differentiated and traced.
 *
 * @param a `[n, d]` points, or `[n]` numbers
 * @param b `[m, d]` points, or `[m]` numbers
 * @param metric default `"sqeuclidean"`
 * @returns `[n, m]` float64
 * @throws ShapeError where the points differ in dimension; ValueError for an unknown metric
 * @example
 * costMatrix([[0, 0], [1, 0]], [[0, 2]], "euclidean").toArray() // [[2], [2.236...]]
 */
export function costMatrix(a: TensorLike, b: TensorLike, metric: Metric = "sqeuclidean"): Tensor {
  const [p, q] = [points("a", a), points("b", b)];
  const d = p.shape[1];
  if (d !== q.shape[1]) {
    throw new ShapeError(`costMatrix: points of a have ${d} coordinates and those of b ${q.shape[1]}; they must agree`);
  }
  if (typeof metric === "function") return vmap((x: Tensor) => vmap((y: Tensor) => metric(x, y))(q))(p);
  if (!["sqeuclidean", "euclidean", "l1"].includes(metric)) {
    throw new ValueError(
      `costMatrix: metric is "${metric}"; it must be "sqeuclidean", "euclidean", "l1" or a function of two points`,
    );
  }
  let total: Tensor | undefined;
  for (let k = 0; k < d; k++) {
    const difference = sub(slice(p, [null, { start: k, stop: k + 1 }]), expandDims(slice(q, [null, k]), 0));
    const term = metric === "l1" ? abs(difference) : mul(difference, difference);
    total = total === undefined ? term : add(total, term);
  }
  if (total === undefined) throw new ShapeError("costMatrix: points need at least one coordinate");
  if (metric !== "euclidean") return total;
  // At distance 0 the root has no derivative; 0 is taken.
  const apart = greater(total, 0);
  return where(apart, sqrt(where(apart, total, 1)), 0);
}

function points(name: string, x: TensorLike): Tensor {
  const t = Array.isArray(x) ? asTensor(x, "float64") : cast(asTensor(x), "float64");
  if (asTensor(x).dtype === "bool") throw new DTypeError(`costMatrix: ${name} is of dtype bool; give coordinates`);
  if (t.rank === 1) return expandDims(t, 1);
  if (t.rank !== 2 || t.shape[0] === 0) {
    throw new ShapeError(`costMatrix: ${name} has shape [${t.shape}]; give points as [count, coordinates]`);
  }
  // Traced points have no values yet.
  const bad = t.storage.kind === "host" ? t.data().findIndex((value) => !Number.isFinite(value)) : -1;
  if (bad >= 0) {
    throw new ValueError(`costMatrix: ${name} holds ${t.data()[bad]} at position ${bad}; coordinates must be finite`);
  }
  return t;
}
