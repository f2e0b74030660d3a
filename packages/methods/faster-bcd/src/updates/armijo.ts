import type { Workspace } from "../workspace.js";

const MOST_CUTS = 60;

/**
 * The largest tried alpha <= 1 with F(x + alpha d) <= F(x) + c alpha slope, for the direction that the state is aimed at;
 * 0 where there is none. The first cut is the minimum of a parabola through the failed point, later ones that of a cubic,
 * kept within [0.1, 0.5] of the last alpha.
 * @param slope along d, < 0: g^T d + h(x + d) - h(x)
 */
export function armijo(space: Workspace, block: Int32Array, d: Float64Array, slope: number): number {
  const { state, separable, sufficientDecrease: c } = space;
  const rounding = space.rounding();
  let alpha = 1;
  let last: { alpha: number; change: number } | undefined;
  for (let cuts = 0; cuts < MOST_CUTS; cuts++) {
    const scaled = separable.none ? d : d.map((v) => alpha * v);
    const change = state.change(alpha) + separable.change(state.x, block, scaled);
    const finite = Number.isFinite(change);
    if (finite && change <= c * alpha * slope + rounding) return change <= 0 || alpha === 1 ? alpha : 0;
    const next = finite
      ? last && Number.isFinite(last.change)
        ? cubicCut(slope, alpha, change, last)
        : (-slope * alpha * alpha) / (2 * (change - slope * alpha))
      : 0.5 * alpha;
    last = { alpha, change };
    alpha = Math.min(0.5 * alpha, Math.max(0.1 * alpha, next || 0));
  }
  return 0;
}

/** The minimum of the cubic with this slope at 0 through two failed points. */
function cubicCut(slope: number, alpha: number, change: number, last: { alpha: number; change: number }): number {
  const first = (change - slope * alpha) / alpha ** 2;
  const second = (last.change - slope * last.alpha) / last.alpha ** 2;
  const a = (first - second) / (alpha - last.alpha);
  const b = (alpha * second - last.alpha * first) / (alpha - last.alpha);
  if (a === 0) return -slope / (2 * b);
  return (-b + Math.sqrt(Math.max(0, b * b - 3 * a * slope))) / (3 * a);
}
