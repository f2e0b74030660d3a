/** `y` at `at`, linear between increasing knots `x`. */
export function interpolate(at: number, x: readonly number[], y: readonly number[]): number {
  const after = Math.max(
    1,
    x.findIndex((knot) => at <= knot),
  );
  const share = (at - x[after - 1]) / (x[after] - x[after - 1]);
  return y[after - 1] + Math.min(1, share) * (y[after] - y[after - 1]);
}

const KNOTS = [0, 0.003, 0.02, 0.03, 0.1, 1];
const STEPS = 2000;
const SIGMA = 40;

/**
 * Gradient norms as in training runs, `[2000]`: a steep fall at the beginning, then a straight line to `end`; smoothed by a
 * Gaussian of 40 steps, the edge values repeated.
 */
export function normProfile(end: number): Float64Array {
  const raw = Float64Array.from({ length: STEPS }, (_, t) =>
    interpolate(t / (STEPS - 1), KNOTS, [15, 6, 4, 2, 1, end]),
  );
  const reach = 4 * SIGMA;
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * SIGMA ** 2)),
  );
  const total = kernel.reduce((a, b) => a + b);
  return raw.map((_, t) => {
    let sum = 0;
    for (let i = -reach; i <= reach; i++) sum += kernel[i + reach] * raw[Math.min(STEPS - 1, Math.max(0, t + i))];
    return sum / total;
  });
}
