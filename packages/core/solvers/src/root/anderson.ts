import {
  add,
  concatenate,
  div,
  equal,
  expandDims,
  linalg,
  matmul,
  mul,
  neg,
  slice,
  sub,
  type Tensor,
  transpose,
  where,
} from "@offprint/tensor-core";
import type { IterateState, VectorIteration } from "./vector-iteration.js";

interface AndersonState extends IterateState {
  /** The points before, `[memory, n]`; the first one where there are fewer. */
  readonly points: Tensor;
  /** Their residuals. */
  readonly residuals: Tensor;
}

/** @internal The plain iteration `x + mixing residual(x)`. */
export function simpleIteration(residual: (x: Tensor) => Tensor, mixing: number): VectorIteration<IterateState> {
  const at = (x: Tensor): IterateState => ({ x, residual: residual(x) });
  return { begin: at, step: (state) => at(add(state.x, mul(state.residual, mixing))) };
}

/**
 * @internal Anderson acceleration of `x + mixing residual(x)` (Anderson 1965; Walker and Ni 2011): the step is taken from
 * the combination of the last points whose combined residual is smallest.
 */
export function andersonIteration(
  residual: (x: Tensor) => Tensor,
  memory: number,
  mixing: number,
): VectorIteration<AndersonState> {
  const copies = (x: Tensor) => mul(expandDims(x, 0).broadcastTo([memory, x.size]), 1);
  return {
    begin(x) {
      const r = residual(x);
      return { x, residual: r, points: copies(x), residuals: copies(r) };
    },
    step({ x, residual: r, points, residuals }) {
      const differences = sub(residuals, r);
      const norms = linalg.norm(differences, { axis: 1 });
      const lengths = where(equal(norms, 0), 1, norms);
      // Unit columns, so that what counts as dependent does not depend on how far the iteration has come.
      const columns = transpose(div(differences, expandDims(lengths, 1)));
      const weights = div(linalg.lstsq(columns, neg(r), { rcond: 1e-10 }), lengths);
      const point = add(x, matmul(weights, sub(points, x)));
      const combined = add(r, matmul(weights, differences));
      const next = add(point, mul(combined, mixing));
      const pushed = (rows: Tensor, last: Tensor) => concatenate([slice(rows, [{ start: 1 }]), expandDims(last, 0)], 0);
      return { x: next, residual: residual(next), points: pushed(points, x), residuals: pushed(residuals, r) };
    },
  };
}
