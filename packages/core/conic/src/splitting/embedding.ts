import type { ScaledProblem } from "../equilibration.js";
import { DualConeProjection } from "../project-cone.js";
import type { HomogeneousPoint } from "../termination.js";
import { type LinearSystem, linearSystem, RHO_X } from "./linear-system.js";

/** Weight of tau in the metric. */
const TAU_WEIGHT = 10;

/** @internal One application of the fixed-point map F; each array is `[n + m + 1]`. */
export class Evaluation {
  /** Solution of the cone step, in the dual cone. */
  readonly u: Float64Array;
  /** The point that was projected. */
  readonly r: Float64Array;
  /** F(w). */
  readonly next: Float64Array;
  /** F(w) - w. */
  readonly f: Float64Array;
  /** ||F(w) - w|| over ||w||, in the metric in which F is nonexpansive. */
  relativeStep = 0;

  constructor(size: number) {
    this.u = new Float64Array(size);
    this.r = new Float64Array(size);
    this.next = new Float64Array(size);
    this.f = new Float64Array(size);
  }
}

/**
 * @internal Douglas-Rachford splitting of the homogeneous embedding (O'Donoghue 2021, Algorithm 5.1): a solve with the
 * linear part, the root of a quadratic for tau, and a projection onto the dual cone.
 */
export class Embedding {
  readonly size: number;
  private readonly n: number;
  private readonly m: number;
  private readonly system: LinearSystem;
  private readonly projection: DualConeProjection;
  /** (R + M)^-1 (c, b), and R times it. */
  private readonly g: Float64Array;
  private readonly Rg: Float64Array;
  private readonly p: Float64Array;
  private readonly h: Float64Array;

  constructor(
    problem: ScaledProblem,
    private readonly alpha: number,
    scale: number,
  ) {
    const { n, m } = problem;
    this.n = n;
    this.m = m;
    this.size = n + m + 1;
    this.system = linearSystem(problem, scale);
    this.projection = new DualConeProjection(problem.blocks.map((block) => ({ ...block, start: block.start + n })));
    this.h = new Float64Array(n + m);
    this.h.set(problem.c);
    this.h.set(problem.b, n);
    this.g = new Float64Array(n + m);
    this.Rg = new Float64Array(n + m);
    this.p = new Float64Array(n + m);
    this.solveConstant();
  }

  /** The diagonal R_y. */
  get Ry(): Float64Array {
    return this.system.Ry;
  }

  private solveConstant(): void {
    const { g, Rg, n, m } = this;
    this.system.solve(this.h, g);
    for (let j = 0; j < n; j++) Rg[j] = RHO_X * g[j];
    for (let i = 0; i < m; i++) Rg[n + i] = this.Ry[i] * g[n + i];
  }

  /**
   * Takes another scale and moves `w`, last evaluated as `at`, to the fixed-point relation w = u + R^-1 (0, s, kappa)
   * of the new metric.
   */
  rescale(scale: number, at: Evaluation, w: Float64Array): void {
    const { n, m } = this;
    const { u, r } = at;
    for (let i = 0; i < m; i++) w[n + i] = this.Ry[i] * (u[n + i] - r[n + i]);
    this.system.refactor(scale);
    for (let j = 0; j < n; j++) w[j] = u[j];
    for (let i = 0; i < m; i++) w[n + i] = u[n + i] + w[n + i] / this.Ry[i];
    w[n + m] = 2 * u[n + m] - r[n + m];
    this.solveConstant();
  }

  /** The point that an evaluation stands for, with s = R_y (u_y - r_y); `s` `[m]` is overwritten. */
  point({ u, r }: Evaluation, s: Float64Array): HomogeneousPoint {
    const { n, m, Ry } = this;
    for (let i = 0; i < m; i++) s[i] = Ry[i] * (u[n + i] - r[n + i]);
    return { x: u.subarray(0, n), y: u.subarray(n, n + m), s, tau: u[n + m] };
  }

  /** Evaluates F at `w`. */
  evaluate(w: Float64Array, out: Evaluation): void {
    const { n, m, p, g, alpha } = this;
    const { u, r, next, f } = out;
    const t = this.linearStep(w);
    for (let i = 0; i < n + m; i++) r[i] = 2 * (p[i] - g[i] * t) - w[i];
    r[n + m] = 2 * t - w[n + m];
    u.set(r);
    this.projection.project(u);
    u[n + m] = Math.max(r[n + m], 0);
    for (let i = 0; i <= n + m; i++) {
      // u~ = (r + w) / 2
      f[i] = alpha * (u[i] - (r[i] + w[i]) / 2);
      next[i] = w[i] + f[i];
    }
    out.relativeStep = this.norm(f) / this.norm(w);
  }

  /** sqrt(x^T diag(R, d) x): F is nonexpansive in this norm, and not in the Euclidean one. */
  private norm(x: Float64Array): number {
    const { n, m, Ry } = this;
    let squares = 0;
    for (let j = 0; j < n; j++) squares += x[j] * x[j];
    squares *= RHO_X;
    for (let i = 0; i < m; i++) squares += Ry[i] * x[n + i] * x[n + i];
    return Math.sqrt(squares + TAU_WEIGHT * x[n + m] * x[n + m]);
  }

  /** p = (R + M)^-1 R mu, and the nonnegative root t of the quadratic that ties it to tau. */
  private linearStep(w: Float64Array): number {
    const { n, m, p, g, Rg, Ry } = this;
    for (let j = 0; j < n; j++) p[j] = RHO_X * w[j];
    for (let i = 0; i < m; i++) p[n + i] = Ry[i] * w[n + i];
    this.system.solve(p, p);
    const eta = w[n + m];
    let a = TAU_WEIGHT;
    let B = -eta * TAU_WEIGHT;
    let C = 0;
    for (let i = 0; i < n + m; i++) {
      a += g[i] * Rg[i];
      B += Rg[i] * (w[i] - 2 * p[i]);
      C += (i < n ? RHO_X : Ry[i - n]) * p[i] * (p[i] - w[i]);
    }
    return Math.max(0, (-B + Math.sqrt(Math.max(B * B - 4 * a * C, 0))) / (2 * a));
  }
}
