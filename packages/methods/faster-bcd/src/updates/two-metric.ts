import { factor, submatrix } from "../block-matrix.js";
import { blockHessian } from "./matrix-steps.js";
import { moveTo, type Update } from "./step.js";

/** Within this distance of a bound a variable that is pushed against it counts as active. */
const NEAR = 1e-4;
const MOST_HALVINGS = 60;

/**
 * Two-metric projection: variables that are pushed against a bound take a scaled gradient step, the others a Newton step; all
 * are projected, and the step is halved until F decreases by a part of what the projected displacement promises. With a kink
 * (l1), x = u - v with u, v >= 0: at any time only one of u_i, v_i can move, so that each variable stays on its side of zero.
 */
export const twoMetric: Update = (space, block, g, id) => {
  const { state, separable, lipschitz, sufficientDecrease: c } = space;
  const t = block.length;
  const [lower, upper, slope] = [new Float64Array(t), new Float64Array(t), new Float64Array(t)];
  const working: number[] = [];
  const active: number[] = [];
  let total = 0;
  for (let k = 0; k < t; k++) {
    const i = block[k];
    const x = state.x[i];
    slope[k] = g[k] + separable.slope[i];
    [lower[k], upper[k]] = [separable.lower[i], separable.upper[i]];
    const weight = separable.weight[i];
    if (weight > 0) {
      // On which side of zero it is, or goes; 0 where |g| is too small to leave.
      const side = x !== 0 ? Math.sign(x) : Math.abs(g[k]) > weight ? -Math.sign(g[k]) : 0;
      slope[k] = side === 0 ? 0 : slope[k] + side * weight;
      lower[k] = side > 0 ? 0 : side < 0 ? -Infinity : 0;
      upper[k] = side > 0 ? Infinity : 0;
    }
    if ((x <= lower[k] + NEAR && slope[k] > 0) || (x >= upper[k] - NEAR && slope[k] < 0) || lower[k] === upper[k]) {
      active.push(k);
      total += lipschitz[i];
    } else {
      working.push(k);
    }
  }
  const d = new Float64Array(t);
  for (const k of active) d[k] = -slope[k] / total;
  if (working.length > 0) {
    const H = state.blockHessian ? blockHessian(state, block) : space.bounds.of(block, id).matrix;
    const newton = factor(submatrix(H, t, working), working.length).solve(Float64Array.from(working, (k) => -slope[k]));
    for (let s = 0; s < working.length; s++) d[working[s]] = newton[s];
  }
  const rounding = space.rounding();
  for (let cuts = 0, alpha = 1; cuts < MOST_HALVINGS; cuts++, alpha /= 2) {
    const target = Float64Array.from(block, (i, k) =>
      Math.min(upper[k], Math.max(lower[k], state.x[i] + alpha * d[k])),
    );
    const step = moveTo(space, block, target);
    let promised = 0;
    for (let k = 0; k < t; k++) promised += slope[k] * step.d[k];
    const change = state.change(1) + separable.change(state.x, block, step.d);
    if (change <= c * promised + rounding) return step;
  }
  const still = new Float64Array(t);
  state.aim(block, still);
  return { d: still, alpha: 0 };
};
