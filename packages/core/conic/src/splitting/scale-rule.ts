const EARLIEST = 100;
const LEAST_CHANGE = Math.sqrt(10);
/** One look at the residuals says little about a far-off scale. */
const MOST_CHANGE = 10;
const LOWEST = 1e-6;
const HIGHEST = 1e6;

/** @internal What a {@link ScaleRule} remembers. */
export interface ScaleRuleState {
  readonly scale: number;
  readonly sum: number;
  readonly checks: number;
  readonly lastUpdate: number;
}

/**
 * @internal Balances the primal and the dual residual: the geometric mean of their ratio over the checks since the last
 * change says by how much the scale is off.
 */
export class ScaleRule {
  private sum = 0;
  private checks = 0;
  private lastUpdate = 0;

  constructor(
    public scale: number,
    saved?: ScaleRuleState,
  ) {
    if (saved === undefined) return;
    this.scale = saved.scale;
    this.sum = saved.sum;
    this.checks = saved.checks;
    this.lastUpdate = saved.lastUpdate;
  }

  /** Records a check; true if the scale has changed. */
  update(iteration: number, relativePrimal: number, relativeDual: number): boolean {
    this.sum += Math.log(relativePrimal / relativeDual);
    this.checks++;
    if (iteration - this.lastUpdate < EARLIEST) return false;
    const factor = Math.exp(this.sum / this.checks / 2);
    if (factor <= LEAST_CHANGE && factor >= 1 / LEAST_CHANGE) return false;
    const change = Math.min(MOST_CHANGE, Math.max(1 / MOST_CHANGE, factor));
    const next = Math.min(HIGHEST, Math.max(LOWEST, this.scale * change));
    if (next === this.scale) return false;
    this.scale = next;
    this.sum = 0;
    this.checks = 0;
    this.lastUpdate = iteration;
    return true;
  }

  save(): ScaleRuleState {
    const { scale, sum, checks, lastUpdate } = this;
    return { scale, sum, checks, lastUpdate };
  }
}
