import type { Parts } from "@offprint/solvers";
import type { ScaledProblem } from "../equilibration.js";
import { apply, applyQuadratic, applyTransposed } from "../products.js";
import { dot } from "../vector-arithmetic.js";
import { KktSystem } from "./kkt-system.js";
import { ProductScaling } from "./product-scaling.js";
import { type EmbeddedPoint, startingPoint, trivialPoint } from "./starting-point.js";

/** Share of the way to the cone's border that a step goes. */
const STEP_FRACTION = 0.99;

/** A direction in all variables of the embedding, and its cone parts in scaled coordinates. */
interface Direction {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly s: Float64Array;
  /** W dy */
  readonly scaledY: Float64Array;
  /** W^-T ds */
  readonly scaledS: Float64Array;
  tau: number;
  kappa: number;
}

/**
 * @internal A primal-dual interior-point method on the homogeneous embedding with a quadratic objective
 *
 *   P x + A^T y + c tau = 0,   A x + s = b tau,   x^T P x / tau + c^T x + b^T y + kappa = 0,   s in K, y in K*,
 *
 * with Nesterov-Todd scaling and Mehrotra's predictor and corrector.
 *
 * @see Goulart and Chen, "Clarabel: An interior-point solver for conic programs with quadratic objectives", 2024;
 * Vandenberghe, "The CVXOPT linear and quadratic cone program solvers", 2010
 */
export class InteriorPoint {
  /** Trivial before the first step. */
  point: EmbeddedPoint;
  /** Whether there is a point that is worth keeping. */
  started: boolean;
  /** Length of the last step, at most 1. */
  stepSize = 1;
  private readonly scaling: ProductScaling;
  /** Made in the first step. */
  private kkt: KktSystem | undefined;
  private readonly lambda: Float64Array;
  private readonly residualX: Float64Array;
  private readonly residualY: Float64Array;
  private residualTau = 0;
  /** Solution for the right-hand side (-c, b), and W times its y. */
  private readonly constantX: Float64Array;
  private readonly constantY: Float64Array;
  private readonly constantScaled: Float64Array;
  private readonly negativeC: Float64Array;
  private readonly Px: Float64Array;
  private readonly rightX: Float64Array;
  private readonly rightY: Float64Array;
  private readonly target: Float64Array;
  private readonly product: Float64Array;
  private readonly predictor: Direction;
  private readonly corrector: Direction;

  /** @param from a saved point; default the starting point */
  constructor(
    private readonly problem: ScaledProblem,
    private readonly tolerance: number,
    from?: EmbeddedPoint,
  ) {
    const { n, m, blocks, c } = problem;
    this.scaling = new ProductScaling(blocks);
    this.lambda = new Float64Array(m);
    this.residualX = new Float64Array(n);
    this.residualY = new Float64Array(m);
    this.constantX = new Float64Array(n);
    this.constantY = new Float64Array(m);
    this.constantScaled = new Float64Array(m);
    this.negativeC = c.map((value) => -value);
    this.Px = new Float64Array(n);
    this.rightX = new Float64Array(n);
    this.rightY = new Float64Array(m);
    this.target = new Float64Array(m);
    this.product = new Float64Array(n);
    this.predictor = direction(n, m);
    this.corrector = direction(n, m);
    this.started = from !== undefined;
    this.point =
      from === undefined
        ? trivialPoint(problem, this.scaling)
        : { ...from, x: from.x.slice(), y: from.y.slice(), s: from.s.slice() };
  }

  /** Gets ready for the first step: the system, and a point to go from if none was given. */
  *start(): Parts<KktSystem> {
    const { problem, scaling, tolerance } = this;
    this.kkt ??= yield* KktSystem.making(problem, scaling, tolerance);
    if (!this.started) {
      // Without factors the middle of the cones, where the point is, is all that is known.
      if (yield* this.kkt.factoring()) this.point = yield* startingPoint(problem, this.kkt, scaling);
      this.started = true;
    }
    return this.kkt;
  }

  /**
   * The point after another iteration, in parts between which others may have their turn; nothing where rounding lets it
   * get no further. It is interior in any case, and becomes the present one when the caller says so.
   */
  *step(): Parts<EmbeddedPoint | undefined> {
    const kkt = yield* this.start();
    const { scaling, point, predictor, corrector, lambda, problem } = this;
    if (!(yield* scaling.updating(point.s, point.y, lambda))) return undefined;
    if (!(yield* kkt.factoring())) return undefined;
    yield* this.evaluate();
    const mu = (dot(point.s, point.y) + point.tau * point.kappa) / (scaling.degree + 1);
    yield* kkt.solving(this.negativeC, problem.b, this.constantX, this.constantY, this.constantScaled);
    const curvature = this.curvature();
    // Predictor: lambda o (W dy + W^-T ds) = -lambda o lambda, and W^T lambda = s.
    this.target.set(lambda);
    this.rightY.set(point.s);
    yield* this.solve(kkt, curvature, 1, point.kappa * point.tau, predictor, true);
    const affine = Math.min(1, yield* this.longestStep(predictor));
    const sigma = (1 - affine) ** 3;
    yield* this.correct(sigma * mu);
    const targetTau = point.kappa * point.tau + predictor.kappa * predictor.tau - sigma * mu;
    yield* this.solve(kkt, curvature, 1 - sigma, targetTau, corrector);
    yield* scaling.each((cone) => cone.scaleTransposed(corrector.scaledS, corrector.s));
    this.stepSize = Math.min(1, STEP_FRACTION * (yield* this.longestStep(corrector)));
    return this.stepSize > 0 ? moved(point, corrector, this.stepSize) : undefined;
  }

  private *evaluate(): Parts<void> {
    const { problem, point, residualX, residualY, Px, target } = this;
    const { n, m, b, c } = problem;
    const { x, y, s, tau, kappa } = point;
    applyTransposed(problem, y, residualX);
    yield;
    applyQuadratic(problem, x, Px);
    for (let j = 0; j < n; j++) residualX[j] += Px[j] + c[j] * tau;
    apply(problem, x, target);
    yield;
    for (let i = 0; i < m; i++) residualY[i] = target[i] + s[i] - b[i] * tau;
    this.residualTau = kappa + dot(c, x) + dot(b, y) + dot(x, Px) / tau;
  }

  /** The corrector's target: lambda, the second-order term of the predictor, and `-identity` times e. */
  private *correct(identity: number): Parts<void> {
    const { scaling, lambda, predictor, target, rightY } = this;
    yield* scaling.each((cone) => cone.product(predictor.scaledS, predictor.scaledY, target));
    scaling.addIdentity(-identity, target);
    yield* scaling.each((cone) => cone.divide(target, target));
    for (let i = 0; i < target.length; i++) target[i] += lambda[i];
    yield* scaling.each((cone) => cone.scaleTransposed(target, rightY));
  }

  /**
   * The direction that takes the residuals times 1 - eta, and W dy + W^-T ds to minus `target`, of which `rightY` holds W^T
   * times; all of it but ds.
   */
  private *solve(
    kkt: KktSystem,
    curvature: number,
    eta: number,
    targetTau: number,
    to: Direction,
    roughly = false,
  ): Parts<void> {
    const { problem, point, rightX, rightY, target, constantX, constantY, constantScaled, Px } = this;
    const { n, m, P, b, c } = problem;
    const { tau, kappa } = point;
    const zeros = problem.blocks[0]?.kind === "zero" ? problem.blocks[0].length : 0;
    rightY.fill(0, 0, zeros);
    for (let i = 0; i < m; i++) rightY[i] -= eta * this.residualY[i];
    for (let j = 0; j < n; j++) rightX[j] = -eta * this.residualX[j];
    yield* kkt.solving(rightX, rightY, to.x, to.y, to.scaledY, roughly);
    // d tau from the third equation.
    let right = -eta * this.residualTau + targetTau / tau - dot(c, to.x) - dot(b, to.y);
    if (P !== undefined) right -= (2 / tau) * dot(Px, to.x);
    to.tau = -right / curvature;
    for (let j = 0; j < n; j++) to.x[j] += to.tau * constantX[j];
    to.kappa = -(targetTau + kappa * to.tau) / tau;
    for (let i = 0; i < m; i++) {
      to.y[i] += to.tau * constantY[i];
      to.scaledY[i] += to.tau * constantScaled[i];
      to.scaledS[i] = -target[i] - to.scaledY[i];
    }
  }

  /** kappa / tau + |x_1 - x / tau|_P^2 + |W y_1|^2: what minus d tau is multiplied by in the third equation. */
  private curvature(): number {
    const { problem, point, constantX, constantScaled, rightX, product } = this;
    const { x, tau, kappa } = point;
    const without = kappa / tau + dot(constantScaled, constantScaled);
    if (problem.P === undefined) return without;
    const away = rightX;
    for (let j = 0; j < away.length; j++) away[j] = constantX[j] - x[j] / tau;
    applyQuadratic(problem, away, product);
    return without + dot(away, product);
  }

  private *longestStep({ scaledS, scaledY, tau, kappa }: Direction): Parts<number> {
    const { scaling, point } = this;
    let step = Math.min(yield* scaling.steppingTo(scaledS), yield* scaling.steppingTo(scaledY));
    if (tau < 0) step = Math.min(step, -point.tau / tau);
    if (kappa < 0) step = Math.min(step, -point.kappa / kappa);
    return step;
  }
}

/** The point a step further, as long as the embedding, which is homogeneous, allows: max(tau, kappa) stays 1. */
function moved(from: EmbeddedPoint, { x, y, s, tau, kappa }: Direction, step: number): EmbeddedPoint {
  const [nextTau, nextKappa] = [from.tau + step * tau, from.kappa + step * kappa];
  const size = 1 / Math.max(nextTau, nextKappa);
  const along = (start: Float64Array, by: Float64Array): Float64Array => {
    const out = new Float64Array(start.length);
    for (let i = 0; i < out.length; i++) out[i] = (start[i] + step * by[i]) * size;
    return out;
  };
  return {
    x: along(from.x, x),
    y: along(from.y, y),
    s: along(from.s, s),
    tau: nextTau * size,
    kappa: nextKappa * size,
  };
}

function direction(n: number, m: number): Direction {
  const [x, y, s] = [new Float64Array(n), new Float64Array(m), new Float64Array(m)];
  return { x, y, s, scaledY: new Float64Array(m), scaledS: new Float64Array(m), tau: 0, kappa: 0 };
}
