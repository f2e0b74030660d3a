import {
  add,
  einsum,
  expandDims,
  eye,
  linalg,
  log,
  matmul,
  mul,
  requirePositive,
  ShapeError,
  softmax,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
} from "@offprint/tensor-core";
import type { GaussianMixture, MixtureParameters } from "./gaussian-mixture.js";

/** @internal Components given `y = A x0 + noise`: conditioned one by one, weighed by their evidence. */
export function posteriorComponents(
  {
    weights,
    means,
    covariances,
    components: k,
    size: d,
  }: Pick<GaussianMixture, "weights" | "means" | "covariances" | "components" | "size">,
  a: Tensor,
  y: Tensor,
  deviation: number,
): MixtureParameters {
  requirePositive("posterior", "deviation", deviation);
  if (a.rank !== 2 || a.shape[1] !== d) {
    throw new ShapeError(`posterior: A has shape [${a.shape}]; it must be [rows, ${d}]`);
  }
  const m = a.shape[0];
  if (y.shape.join() !== String(m)) throw new ShapeError(`posterior: y has shape [${y.shape}]; it must be [${m}]`);
  const across = einsum("ri,kij->krj", a, covariances);
  const spread = add(einsum("krj,sj->krs", across, a), mul(eye(m, m, "float64"), deviation ** 2));
  const misfit = sub(y, matmul(means, swapAxes(a, 0, 1)));
  const gain = linalg.solve(spread, across);
  const remaining = sub(covariances, einsum("krj,kri->kij", across, gain));
  const { logAbsDet } = logDeterminant(spread);
  const distance = sum(mul(misfit, linalg.solve(spread, expandDims(misfit, 2)).reshape([k, m])), 1);
  return {
    weights: softmax(sub(log(weights), mul(add(distance, logAbsDet), 0.5)), 0),
    means: add(means, einsum("krj,kr->kj", gain, misfit)),
    covariances: mul(add(remaining, swapAxes(remaining, 1, 2)), 0.5),
  };
}

function logDeterminant(matrices: Tensor): { logAbsDet: Tensor } {
  const l = linalg.cholesky(matrices);
  const diagonal = sum(mul(l, eye(l.shape[1], l.shape[1], "float64")), 2);
  return { logAbsDet: sum(log(square(diagonal)), 1) };
}
