import { ValueError } from "@offprint/tensor-core";

/**
 * What the network is trained for, summed over the samples: `squared` `1/2 (f - y)^2`; `bce` `log(1 + exp(-2 y f))` and
 * `hinge` `max(0, 1 - y f)`, both for labels y of -1 and 1.
 */
export type Loss = "squared" | "bce" | "hinge";

/** Every loss. */
export const losses: readonly Loss[] = ["squared", "bce", "hinge"];

/** @internal log(1 + e^x) without overflow */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** @internal 1 / (1 + e^-x) */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** @internal The loss of one sample whose worst margin is moved by `shift` >= 0, ||eps o R_k||_1 in the paper. */
export function sampleLoss(loss: Loss, f: number, y: number, shift = 0): number {
  if (loss === "squared") return 0.5 * (Math.abs(f - y) + shift) ** 2;
  return loss === "hinge" ? Math.max(0, 1 - y * f + shift) : softplus(2 * (shift - y * f));
}

/** @internal Sum of the losses of predictions f `[n]`. */
export function lossSum(loss: Loss, f: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < f.length; k++) sum += sampleLoss(loss, f[k], y[k]);
  return sum;
}

/** @internal `out = dL/df` `[n]`; at the kink of the hinge loss 0. */
export function lossGradient(loss: Loss, f: ArrayLike<number>, y: ArrayLike<number>, out: Float64Array): void {
  for (let k = 0; k < f.length; k++) {
    if (loss === "squared") out[k] = f[k] - y[k];
    else if (loss === "hinge") out[k] = y[k] * f[k] < 1 ? -y[k] : 0;
    else out[k] = -2 * y[k] * sigmoid(-2 * y[k] * f[k]);
  }
}

/** @internal argmin_q psi(q) + rho/2 (q - p)^2 with psi(q) = max(0, q) (hinge) or log(1 + e^(2q)) (bce). */
export function marginProx(loss: "hinge" | "bce", p: number, rho: number): number {
  if (loss === "hinge") return p > 1 / rho ? p - 1 / rho : Math.min(p, 0);
  // The root of 2 sigma(2q) + rho (q - p) lies in [p - 2/rho, p]: Newton's method, and bisection where a step leaves the
  // bracket or is not half as long as the one before the last.
  let low = p - 2 / rho;
  let high = p;
  let q = (low + high) / 2;
  let last = high - low;
  let length = last;
  for (let step = 0; step < 200; step++) {
    const s = sigmoid(2 * q);
    const slope = 2 * s + rho * (q - p);
    if (slope === 0) return q;
    if (slope > 0) high = q;
    else low = q;
    const newton = q - slope / (4 * s * (1 - s) + rho);
    const taken = newton > low && newton < high && Math.abs(newton - q) < last / 2;
    const next = taken ? newton : (low + high) / 2;
    last = length;
    length = Math.abs(next - q);
    if (length <= 1e-15 * (1 + Math.abs(q))) return next;
    q = next;
  }
  return q;
}

/** @internal argmin_f loss(f, y) + rho/2 (f - x)^2 */
export function lossProx(loss: Loss, x: number, y: number, rho: number): number {
  if (loss === "squared") return (y + rho * x) / (1 + rho);
  // As marginProx of 1 - y x, without the difference, in which steps for a large rho would be lost.
  if (loss === "hinge") return y * x >= 1 ? x : y * x < 1 - 1 / rho ? x + y / rho : y;
  return -y * marginProx("bce", -y * x, rho);
}

/** @internal -p log p - (1 - p) log(1 - p) */
function entropy(p: number): number {
  return p <= 0 || p >= 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log1p(-p);
}

/**
 * @internal The largest value over 0 <= k <= `limit` of the dual objective at k z: `min_f sum_j L_j(f_j) + k z_j f_j`.
 * `z` must be minus a subgradient of the loss, so that y z lies in [0, 1] (hinge) or [0, 2] (bce). For the robust
 * squared loss `size` >= |z| is the derivative by the worst move.
 */
export function bestDualValue(
  loss: Loss,
  z: ArrayLike<number>,
  y: ArrayLike<number>,
  limit: number,
  size: ArrayLike<number> = z,
): number {
  if (loss === "squared") {
    let zy = 0;
    let zz = 0;
    for (let k = 0; k < z.length; k++) {
      zy += z[k] * y[k];
      zz += size[k] * size[k];
    }
    if (zz === 0 || zy <= 0) return 0;
    const k = Math.min(limit, zy / zz);
    return k * zy - (k * k * zz) / 2;
  }
  const range = loss === "hinge" ? 1 : 2;
  const weight = Float64Array.from(z, (value, k) => Math.min(Math.max(value * y[k], 0), range) / range);
  const largest = weight.reduce((a, b) => Math.max(a, b), 0);
  if (largest === 0) return 0;
  const end = Math.min(limit, 1 / largest);
  if (loss === "hinge") return end * weight.reduce((a, b) => a + b, 0);
  // The sum of the entropies of k p is concave in k.
  const slope = (k: number) =>
    weight.reduce((sum, p) => sum + (p > 0 ? p * (Math.log1p(-k * p) - Math.log(k * p)) : 0), 0);
  let [low, high] = [0, end];
  if (slope(end) > 0) low = end;
  else
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      if (slope(middle) > 0) low = middle;
      else high = middle;
    }
  return weight.reduce((sum, p) => sum + entropy(low * p), 0);
}

/** @internal @throws ValueError for labels other than -1 and 1, and a loss that is none */
export function checkLabels(owner: string, loss: Loss, y: ArrayLike<number>): void {
  if (!losses.includes(loss)) throw new ValueError(`${owner}: loss is "${loss}"; it must be ${losses.join(", ")}`);
  if (loss === "squared") return;
  for (let k = 0; k < y.length; k++) {
    if (y[k] !== 1 && y[k] !== -1) {
      throw new ValueError(`${owner}: y[${k}] is ${y[k]}; labels must be -1 or 1 for the loss ${loss} (0 becomes -1)`);
    }
  }
}
