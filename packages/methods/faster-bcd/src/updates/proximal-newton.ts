import { dot } from "../block-matrix.js";
import { armijo } from "./armijo.js";
import { solveBlockProgramme } from "./block-programme.js";
import { blockHessian } from "./matrix-steps.js";
import { moveTo, type Update } from "./step.js";

/**
 * The proximal (with bounds: projected) Newton step: the exact minimum over the block of the quadratic model plus h, with the
 * Hessian, or H_b where there is none. With the Hessian of an f that is no quadratic a line search follows.
 */
export const proximalNewton: Update = (space, block, g, id) => {
  const { state, separable, objective } = space;
  const exact = objective.quadratic === true || state.blockHessian === undefined;
  const H = exact ? space.bounds.of(block, id).matrix : blockHessian(state, block);
  const x = g.map((_, k) => state.x[block[k]]);
  const step = moveTo(space, block, solveBlockProgramme(H, g, x, block, separable));
  if (exact) return step;
  const slope = dot(g, step.d) + separable.change(state.x, block, step.d);
  const alpha = slope < 0 ? armijo(space, block, step.d, slope) : 0;
  return alpha === 1 ? step : { d: step.d, alpha };
};
