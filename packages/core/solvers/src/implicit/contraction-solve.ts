import {
  add,
  greater,
  less,
  linalg,
  logicalAnd,
  maximum,
  mul,
  neg,
  sub,
  type Tensor,
  tensor,
  whileLoop,
  zerosLike,
} from "@offprint/tensor-core";
import type { IterativeSolution, KrylovSettings } from "./krylov-solve.js";

/** Units in the last place of the solution that rounding may leave of the right-hand side. */
const ROUNDING = 8;

/**
 * @internal `A u = b` for `A = F - 1` with a contraction F, by `u <- F u - b`, in operations of tensors.
 * @param b - `[n]`
 */
export function contractionSolve(
  apply: (v: Tensor) => Tensor,
  b: Tensor,
  { tolerance, maxIterations }: Pick<KrylovSettings, "tolerance" | "maxIterations">,
): IterativeSolution {
  const wanted = mul(linalg.norm(b), tolerance);
  const unit = ROUNDING * (b.dtype === "float64" ? 2 ** -52 : 2 ** -23);
  const goalAt = (u: Tensor) => maximum(wanted, mul(linalg.norm(u), unit));
  const start = { u: zerosLike(b), residual: neg(b), count: tensor(0, { dtype: "int32" }) };
  const { u, residual } = whileLoop(
    (state: typeof start) =>
      logicalAnd(greater(linalg.norm(state.residual), goalAt(state.u)), less(state.count, maxIterations)),
    (state: typeof start) => {
      const next = add(state.u, state.residual);
      return { u: next, residual: sub(apply(next), b), count: add(state.count, 1) };
    },
    start,
  );
  return { u, residualNorm: linalg.norm(residual), goal: goalAt(u) };
}
