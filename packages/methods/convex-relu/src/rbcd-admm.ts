import { random } from "@offprint/tensor-core";
import type { AdmmState } from "./admm-state.js";
import { BlockSteps, rescaleDuals } from "./block-steps.js";
import { blockNorm, squareTimes, timesColumns } from "./column-products.js";
import { type Loss, lossGradient, lossSum } from "./loss.js";
import { gramMatrix, type PatternOperator } from "./pattern-operator.js";

/** @internal Settings of the inexact u-update. */
export interface RbcdSettings {
  /** Patterns per step, bs. */
  readonly blockSize: number;
  /** The inner loop ends once the mean decrease of the last steps is below this, relative to the loss of the zero network. */
  readonly threshold: number;
  /** Factor of the threshold from one outer iteration to the next. */
  readonly decay: number;
  /** First step size. */
  readonly stepSize: number;
  /** Most inner steps of one outer iteration. */
  readonly cap: number;
}

/** Length of the ring buffer of decreases, B. */
const BUFFER = 8;
const SHRINK = 2.5;
const GROW = 1.5;
const ARMIJO = 1e-4;
/** The inner loop ends where the mean decrease is this part of what the violated equalities cost: they change the u-step by more. */
const WORTHWHILE = 1e-3;

/**
 * @internal ADMM with randomised block descent in place of the exact u-update: no factorisation, and any differentiable
 * loss. The predictions F u are kept up to date, so a step costs O(n d) per block.
 */
export class RbcdAdmm {
  private readonly gram: Float64Array;
  private readonly f: Float64Array;
  private readonly slope: Float64Array;
  private readonly change: Float64Array;
  private readonly trial: Float64Array;
  private readonly row: Float64Array;
  private readonly gradient: Float64Array;
  private readonly product: Float64Array;
  private readonly blocks: BlockSteps;
  private readonly scale: number;

  constructor(
    private readonly operator: PatternOperator,
    private readonly loss: Loss,
    private readonly y: Float64Array,
    beta: number,
    dualStep: number,
    readonly state: AdmmState,
    private readonly settings: RbcdSettings,
    private readonly seed: number | string,
  ) {
    const { n, d } = operator;
    this.gram = gramMatrix(operator.design);
    this.f = new Float64Array(n);
    this.slope = new Float64Array(n);
    this.change = new Float64Array(n);
    this.trial = new Float64Array(n);
    this.row = new Float64Array(n);
    this.gradient = new Float64Array(2 * settings.blockSize * d);
    this.product = new Float64Array(d);
    this.blocks = new BlockSteps(operator, beta, dualStep);
    this.scale = Math.max(lossSum(loss, this.f, y), Number.MIN_VALUE);
    this.predictions();
  }

  /** Changes the penalty. */
  setRho(rho: number): void {
    rescaleDuals(this.state, rho);
    this.blocks.refresh(this.state);
  }

  private predictions(): void {
    const difference = new Float64Array(this.operator.P * this.operator.d);
    this.operator.differences(this.state.u, difference);
    this.operator.predict(difference, this.f);
  }

  /** One outer iteration; its blocks are drawn from a stream of its own, so that a resumed run draws the same. */
  step(): void {
    const { state, settings, scale } = this;
    this.predictions();
    this.blocks.refresh(state);
    const asked = settings.threshold * settings.decay ** state.k * scale;
    const threshold = state.k === 0 ? asked : Math.max(asked, WORTHWHILE * state.rho * state.primal ** 2);
    const rng = random.rng(`${this.seed}/blocks/${state.k}`);
    const buffer = new Float64Array(BUFFER).fill(Infinity);
    for (let inner = 0; inner < settings.cap; inner++) {
      buffer[inner % BUFFER] = this.descend(rng);
      if (inner >= BUFFER - 1 && buffer.reduce((a, b) => a + b, 0) / BUFFER <= threshold) break;
    }
    const { primal, dual } = this.blocks.apply(state);
    state.k++;
    state.primal = Math.sqrt(primal);
    state.dual = Math.sqrt(dual);
  }

  /** One step on random blocks; gives the decrease of the augmented Lagrangian. */
  private descend(rng: random.Rng): number {
    const { operator, loss, y, f, slope, gradient, state, change, trial } = this;
    const { n, d, P } = operator;
    const picked = rng.choice(P, { shape: [Math.min(this.settings.blockSize, P)], replace: false }).data();
    lossGradient(loss, f, y, slope);
    let squares = 0;
    let curvature = 0;
    change.fill(0);
    for (let b = 0; b < picked.length; b++) {
      const i = picked[b];
      for (const side of [0, 1]) {
        const at = (2 * b + side) * d;
        this.blockGradient(i, side, at);
        squares += blockNorm(gradient, at, d) ** 2;
        timesColumns(operator.xt, n, d, gradient, at, this.row);
        curvature += blockNorm(this.row, 0, n) ** 2;
        const direction = side === 0 ? 1 : -1;
        for (let k = 0, p = i * n; k < n; k++, p++) change[k] += direction * operator.mask[p] * this.row[k];
      }
    }
    // Along -alpha g the quadratic terms are known exactly; the loss has to be evaluated.
    curvature = state.rho * (squares + curvature);
    let lossSlope = 0;
    for (let k = 0; k < n; k++) lossSlope += slope[k] * change[k];
    const linear = squares - lossSlope;
    // No loss has a second derivative above 1, so that this step is never too long, and the best for the squared loss. A
    // shorter one could only pass the test by rounding, and leave the step size too small to move anything.
    const safe = squares / (curvature + blockNorm(change, 0, n) ** 2);
    if (!(safe < Infinity)) return 0;
    const before = lossSum(loss, f, y);
    for (let alpha = Math.max(state.alpha, safe); ; alpha = Math.max(alpha / SHRINK, safe)) {
      for (let k = 0; k < n; k++) trial[k] = f[k] - alpha * change[k];
      const decrease = before - lossSum(loss, trial, y) + alpha * linear - 0.5 * alpha * alpha * curvature;
      if (alpha > safe && !(decrease >= ARMIJO * alpha * squares)) continue;
      f.set(trial);
      for (let b = 0; b < picked.length; b++) {
        for (const side of [0, 1]) {
          const to = (picked[b] + side * P) * d;
          for (let c = 0; c < d; c++) state.u[to + c] -= alpha * gradient[(2 * b + side) * d + c];
        }
      }
      state.alpha = GROW * alpha;
      return alpha > safe ? decrease : Math.max(decrease, 0.5 * safe * squares);
    }
  }

  /** +-X^T D_i r + rho (u - v + lambda + X^T X u - G^T (s - nu)) of one block. */
  private blockGradient(i: number, side: number, at: number): void {
    const { operator, gradient, state, gram, product } = this;
    const { d, P } = operator;
    const from = (i + side * P) * d;
    operator.transposedBlock(i, this.slope, gradient, at);
    squareTimes(gram, d, state.u, from, product, 0);
    for (let c = 0; c < d; c++) {
      const p = from + c;
      const quadratic = state.u[p] - state.v[p] + state.lambda[p] + product[c] - (state.gs[p] - state.gnu[p]);
      gradient[at + c] = (side === 0 ? gradient[at + c] : -gradient[at + c]) + state.rho * quadratic;
    }
  }
}
