import { dot } from "../block-matrix.js";
import type { Workspace } from "../workspace.js";
import { moveTo, type Step, type Update } from "./step.js";

/** x_b = prox_{h / L_b}(x_b - g_b / L_b): with a composite the proximal gradient step, without one d = -g_b / L_b. */
export const proximalGradient: Update = (space, block, g, id) =>
  moveTo(space, block, proximalPoint(space, block, g, space.blockConstant(block, id)));

/** Beyond these an estimate says nothing. */
const [LEAST, MOST] = [1e-300, 1e300];

/**
 * The same with an estimate of L_b, the largest estimate in the block, doubled until the decrease is what L_b would
 * guarantee: f(x + d) <= f(x) + g_b^T d + L_b / 2 ||d||^2. The paper's first guess is 1, which may be far too large, as for means
 * of losses: where no step has tried the block yet, it is halved first while the decrease is more than that.
 */
export const estimatedGradient: Update = (space, block, g, id) => {
  const { state } = space;
  const rounding = space.rounding();
  /** A step, and by how much more than guaranteed f falls. */
  const attempt = (L: number): { L: number; step: Step; spare: number } => {
    const step = moveTo(space, block, proximalPoint(space, block, g, L));
    const { d } = step;
    return { L, step, spare: dot(g, d) + 0.5 * L * dot(d, d) - state.change(1) };
  };
  let tried = attempt(space.blockConstant(block, id));
  if (space.isGuess(block) && moves(tried.step)) {
    // Where a step is so short that f does not show what it brings, a longer one may; where none does, the guess stays.
    let best = tried;
    for (let L = tried.L / 2; L > LEAST; L /= 2) {
      const next = attempt(L);
      if (next.spare > rounding) best = next;
      else if (best.spare > rounding || !(next.spare >= -rounding)) break;
    }
    tried = attempt(best.L);
  }
  while (!(tried.spare >= -rounding) && tried.L < MOST) tried = attempt(2 * tried.L);
  // Where nothing moves nothing was learnt.
  if (moves(tried.step)) space.estimate(block, tried.L);
  return tried.step;
};

/** d = -D^-1 g_b with the row sums D_i = sum |H_ij| over the block. */
export const diagonalStep: Update = (space, block, g, id) => {
  const D = space.bounds.of(block, id).rowSums;
  const d = g.map((v, k) => -v / D[k]);
  space.state.aim(block, d);
  return { d, alpha: 1 };
};

function moves({ d }: Step): boolean {
  return d.some((v) => v !== 0);
}

function proximalPoint({ state, separable }: Workspace, block: Int32Array, g: Float64Array, L: number): Float64Array {
  return Float64Array.from(block, (i, k) => separable.prox(i, state.x[i] - g[k] / L, 1 / L));
}
