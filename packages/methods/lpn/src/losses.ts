import {
  abs,
  div,
  exp,
  isTensor,
  mean,
  neg,
  requireObject,
  requirePositive,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
} from "@offprint/tensor-core";

/** What a denoiser is trained for; each has another minimiser: the posterior's mean, its median, its mode. */
export type DenoisingLoss = "squared" | "absolute" | "matching";

/** Throws unless both are batches of one shape: what broadcasts would be compared with other samples. */
function requireAlike(owner: string, restored: Tensor, clean: Tensor): void {
  requireObject(owner, "restored", restored, "a tensor");
  requireObject(owner, "clean", clean, "a tensor");
  if (String(restored.shape) === String(clean.shape)) return;
  throw new ShapeError(
    `${owner}: restored is [${restored.shape}] and clean [${clean.shape}]; give batches of one shape`,
  );
}

/** `exp(-|f(y) - x|^2 / gamma^2)` of each sample of a batch, the norm over all of its coordinates: `[batch]`. */
export function matched(restored: Tensor, clean: Tensor, gamma: Tensor | number): Tensor {
  requireAlike("matchingLoss", restored, clean);
  if (!isTensor(gamma)) requirePositive("matchingLoss", "gamma", gamma);
  const axes = restored.shape.slice(1).map((_, i) => i + 1);
  const width = typeof gamma === "number" ? gamma ** 2 : square(gamma);
  return exp(neg(div(sum(square(sub(restored, clean)), axes), width)));
}

/**
 * The proximal matching loss: the batch mean of `1 - exp(-|f(y) - x|^2 / gamma^2)`. As gamma falls its
 * minimiser tends to the maximum of the posterior, the proximal operator of `-sigma^2 log p`.
 * @param restored `f(y)`, `[batch, ...shape]`
 * @param clean `x`, of the same shape
 */
export function matchingLoss(restored: Tensor, clean: Tensor, gamma: Tensor | number): Tensor {
  return sub(1, mean(matched(restored, clean, gamma)));
}

/** Mean over batch and coordinates of `(f(y) - x)^2`. */
export function squaredLoss(restored: Tensor, clean: Tensor): Tensor {
  requireAlike("squaredLoss", restored, clean);
  return mean(square(sub(restored, clean)));
}

/** Mean over batch and coordinates of `|f(y) - x|`. */
export function absoluteLoss(restored: Tensor, clean: Tensor): Tensor {
  requireAlike("absoluteLoss", restored, clean);
  return mean(abs(sub(restored, clean)));
}
