import { inOneGo, type Parts } from "@offprint/solvers";
import type { DataUnits } from "./data-units.js";
import type { ScaledProblem } from "./equilibration.js";
import type { CheckedProblem } from "./problem.js";
import { apply, applyQuadratic, applyTransposed } from "./products.js";
import { DualConeProjection } from "./project-cone.js";
import { dot, maxNorm } from "./vector-arithmetic.js";

const LEAST_TAU = 1e-10;
const INFEASIBILITY_TOLERANCE = 1e-7;
/** How far a certificate may be outside of its cone, over its own size. */
const OUTSIDE = 1e-6;

/** How far a point is from optimal, in the infinity norm of the unscaled data. */
export interface ConicResiduals {
  /** ||A x + s - b|| */
  readonly primal: number;
  /** ||P x + A^T y + c|| */
  readonly dual: number;
  /** |x^T P x + c^T x + b^T y| */
  readonly gap: number;
}

/** @internal A point of the homogeneous embedding of the scaled problem. */
export interface HomogeneousPoint {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly s: Float64Array;
  readonly tau: number;
}

/** @internal What a check finds; arrays are shared with the checker and overwritten by the next check. */
export interface CheckResult {
  readonly status: "converged" | "infeasible" | "unbounded" | undefined;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly s: Float64Array;
  readonly residuals: ConicResiduals;
  /** Residuals over the terms they are made of, which steer the scale. */
  readonly relativePrimal: number;
  readonly relativeDual: number;
  /** Largest residual over what the tolerance allows, or the quality of a certificate over what it must be, whichever is less. */
  readonly excess: number;
  readonly objective: number;
  readonly dualObjective: number;
}

/** @internal Unscales iterates and tests them for optimality and for certificates of infeasibility. */
export class Termination {
  private readonly x: Float64Array;
  private readonly y: Float64Array;
  private readonly s: Float64Array;
  private readonly Ax: Float64Array;
  private readonly Aty: Float64Array;
  private readonly Px: Float64Array;
  /** How far the last point is from a certificate of infeasibility or unboundedness, over what it may be. */
  private uncertainty = Infinity;
  private readonly cones: DualConeProjection;
  /** The largest entries of the scaled A and P. */
  private readonly sizeA: number;
  private readonly sizeP: number;

  /**
   * @param problem told in `units`; what is found is told in those of the caller
   */
  constructor(
    private readonly problem: CheckedProblem,
    private readonly scaled: ScaledProblem,
    private readonly tolerance: number,
    private readonly units: DataUnits,
  ) {
    const { n, m, blocks } = problem;
    this.cones = new DualConeProjection(blocks);
    this.sizeA = largestEntry(scaled.A);
    this.sizeP = largestEntry(scaled.P);
    this.x = new Float64Array(n);
    this.y = new Float64Array(m);
    this.s = new Float64Array(m);
    this.Ax = new Float64Array(m);
    this.Aty = new Float64Array(n);
    this.Px = new Float64Array(n);
  }

  check(at: HomogeneousPoint): CheckResult {
    return inOneGo(this.checking(at));
  }

  /** The same in parts. */
  *checking(at: HomogeneousPoint): Parts<CheckResult> {
    const { n, m } = this.problem;
    const { D, E, sigma } = this.scaled;
    const { x, y, s } = this;
    const { tau } = at;
    for (let j = 0; j < n; j++) x[j] = (E[j] * at.x[j]) / sigma;
    for (let i = 0; i < m; i++) {
      y[i] = (D[i] * at.y[i]) / sigma;
      s[i] = at.s[i] / (D[i] * sigma);
    }
    yield* this.multiply();
    const certificate = this.certificate();
    if (certificate !== undefined) return certificate;
    if (tau < LEAST_TAU) {
      return this.result(undefined, { primal: Infinity, dual: Infinity, gap: Infinity }, 1, 1, this.uncertainty);
    }
    for (const values of [x, y, s, this.Ax, this.Aty, this.Px]) {
      for (let i = 0; i < values.length; i++) values[i] /= tau;
    }
    return this.optimality();
  }

  private *multiply(): Parts<void> {
    const { x, y, Ax, Aty, Px, problem } = this;
    apply(problem, x, Ax);
    yield;
    applyTransposed(problem, y, Aty);
    yield;
    if (problem.P !== undefined) applyQuadratic(problem, x, Px);
  }

  private optimality(): CheckResult {
    const { x, y, s, Ax, Aty, Px, problem } = this;
    const { b, c } = problem;
    let primal = 0;
    let dual = 0;
    for (let i = 0; i < b.length; i++) primal = Math.max(primal, Math.abs(Ax[i] + s[i] - b[i]));
    for (let j = 0; j < c.length; j++) dual = Math.max(dual, Math.abs(Px[j] + Aty[j] + c[j]));
    const xPx = dot(x, Px);
    const cx = dot(c, x);
    const by = dot(b, y);
    const gap = Math.abs(xPx + cx + by);
    const primalSize = Math.max(maxNorm(Ax), maxNorm(s), maxNorm(b));
    const dualSize = Math.max(maxNorm(Px), maxNorm(Aty), maxNorm(c));
    const gapSize = Math.max(Math.abs(xPx), Math.abs(cx), Math.abs(by));
    const { tolerance } = this;
    const allowed = (size: number): number => tolerance * (1 + size);
    const excess = Math.max(primal / allowed(primalSize), dual / allowed(dualSize), gap / allowed(gapSize));
    return this.result(
      excess <= 1 ? "converged" : undefined,
      { primal, dual, gap },
      ratio(primal, primalSize),
      ratio(dual, dualSize),
      Math.min(excess, this.uncertainty),
      cx + xPx / 2,
      -by - xPx / 2,
    );
  }

  /** Homogeneous certificates, from the iterate before its division by tau. */
  private certificate(): CheckResult | undefined {
    const { x, y, s, Ax, Aty, Px, problem } = this;
    const { D, E } = this.scaled;
    const none = { primal: Infinity, dual: Infinity, gap: Infinity };
    const by = dot(problem.b, y);
    // What must vanish does so beside what it is made of, too, in the scaled problem: where b or c is huge, b^T y or c^T x
    // makes any residual look small, and where A is tiny all residuals are.
    const dualRest = Math.max(maxNorm(Aty) / -by, scaledNorm(Aty, E) / (this.sizeA * dividedNorm(y, D)));
    const infeasible = this.trusted(by < 0 ? dualRest / INFEASIBILITY_TOLERANCE : Infinity, y);
    if (infeasible <= 1) {
      for (let i = 0; i < y.length; i++) y[i] /= -by;
      x.fill(Number.NaN);
      s.fill(Number.NaN);
      return this.result("infeasible", none, 1, 1, infeasible, Infinity, Infinity);
    }
    const cx = dot(problem.c, x);
    let along = maxNorm(Px);
    let beside = 0;
    for (let i = 0; i < s.length; i++) {
      const rest = Math.abs(Ax[i] + s[i]);
      along = Math.max(along, rest);
      beside = Math.max(beside, D[i] * rest);
    }
    const length = dividedNorm(x, E);
    beside /= Math.max(this.sizeA * length, scaledNorm(s, D));
    const primalRest = Math.max(along / -cx, beside, scaledNorm(Px, E) / (this.sizeP * length));
    const unbounded = this.trusted(cx < 0 ? primalRest / INFEASIBILITY_TOLERANCE : Infinity, s);
    this.uncertainty = Math.min(infeasible, unbounded);
    if (!(unbounded <= 1)) return undefined;
    for (let j = 0; j < x.length; j++) x[j] /= -cx;
    for (let i = 0; i < s.length; i++) s[i] /= -cx;
    y.fill(Number.NaN);
    return this.result("unbounded", none, 1, 1, unbounded, -Infinity, -Infinity);
  }

  /** The quality of a certificate, where it lies in its cone: the largest numbers can take an iterate out of it. */
  private trusted(quality: number, certificate: Float64Array): number {
    if (quality > 1) return quality;
    const nearest = certificate.slice();
    this.cones.project(nearest);
    for (let i = 0; i < nearest.length; i++) nearest[i] -= certificate[i];
    return maxNorm(nearest) <= OUTSIDE * maxNorm(certificate) ? quality : Infinity;
  }

  private result(
    status: CheckResult["status"],
    residuals: ConicResiduals,
    relativePrimal: number,
    relativeDual: number,
    excess: number,
    objective = Number.NaN,
    dualObjective = Number.NaN,
  ): CheckResult {
    const { x, y, s, units } = this;
    const { matrix, primal, dual } = units;
    // In the units of the data that were given; certificates are normalised by b or c.
    const value = (primal / matrix) * dual;
    scale(x, status === "unbounded" ? 1 / dual : primal / matrix);
    scale(y, status === "infeasible" ? 1 / primal : dual / matrix);
    scale(s, status === "unbounded" ? matrix / dual : primal);
    return {
      ...{ status, x, y, s, relativePrimal, relativeDual, excess },
      residuals: { primal: residuals.primal * primal, dual: residuals.dual * dual, gap: residuals.gap * value },
      objective: objective * value,
      dualObjective: dualObjective * value,
    };
  }
}

function scale(values: Float64Array, factor: number): void {
  if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] *= factor;
}

/** The largest entry; 1 where there is none, or none is known. */
function largestEntry(matrix: CheckedProblem["A"]): number {
  return (matrix && maxNorm(matrix.values)) || 1;
}

/** The largest `|values[i]| scales[i]`. */
function scaledNorm(values: Float64Array, scales: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]) * scales[i]);
  return largest;
}

/** The largest `|values[i]| / scales[i]`. */
function dividedNorm(values: Float64Array, scales: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]) / scales[i]);
  return largest;
}

function ratio(residual: number, size: number): number {
  return Math.max(residual, 1e-18) / Math.max(size, 1e-18);
}
