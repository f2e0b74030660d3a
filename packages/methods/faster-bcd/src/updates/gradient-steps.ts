import { dot } from "../block-matrix.js";
import type { Workspace } from "../workspace.js";
import { moveTo, type Step, type Update } from "./step.js";

/** x_b = prox_{h / L_b}(x_b - g_b / L_b): with a composite the proximal gradient step, without one d = -g_b / L_b. */
export const proximalGradient: Update = (space, block, g, id) =>
  moveTo(space, block, proximalPoint(space, block, g, space.blockConstant(block, id)));

/**
 * The same with an estimate of L_b, the largest estimate in the block, doubled until the decrease is what L_b would
 * guarantee: f(x + d) <= f(x) + g_b^T d + L_b / 2 ||d||^2.
 */
export const estimatedGradient: Update = (space, block, g, id) => {
  const { state, lipschitz } = space;
  const rounding = space.rounding();
  let L = space.blockConstant(block, id);
  for (;;) {
    const step: Step = moveTo(space, block, proximalPoint(space, block, g, L));
    const { d } = step;
    if (state.change(1) <= dot(g, d) + 0.5 * L * dot(d, d) + rounding || !(L < 1e300)) {
      for (const i of block) lipschitz[i] = L;
      return step;
    }
    L *= 2;
  }
};

/** d = -D^-1 g_b with the row sums D_i = sum |H_ij| over the block. */
export const diagonalStep: Update = (space, block, g, id) => {
  const D = space.bounds.of(block, id).rowSums;
  const d = g.map((v, k) => -v / D[k]);
  space.state.aim(block, d);
  return { d, alpha: 1 };
};

function proximalPoint({ state, separable }: Workspace, block: Int32Array, g: Float64Array, L: number): Float64Array {
  return Float64Array.from(block, (i, k) => separable.prox(i, state.x[i] - g[k] / L, 1 / L));
}
