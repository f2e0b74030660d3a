import { lanczosEigenpairsSync } from "@offprint/solvers";
import { keep, keptNumber } from "./admm-state.js";
import { timesColumns } from "./column-products.js";
import type { Design } from "./design.js";
import { type Loss, lossGradient, lossSum } from "./loss.js";

const OWNER = "trainConvex";

/** Where the solution of a sampled programme stands, as a tree. */
export interface SampledState {
  /** `[N]` output weights. */
  readonly a: Float64Array;
  /** `[n]` predictions at `a`. */
  readonly f: Float64Array;
  /** `[N]` the point from which the next step is made. */
  readonly extrapolated: Float64Array;
  /** Loss + beta ||a||_1 at `a`. */
  objective: number;
  /** t of the momentum. */
  momentum: number;
  /** Largest change of a weight in the last iteration, times ||Phi||: what it means for predictions, whatever the unit of X. */
  change: number;
}

/**
 * @internal The sampled programme `min_a loss(sum_i (X u_i)_+ a_i, y) + beta ||a||_1` for fixed unit vectors u_i, solved
 * by FISTA with restarts: the momentum is dropped where the objective would rise.
 */
export class SampledProgram {
  readonly state: SampledState;
  /** (X u_i)_+ of every neuron, `[N, n]`. */
  private readonly features: Float64Array;
  private readonly step: number;
  /** ||Phi||, which takes changes of weights to the unit of predictions. */
  private readonly reach: number;
  private readonly gradient: Float64Array;
  private readonly atPoint: Float64Array;
  private readonly next: Float64Array;
  private readonly nextF: Float64Array;

  constructor(
    design: Design,
    /** `[N, d]`, unit vectors. */
    readonly neurons: Float64Array,
    private readonly loss: Loss,
    private readonly y: Float64Array,
    private readonly beta: number,
    from?: SampledState,
  ) {
    const { n, d, columns } = design;
    const N = neurons.length / d;
    this.features = new Float64Array(N * n);
    for (let i = 0; i < N; i++) timesColumns(columns, n, d, neurons, i * d, this.features, i * n);
    for (let p = 0; p < this.features.length; p++) if (!(this.features[p] > 0)) this.features[p] = 0;
    this.gradient = new Float64Array(n);
    this.atPoint = new Float64Array(n);
    this.next = new Float64Array(N);
    this.nextF = new Float64Array(n);
    const f = new Float64Array(n);
    const objective = lossSum(loss, f, y);
    const start = { a: new Float64Array(N), f, extrapolated: new Float64Array(N) };
    this.state = { ...start, objective, momentum: 1, change: Infinity };
    if (from !== undefined) {
      for (const name of ["a", "f", "extrapolated"] as const) keep(OWNER, name, from[name], this.state[name]);
      for (const name of ["objective", "momentum", "change"] as const) {
        this.state[name] = keptNumber(OWNER, name, from[name]);
      }
    }
    const curvature = Math.max(this.lipschitz(N, n), Number.MIN_VALUE);
    this.step = 1 / curvature;
    this.reach = Math.sqrt(curvature);
  }

  /** ||Phi||^2, which bounds the second derivative for both losses. */
  private lipschitz(N: number, n: number): number {
    const scratch = new Float64Array(N);
    const gram = (x: Float64Array, out: Float64Array): void => {
      this.correlate(x, scratch);
      this.combine(scratch, out);
    };
    return lanczosEigenpairsSync(gram, n).values[0] * (1 + 1e-6);
  }

  /** `out[n] = Phi a` */
  private combine(a: Float64Array, out: Float64Array): void {
    const { features } = this;
    const n = out.length;
    out.fill(0);
    for (let i = 0; i < a.length; i++) {
      const weight = a[i];
      if (weight === 0) continue;
      for (let k = 0, p = i * n; k < n; k++, p++) out[k] += weight * features[p];
    }
  }

  /** `out[N] = Phi^T r` */
  private correlate(r: Float64Array, out: Float64Array): void {
    const { features } = this;
    const n = r.length;
    for (let i = 0, p = 0; i < out.length; i++) {
      let sum = 0;
      for (let k = 0; k < n; k++, p++) sum += features[p] * r[k];
      out[i] = sum;
    }
  }

  /** One iteration. */
  advance(): void {
    const { state, gradient, atPoint, next, nextF, loss, y, beta, step } = this;
    const { a, extrapolated } = state;
    this.combine(extrapolated, atPoint);
    lossGradient(loss, atPoint, y, gradient);
    this.correlate(gradient, next);
    const threshold = step * beta;
    let l1 = 0;
    for (let i = 0; i < next.length; i++) {
      const value = extrapolated[i] - step * next[i];
      next[i] = value > threshold ? value - threshold : value < -threshold ? value + threshold : 0;
      l1 += Math.abs(next[i]);
    }
    this.combine(next, nextF);
    const objective = lossSum(loss, nextF, y) + beta * l1;
    if (objective > state.objective && state.momentum > 1) {
      state.momentum = 1;
      state.change = Infinity;
      extrapolated.set(a);
      return;
    }
    const momentum = (1 + Math.sqrt(1 + 4 * state.momentum ** 2)) / 2;
    const factor = (state.momentum - 1) / momentum;
    let change = 0;
    for (let i = 0; i < a.length; i++) {
      const move = next[i] - a[i];
      change = Math.max(change, Math.abs(move));
      extrapolated[i] = next[i] + factor * move;
      a[i] = next[i];
    }
    state.f.set(nextF);
    state.momentum = momentum;
    state.objective = objective;
    state.change = this.reach * change;
  }
}
