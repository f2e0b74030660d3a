import {
  abs,
  add,
  broadcastTo,
  cast,
  diagonal,
  div,
  expandDims,
  eye,
  full,
  greater,
  jvp,
  less,
  linalg,
  max,
  min,
  moveAxis,
  mul,
  reshape,
  square,
  stopGradient,
  sub,
  type Tensor,
  vjp,
  vmap,
  where,
} from "@offprint/tensor-core";
import type { ExpertData } from "./expert-problems.js";

/** @internal F of all experts: `[batch, experts, N]` to `[batch, experts, residuals]`. */
export type Residuals = (w: Tensor, data: ExpertData) => Tensor;

/** @internal g = J^T F, the gradient of half the squares. */
export function squaresGradient(residuals: Residuals) {
  return (w: Tensor, data: ExpertData): Tensor => {
    const [value, pullback] = vjp((v: Tensor) => residuals(v, data), w);
    return pullback(value)[0];
  };
}

/** @internal The same with J^T J for its derivative, in the place of the Hessian: F is made linear in the weights around the solution. */
export function gaussNewtonGradient(residuals: Residuals) {
  return (w: Tensor, data: ExpertData): Tensor => {
    const at = stopGradient(w);
    const [value, pullback] = vjp((v: Tensor) => residuals(v, data), at);
    const [, slope] = vjp((v: Tensor) => pullback(v)[0], value);
    return pullback(add(value, slope(sub(w, at))[0]))[0];
  };
}

/** @internal Largest entries of g that are left, `[batch, experts]`. */
export function gradientNorms(residuals: Residuals, weights: Tensor, data: ExpertData): Tensor {
  return max(abs(squaresGradient(residuals)(weights, data)), -1);
}

/** Lengths in R of a unit column, below which the column is taken for a sum of those before it. */
const DEPENDENT = 1e-10;

/** @internal Columns of the Jacobian, `[N, batch, experts, residuals]`. */
export function jacobianColumns(residuals: (w: Tensor) => Tensor, w: Tensor): Tensor {
  const N = w.shape[w.rank - 1];
  const units = broadcastTo(reshape(eye(N, N, "float64"), [N, 1, 1, N]), [N, ...w.shape]);
  return vmap((v: Tensor) => jvp(residuals, [w], [v])[1])(units);
}

/** @internal Whether functions depend on each other, and what damps the system of the gradient there. A ridge tells all apart. */
export function dependence(residuals: Residuals, ridge: number, weights: Tensor, data: ExpertData) {
  const [batch, K] = weights.shape;
  if (ridge > 0) return { dependent: full([batch, K], 0, "float64"), damping: null };
  const columns = jacobianColumns((w) => residuals(w, data), weights);
  const lengths = linalg.norm(columns, { axis: -1 });
  const unit = div(columns, expandDims(where(greater(lengths, 0), lengths, 1), -1));
  const { r } = linalg.qr(moveAxis(unit, 0, -1));
  const least = min(abs(diagonal(r)), -1);
  const dependent = cast(less(least, DEPENDENT), "float64");
  const largest = square(max(lengths, 0));
  return { dependent, damping: stopGradient(expandDims(mul(dependent, add(mul(1e-8, largest), 1e-14)), -1)) };
}
