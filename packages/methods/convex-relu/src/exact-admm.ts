import type { AdmmState } from "./admm-state.js";
import { BlockSteps, rescaleDuals } from "./block-steps.js";
import { type Loss, lossProx } from "./loss.js";
import { NormalSystem } from "./normal-system.js";
import type { PatternOperator } from "./pattern-operator.js";

/** G^T nu is carried along; it is computed anew this often, lest rounding errors add up. */
const REFRESH_EVERY = 500;

/**
 * @internal ADMM with the exact u-update. The squared loss is part of the u-update, as in the paper; the other losses
 * act on a copy q of F u, so that the same factor serves them.
 */
export class ExactAdmm {
  private readonly system: NormalSystem;
  private readonly blocks: BlockSteps;
  private readonly r: Float64Array;
  private readonly h: Float64Array;
  /** Change of q `[n]`, and X^T D_i of it `[P, d]`. */
  private readonly change: Float64Array;
  private readonly pulled: Float64Array;

  constructor(
    private readonly operator: PatternOperator,
    private readonly loss: Loss,
    private readonly y: Float64Array,
    beta: number,
    /** gamma_a / rho, in (0, 1.618). */
    private readonly dualStep: number,
    readonly state: AdmmState,
  ) {
    const { P, n, d } = operator;
    this.system = new NormalSystem(operator);
    this.blocks = new BlockSteps(operator, beta, dualStep);
    this.r = new Float64Array(2 * P * d);
    this.h = new Float64Array(n);
    this.change = new Float64Array(n);
    this.pulled = new Float64Array(P * d);
    this.prepare();
  }

  /** Changes the penalty. */
  setRho(rho: number): void {
    rescaleDuals(this.state, rho);
    this.refresh();
  }

  private refresh(): void {
    this.blocks.refresh(this.state);
    this.prepare();
  }

  private prepare(): void {
    this.system.prepare(this.loss === "squared" ? this.state.rho : 1);
  }

  /** One iteration. */
  step(): void {
    if (this.state.k % REFRESH_EVERY === REFRESH_EVERY - 1) this.refresh();
    const { state, r } = this;
    const { u, v, lambda, gs, gnu } = state;
    for (let p = 0; p < r.length; p++) r[p] = v[p] - lambda[p] + gs[p] - gnu[p];
    this.lossTarget();
    this.system.solve(r, this.h, u);
    const onLoss = this.lossStep();
    const { primal, dual } = this.blocks.apply(state, this.loss === "squared" ? undefined : this.pulled);
    state.k++;
    state.primal = Math.sqrt(primal + onLoss);
    state.dual = Math.sqrt(dual);
  }

  private lossTarget(): void {
    const { h, y, state, loss } = this;
    for (let k = 0; k < h.length; k++) h[k] = loss === "squared" ? y[k] / state.rho : state.q[k] - state.mu[k];
  }

  /** The copy of the predictions; gives its squared residual. */
  private lossStep(): number {
    const { loss, state, y, h, system, dualStep, change } = this;
    if (loss === "squared") return 0;
    const { q, mu, rho } = state;
    let squares = 0;
    for (let k = 0; k < h.length; k++) {
      const f = h[k] - system.e[k];
      const next = lossProx(loss, f + mu[k], y[k], rho);
      change[k] = next - q[k];
      q[k] = next;
      mu[k] += dualStep * (f - q[k]);
      squares += (f - q[k]) ** 2;
    }
    this.operator.transposed(change, this.pulled);
    return squares;
  }
}
