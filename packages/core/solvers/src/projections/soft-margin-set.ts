import {
  add,
  any,
  cast,
  checkOptions,
  concatenate,
  equal,
  expandDims,
  eye,
  greater,
  less,
  lessEqual,
  linalg,
  logicalAnd,
  logicalNot,
  logicalOr,
  matmul,
  maximum,
  mul,
  requireObject,
  ShapeError,
  slice,
  square,
  squeeze,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
  where,
  whileLoop,
} from "@offprint/tensor-core";
import { asFloat64 } from "../operand.js";
import type { Projection } from "./norm-sets.js";

/** The examples of a {@link softMarginSet}. */
export interface SoftMarginExamples {
  /** `[N, d]` */
  readonly features: TensorLike;
  /** `[N]`, 1 or -1. */
  readonly labels: TensorLike;
}

const along = { axis: -1, keepDims: true } as const;
/** Newton's iterations at most; it ends when the active set stays, after a handful. */
const mostIterations = 100;

/**
 * The constraints of a support vector machine with soft margins, `xi_i >= 1 - labels_i (features_i . w + b)`, as a set of
 * vectors `(w, b, xi)` `[..., d + 1 + N]`. Exact: without xi the nearest point is the minimum of a function that is
 * quadratic in pieces; a semismooth Newton method finds the piece, and a system of d + 1 equations the point.
 * @throws ShapeError where features and labels do not fit.
 */
export function softMarginSet(examples: SoftMarginExamples): Projection {
  requireObject("projections.softMarginSet", "examples", examples, "SoftMarginExamples");
  const owner = "projections.softMarginSet";
  checkOptions(owner, examples, ["features", "labels"]);
  const [features, labels] = [asFloat64(examples.features), asFloat64(examples.labels)];
  if (features.rank !== 2 || labels.rank !== 1 || features.shape[0] !== labels.shape[0]) {
    throw new ShapeError(
      `${owner}: features have shape [${features.shape}], labels [${labels.shape}]; give [N, d], [N]`,
    );
  }
  const signs = expandDims(labels, -1);
  const margins = concatenate([mul(features, signs), signs], -1);
  const size = margins.shape[1];
  return (x) => {
    const point = asFloat64(x);
    if (point.shape[point.rank - 1] !== size + labels.size) {
      throw new ShapeError(
        `${owner}: x has shape [${point.shape}]; its last axis must have w, b, xi: ${size + labels.size}`,
      );
    }
    const part = (range: { start?: number; stop?: number }) =>
      slice(point, [...point.shape.slice(1).map(() => null), range]);
    const [u0, xi0] = [part({ stop: size }), part({ start: size })];
    const active = activeSet(margins, stopGradient(u0), stopGradient(xi0));
    const u = minimumOf(margins, u0, xi0, active);
    return concatenate([u, maximum(xi0, sub(1, product(margins, u)))], -1);
  };
}

/** `M u` for `u` `[..., p]`. */
function product(margins: Tensor, u: Tensor): Tensor {
  return matmul(u, transpose(margins));
}

/** The minimum of the quadratic piece in which `active` rows (1, others 0) count: `(I + M_A^T M_A) u = u0 + M_A^T (1 - xi0)`. */
function minimumOf(margins: Tensor, u0: Tensor, xi0: Tensor, active: Tensor): Tensor {
  const n = margins.shape[1];
  const weighted = mul(transpose(margins), expandDims(active, -2));
  const hessian = add(eye(n, n, u0.dtype), matmul(weighted, margins));
  const right = add(u0, matmul(mul(active, sub(1, xi0)), margins));
  return squeeze(linalg.solve(hessian, expandDims(right, -1)), -1);
}

/** The rows whose slack is lifted at the nearest point, 1 or 0: `[..., N]`. */
function activeSet(margins: Tensor, u0: Tensor, xi0: Tensor): Tensor {
  const lift = (u: Tensor) => maximum(sub(sub(1, product(margins, u)), xi0), 0);
  const activeAt = (u: Tensor) => cast(greater(lift(u), 0), u.dtype);
  const distance = (u: Tensor) => add(sum(square(sub(u, u0)), along), sum(square(lift(u)), along));
  const none = mul(sum(u0, along), 0);
  const { active } = whileLoop(
    ({ done, count }) => logicalAnd(any(equal(done, 0)), less(count, mostIterations)),
    ({ u, active: rows, done, count }) => {
      const next = minimumOf(margins, u0, xi0, rows);
      const changed = sum(square(sub(activeAt(next), rows)), along);
      const near = lessEqual(sum(square(sub(next, u)), along), mul(1e-28, add(1, sum(square(u), along))));
      const last = logicalOr(equal(changed, 0), near);
      const moved = shortened(distance, u, next);
      const stays = logicalOr(last, greater(done, 0));
      return {
        u: where(stays, u, moved),
        active: where(stays, rows, activeAt(moved)),
        done: where(stays, add(none, 1), none),
        count: add(count, 1),
      };
    },
    { u: u0, active: activeAt(u0), done: none, count: tensor(0, { dtype: "int32" }) },
  );
  return active;
}

/** The first point of the whole, half, quarter, ... way to `goal` at which the distance falls. */
function shortened(distance: (u: Tensor) => Tensor, start: Tensor, goal: Tensor): Tensor {
  const squares = distance(start);
  const way = sub(goal, start);
  const at = (step: Tensor) => add(start, mul(way, step));
  // The Hessian is at least the identity, so that the slope along the way is at least its squared length.
  const enough = (step: Tensor) =>
    lessEqual(distance(at(step)), sub(squares, mul(1e-4, mul(step, sum(square(way), along)))));
  const step = whileLoop(
    (t: Tensor) => any(logicalAnd(logicalNot(enough(t)), greater(t, 2 ** -30))),
    (t: Tensor) => where(logicalOr(enough(t), lessEqual(t, 2 ** -30)), t, mul(t, 0.5)),
    add(mul(squares, 0), 1),
  );
  return at(step);
}
