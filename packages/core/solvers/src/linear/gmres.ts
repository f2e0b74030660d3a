import { requireInteger, type sparse } from "@offprint/tensor-core";
import type { OperatorLike } from "./linear-operator.js";
import {
  type LinearMethod,
  type LinearSolverOptions,
  type LinearSolverResult,
  type LinearSolverResultSync,
  type LinearSolverSettings,
  type LinearState,
  linearOptionNames,
  OperatorSystem,
  solveLinear,
  solveLinearSync,
} from "./linear-solver.js";
import { addScaled, dot, norm } from "./vector-arithmetic.js";

/** What GMRES has of its own. */
export interface GmresSettings extends LinearSolverSettings {
  /** Iterations between restarts: memory is `restart + 1` vectors (default `min(n, 50)`). */
  readonly restart?: number;
}

/** Options of {@link gmres}. */
export interface GmresOptions extends LinearSolverOptions, GmresSettings {}

interface GmresState extends LinearState {
  /** Residual norm with which this cycle began. */
  readonly cycleNorm: number;
  /** Orthonormal vectors of the Krylov space: one more than columns. `x` is the iterate at the restart. */
  readonly basis: readonly Float64Array[];
  /** Columns of the triangular factor of the Hessenberg matrix, and the rotations that made it. */
  readonly columns: readonly Float64Array[];
  readonly rotations: readonly Rotation[];
  /** The right-hand side under the rotations. */
  readonly rhs: readonly number[];
}

interface Rotation {
  readonly cosine: number;
  readonly sine: number;
}

const names = linearOptionNames("restart");

/**
 * Solves `A x = b` for any square `A` by restarted GMRES (Saad and Schultz 1986), preconditioned from the right, so that
 * residual norms are those of `A x = b` itself.
 *
 * @param a - `[n, n]` matrix or operator.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where a whole cycle made no progress or the Krylov space ended without a solution.
 * @throws ShapeError; ValueError for options out of range and values that are not finite; NonFiniteError.
 */
export async function gmres(
  a: OperatorLike,
  b: sparse.VectorLike,
  options: GmresOptions = {},
): Promise<LinearSolverResult> {
  return solveLinear((owner) => method(new OperatorSystem(owner, a, b, options), options), "gmres", options, names);
}

/** {@link gmres} in one go, for systems that are over in a blink and for rules of derivatives. */
export function gmresSync(a: OperatorLike, b: sparse.VectorLike, options: GmresSettings = {}): LinearSolverResultSync {
  const make = (owner: string) => method(new OperatorSystem(owner, a, b, options), options);
  return solveLinearSync(make, "gmresSync", options, names);
}

function method(system: OperatorSystem, { restart = Math.min(system.n, 50) }: GmresSettings): LinearMethod<GmresState> {
  requireInteger(system.owner, "restart", restart, 1);
  const cycleAt = (x: Float64Array) => {
    const residual = system.residual(x);
    const size = system.checked(norm(residual));
    const unit = residual.map((v) => v / size);
    return { x, residualNorm: size, cycleNorm: size, basis: [unit], columns: [], rotations: [], rhs: [size] };
  };
  const iterate = (state: GmresState) => corrected(state, system);
  /** Ends the cycle. No more than the recurrence claims is believed: the residual is computed anew. */
  const restarted = (state: GmresState): GmresState => {
    const next = cycleAt(iterate(state));
    return { ...state, ...next, broken: state.broken || !(next.cycleNorm < state.cycleNorm * (1 - 1e-12)) };
  };
  return {
    system,
    iterate,
    check: ({ basis, columns, rotations, rhs }) => [basis, columns, rotations, rhs].every(Array.isArray),
    begin() {
      const cycle = cycleAt(system.initial);
      return { ...system.first(cycle.residualNorm), ...cycle };
    },
    step(state) {
      const { column, next, size } = arnoldi(state.basis, system);
      const invariant = next === null;
      const { rotation, rotated } = triangularised(column, state.rotations);
      const j = state.columns.length;
      // An invariant space holds the solution unless A is singular on it, which a vanishing pivot shows.
      if (invariant && rotated[j] <= 1e-13 * size) return restarted({ ...state, broken: true });
      const last = state.rhs[j];
      const grown: GmresState = {
        ...state,
        iteration: state.iteration + 1,
        basis: next === null ? state.basis : [...state.basis, next],
        columns: [...state.columns, rotated],
        rotations: [...state.rotations, rotation],
        rhs: [...state.rhs.slice(0, j), rotation.cosine * last, -rotation.sine * last],
        residualNorm: system.checked(Math.abs(rotation.sine * last)),
      };
      const full = invariant || grown.columns.length === restart || grown.residualNorm <= system.threshold;
      return full ? restarted(grown) : grown;
    },
  };
}

/** The next column of the Hessenberg matrix and basis vector, by Gram-Schmidt done twice; `null` where the space ends. */
function arnoldi(basis: readonly Float64Array[], system: OperatorSystem) {
  const vector = system.product(system.preconditioned(basis[basis.length - 1]));
  const size = system.checked(norm(vector));
  const column = new Float64Array(basis.length + 1);
  for (let round = 0; round < 2; round++) {
    basis.forEach((q, i) => {
      const part = dot(q, vector);
      column[i] += part;
      addScaled(vector, -part, q);
    });
  }
  const remaining = norm(vector);
  if (remaining <= 1e-15 * size) return { column, next: null, size };
  column[basis.length] = remaining;
  return { column, next: vector.map((v) => v / remaining), size };
}

/** The column under the earlier rotations, and the one that removes its last entry. */
function triangularised(column: Float64Array, rotations: readonly Rotation[]) {
  const rotated = column.slice(0, -1);
  rotations.forEach(({ cosine, sine }, i) => {
    const [above, below] = [rotated[i], rotated[i + 1]];
    rotated[i] = cosine * above + sine * below;
    rotated[i + 1] = cosine * below - sine * above;
  });
  const j = rotations.length;
  const [above, below] = [rotated[j], column[j + 1]];
  const radius = Math.hypot(above, below);
  rotated[j] = radius;
  const rotation = radius === 0 ? { cosine: 1, sine: 0 } : { cosine: above / radius, sine: below / radius };
  return { rotation, rotated };
}

/** The iterate with the correction of the columns so far. */
function corrected({ x, basis, columns, rhs }: GmresState, system: OperatorSystem): Float64Array {
  const count = columns.length;
  if (count === 0) return x;
  const weights = rhs.slice(0, count);
  for (let i = count - 1; i >= 0; i--) {
    for (let j = i + 1; j < count; j++) weights[i] -= columns[j][i] * weights[j];
    weights[i] /= columns[i][i];
  }
  const correction = new Float64Array(x.length);
  weights.forEach((weight, i) => {
    addScaled(correction, weight, basis[i]);
  });
  const next = x.slice();
  addScaled(next, 1, system.preconditioned(correction));
  return next;
}
