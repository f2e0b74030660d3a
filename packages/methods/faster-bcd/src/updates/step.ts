import type { Workspace } from "../workspace.js";

/** What an update does: the state is aimed at d when it returns. */
export interface Step {
  /** `[t]` */
  readonly d: Float64Array;
  /** The block moves by alpha d; 0 where no step was found. */
  readonly alpha: number;
  /** `[t]` where exactly the block ends, so that rounding leaves nothing beside a bound or a kink. */
  readonly target?: Float64Array;
}

/** An update of a block; `g` `[t]` is the gradient of f there. */
export type Update = (space: Workspace, block: Int32Array, g: Float64Array, id: number) => Step;

/** x + alpha d as it stands. */
export function fullStep({ state }: Workspace, block: Int32Array, d: Float64Array): Step {
  state.aim(block, d);
  return { d, alpha: 1 };
}

/** Moves the block to `target`, where F is known to decrease. */
export function moveTo({ state }: Workspace, block: Int32Array, target: Float64Array): Step {
  const d = target.map((to, k) => to - state.x[block[k]]);
  state.aim(block, d);
  return { d, alpha: 1, target };
}
