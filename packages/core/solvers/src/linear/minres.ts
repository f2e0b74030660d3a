import type { sparse } from "@offprint/tensor-core";
import type { OperatorLike } from "./linear-operator.js";
import {
  type LinearMethod,
  type LinearSolverOptions,
  type LinearSolverResult,
  type LinearSolverResultSync,
  type LinearSolverSettings,
  type LinearState,
  OperatorSystem,
  solveLinear,
  solveLinearSync,
} from "./linear-solver.js";
import { addScaled, divide, dot, maxNorm, norm } from "./vector-arithmetic.js";

interface MinresState extends LinearState {
  /** Lanczos vectors: the last two before the preconditioner, the last after it. */
  readonly previous: Float64Array;
  readonly current: Float64Array;
  readonly solved: Float64Array;
  /** Norms of the last two. */
  readonly previousBeta: number;
  readonly beta: number;
  /** The last two directions of the iterate. */
  readonly directions: readonly [Float64Array, Float64Array];
  /** Givens rotation of the last step, and what it left in the new column. */
  readonly cosine: number;
  readonly sine: number;
  readonly delta: number;
  readonly epsilon: number;
  /** Largest entry of the tridiagonal matrix so far. */
  readonly matrixScale: number;
}

/**
 * Solves `A x = b` for symmetric, possibly indefinite `A` by the minimum residual method (Paige and Saunders 1975).
 * The residual norms are those of the preconditioner `M`: `sqrt(r' M r)`; so is the convergence test, relative to `b`.
 *
 * @param a - `[n, n]` symmetric matrix or operator.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where the Krylov space is exhausted without a solution (singular `A`), or the
 * preconditioner is not positive definite.
 * @throws ShapeError; ValueError for options out of range and values that are not finite; NonFiniteError.
 */
export async function minres(
  a: OperatorLike,
  b: sparse.VectorLike,
  options: LinearSolverOptions = {},
): Promise<LinearSolverResult> {
  return solveLinear((owner) => method(new OperatorSystem(owner, a, b, options)), "minres", options);
}

/** {@link minres} in one go, for systems that are over in a blink and for rules of derivatives. */
export function minresSync(
  a: OperatorLike,
  b: sparse.VectorLike,
  options: LinearSolverSettings = {},
): LinearSolverResultSync {
  return solveLinearSync((owner) => method(new OperatorSystem(owner, a, b, options)), "minresSync", options);
}

function method(system: OperatorSystem): LinearMethod<MinresState> {
  const { n } = system;
  // NaN where the preconditioner is not positive definite.
  const sizeOf = (r: Float64Array, solved: Float64Array) => {
    const squares = dot(r, solved);
    if (Number.isNaN(squares)) system.checked(squares);
    if (Math.abs(squares) > 1e-290 && Math.abs(squares) < Infinity) return Math.sqrt(squares);
    // The products are too small or too large for a number, as those of A may be, and their size is not.
    const [large, small] = [maxNorm(r), maxNorm(solved)];
    if (!(large > 0 && large < Infinity && small > 0 && small < Infinity)) return Math.sqrt(squares);
    const scaled = dot(divide(r.slice(), large), divide(solved.slice(), small));
    return Math.sqrt(large) * Math.sqrt(small) * Math.sqrt(scaled);
  };
  const scale = sizeOf(system.b, system.preconditioned(system.b));
  const size = norm(system.b);
  const threshold = size === 0 ? system.threshold : (system.threshold / size) * scale;
  return {
    system,
    converged: ({ residualNorm }) => residualNorm <= threshold,
    check: ({ previous, current, directions }) =>
      previous instanceof Float64Array && current instanceof Float64Array && Array.isArray(directions),
    begin() {
      const x = system.initial;
      const current = system.residual(x);
      const solved = system.preconditioned(current);
      const beta = sizeOf(current, solved);
      const broken = Number.isNaN(beta);
      const zeros = new Float64Array(n);
      return {
        ...system.first(broken ? norm(current) : beta),
        broken,
        x,
        previous: zeros,
        current,
        solved,
        previousBeta: 0,
        beta,
        directions: [zeros, zeros],
        cosine: -1,
        sine: 0,
        delta: 0,
        epsilon: 0,
        matrixScale: 0,
      };
    },
    step(state) {
      const { previous, current, solved, beta, previousBeta, cosine, sine, delta, directions } = state;
      const basis = solved.map((v) => v / beta);
      const following = system.product(basis);
      if (state.iteration > 0) addScaled(following, -beta / previousBeta, previous);
      const alpha = dot(basis, following);
      addScaled(following, -alpha / beta, current);
      const nextSolved = system.preconditioned(following);
      const nextBeta = sizeOf(following, nextSolved);
      if (Number.isNaN(nextBeta)) return { ...state, broken: true };

      const deltaBar = cosine * delta + sine * alpha;
      const gammaBar = sine * delta - cosine * alpha;
      const gamma = Math.hypot(gammaBar, nextBeta);
      const matrixScale = Math.max(state.matrixScale, Math.abs(alpha), nextBeta);
      // The last column vanishes: b has a part that A cannot reach.
      if (gamma <= 1e-15 * matrixScale) return { ...state, broken: true };
      const [before, last] = directions;
      const direction = basis.map((v, i) => (v - state.epsilon * before[i] - deltaBar * last[i]) / gamma);
      const x = state.x.slice();
      addScaled(x, (gammaBar / gamma) * state.residualNorm, direction);
      return {
        ...state,
        iteration: state.iteration + 1,
        x,
        residualNorm: system.checked((nextBeta / gamma) * state.residualNorm),
        broken: nextBeta <= 1e-15 * matrixScale,
        previous: current,
        current: following,
        solved: nextSolved,
        previousBeta: beta,
        beta: nextBeta,
        directions: [last, direction],
        cosine: gammaBar / gamma,
        sine: nextBeta / gamma,
        delta: -cosine * nextBeta,
        epsilon: sine * nextBeta,
        matrixScale,
      };
    },
  };
}
