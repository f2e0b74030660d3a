import { blockNorm } from "./column-products.js";
import { projectL1Epigraph } from "./epigraph-projection.js";
import { marginProx } from "./loss.js";
import type { PatternOperator } from "./pattern-operator.js";
import type { RobustDuals } from "./robust-duals.js";
import { emptyRows, type RobustMap, type RobustRows, rowNames } from "./robust-rows.js";
import { RobustSystem } from "./robust-system.js";

/** Where a robust run stands, as a tree. */
export interface RobustState {
  /** Iterations made. */
  k: number;
  /** rho, the penalty. */
  rho: number;
  /** Copies z of K x. */
  readonly z: RobustRows;
  /** Scaled dual variables. */
  readonly u: RobustRows;
  /** Primal residual of the last iteration. */
  primal: number;
  /** Dual residual of it. */
  dual: number;
}

/** @internal Zeros. */
export function initialRobustState(operator: PatternOperator, rho: number): RobustState {
  return { k: 0, rho, z: emptyRows(operator), u: emptyRows(operator), primal: Infinity, dual: Infinity };
}

/** @internal ADMM for the robust programme: z = K x + o with a cached factor, and a small proximal map per group of rows. */
export class RobustAdmm {
  private readonly system: RobustSystem;
  private readonly x: Float64Array;
  private readonly tau: Float64Array;
  private readonly image: RobustRows;
  private readonly target: RobustRows;
  /** Largest part of the step that the proximal maps need as scratch. */
  private readonly scratch: Float64Array;

  constructor(
    private readonly map: RobustMap,
    private readonly beta: number,
    private readonly relaxation: number,
    readonly state: RobustState,
  ) {
    const { P, n, d } = map.operator;
    this.system = new RobustSystem(map);
    this.x = new Float64Array(2 * P * (d + 1));
    this.tau = new Float64Array(n);
    this.image = emptyRows(map.operator);
    this.target = emptyRows(map.operator);
    this.scratch = new Float64Array(d);
  }

  /** Changes the penalty; the scaled dual variables keep what they stand for. */
  setRho(rho: number): void {
    const factor = this.state.rho / rho;
    for (const name of rowNames) {
      const u = this.state.u[name];
      for (let p = 0; p < u.length; p++) u[p] *= factor;
    }
    this.state.rho = rho;
  }

  /** o of the rows `fit`: 1 for hinge, -y_k for squared. */
  private addOffset(fit: Float64Array, factor: number): void {
    const { loss, y } = this.map;
    for (let k = 0; k < fit.length; k++) fit[k] += factor * (loss === "squared" ? -y[k] : loss === "hinge" ? 1 : 0);
  }

  /** One iteration. */
  step(): void {
    const { map, state, target, image, x, tau, relaxation } = this;
    for (const name of rowNames) {
      const [z, u, out] = [state.z[name], state.u[name], target[name]];
      for (let p = 0; p < out.length; p++) out[p] = z[p] - u[p];
    }
    this.addOffset(target.fit, -1);
    map.transposed(target, x, tau);
    this.system.solve(x, tau);
    map.apply(x, tau, image);
    this.addOffset(image.fit, 1);
    // u takes the point that the proximal maps are applied to; minus their result it is the new dual variable.
    for (const name of rowNames) {
      const [z, u, old, own] = [state.z[name], state.u[name], target[name], image[name]];
      for (let p = 0; p < z.length; p++) {
        old[p] = z[p];
        u[p] += relaxation * own[p] + (1 - relaxation) * z[p];
        z[p] = u[p];
      }
    }
    this.proximalMaps();
    let primal = 0;
    // Rows that radii above 1 have shortened count in their own unit, or a violation of 1 in 1e10 would be none.
    const stretch = Math.max(1, 1 / map.scale);
    for (const name of rowNames) {
      const unit = name === "reach" || name === "move" ? stretch : 1;
      const [z, u, change, own] = [state.z[name], state.u[name], target[name], image[name]];
      // rho goes in before anything is squared: changes for a large one are small.
      for (let p = 0; p < z.length; p++) {
        u[p] -= z[p];
        primal += (unit * (own[p] - z[p])) ** 2;
        change[p] = state.rho * (z[p] - change[p]);
      }
    }
    map.transposed(target, x, tau);
    state.k++;
    state.primal = Math.sqrt(primal);
    state.dual = Math.hypot(blockNorm(x, 0, x.length), blockNorm(tau, 0, tau.length));
  }

  private proximalMaps(): void {
    const { map, state, beta, scratch } = this;
    const { P, n, d } = map.operator;
    const { z, rho } = state;
    for (let j = 0; j < 2 * P; j++) {
      const norm = blockNorm(z.blocks, j * d, d);
      const keep = norm > beta / rho ? 1 - beta / (rho * norm) : 0;
      for (let c = 0; c < d; c++) z.blocks[j * d + c] *= keep;
      projectL1Epigraph(z.reach, j * (d + 1), d, scratch);
    }
    for (let p = 0; p < z.slack.length; p++) if (!(z.slack[p] > 0)) z.slack[p] = 0;
    for (let k = 0; k < n; k++) {
      projectL1Epigraph(z.move, k * (d + 1), d, scratch);
      if (map.loss === "squared") squaredProx(z.fit, z.shift, k, rho);
      else z.fit[k] = marginProx(map.loss, z.fit[k], rho);
    }
  }

  /** The dual variables of the programme, from those of the rows. */
  duals(): RobustDuals {
    const { map, state } = this;
    const { P, n, d } = map.operator;
    const { u, rho } = state;
    const theta = new Float64Array(n * d);
    const turn = new Float64Array(2 * P * d);
    const scaled = rho * map.scale;
    for (let k = 0; k < n; k++) for (let c = 0; c < d; c++) theta[k * d + c] = scaled * u.move[k * (d + 1) + c];
    for (let j = 0; j < 2 * P; j++) for (let c = 0; c < d; c++) turn[j * d + c] = -scaled * u.reach[j * (d + 1) + c];
    return {
      slope: u.fit.map((value) => rho * value),
      size: (map.loss === "squared" ? u.shift : u.fit).map((value) => rho * value),
      theta,
      multipliers: u.slack.map((value) => Math.max(-rho * value, 0)),
      turn,
    };
  }
}

/** The proximal map of 1/2 (|e| + tau)_+^2 at entry k. */
function squaredProx(error: Float64Array, shift: Float64Array, k: number, rho: number): void {
  const [e, tau] = [error[k], shift[k]];
  const s = Math.max(Math.abs(e) + tau, 0) / (1 + 2 / rho);
  if (Math.abs(e) >= s / rho) {
    error[k] = Math.sign(e) * (Math.abs(e) - s / rho);
    shift[k] = tau - s / rho;
  } else {
    error[k] = 0;
    shift[k] = tau - Math.max(tau, 0) / (1 + 1 / rho) / rho;
  }
}
