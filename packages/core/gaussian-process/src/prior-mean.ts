import {
  full,
  grad,
  requireFinite,
  reshape,
  ShapeError,
  sum,
  type Tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";

/** The mean before anything is observed: a number, or a function of `[n, d]` to `[n]` in operations of tensors. */
export type PriorMean = number | ((x: Tensor) => Tensor);

/** @internal @throws ValueError for what is no mean. */
export function checkPriorMean(owner: string, prior: PriorMean): void {
  if (typeof prior === "function" || Number.isFinite(prior)) return;
  throw new ValueError(`${owner}: mean is ${String(prior)}; give a finite number, or a function of points`);
}

/** @internal `[n]` at the rows of x. @throws ShapeError, ValueError for what a function gives. */
export function priorMean(prior: PriorMean, x: Tensor): Tensor {
  if (typeof prior === "number") return full([x.shape[0]], prior, "float64");
  const mean = prior(x);
  if (mean?.rank !== 1 || mean.shape[0] !== x.shape[0]) {
    const got = mean?.shape === undefined ? `a ${typeof mean}` : `shape [${mean.shape}]`;
    throw new ShapeError(`condition: mean gave ${got} for ${x.shape[0]} points; it must give [${x.shape[0]}]`);
  }
  requireFinite("condition", "what mean gave", mean);
  return mean;
}

/** @internal Its gradients, flat. */
export function priorSlopes(prior: PriorMean, x: Tensor): Tensor {
  if (typeof prior === "number") return zeros([x.size], "float64");
  return reshape(grad((points: Tensor) => sum(prior(points)))(x) as Tensor, [x.size]);
}
