import { NonFiniteError, type sparse, ValueError } from "@offprint/tensor-core";
import { readVector } from "@offprint/tensor-core/internal";
import { checkFinite, type LinearOperator } from "../linear/linear-operator.js";
import { addScaled, divide, dot, maxNorm, norm } from "../linear/vector-arithmetic.js";

/** Where the Lanczos process stands: an orthonormal basis and the tridiagonal matrix of the operator in it. */
export interface LanczosState {
  /** Orthonormal vectors `[n]`: one more than `diagonal` has entries, unless there are `n`. */
  readonly basis: readonly Float64Array[];
  /** Diagonal of the matrix. */
  readonly diagonal: readonly number[];
  /** Off-diagonal, the coupling to the next vector included; 0 where an invariant subspace was complete. */
  readonly offDiagonal: readonly number[];
  /** Norm of the residual of the last step. */
  readonly residualNorm: number;
  /** Largest norm of a product so far. */
  readonly scale: number;
}

/** A vector that no symmetry of a problem is likely to annihilate, the same on every call. */
function fixedVector(n: number, salt: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => (((i + 1 + salt * 0.37) * 0.6180339887498949) % 1) - 0.4142);
}

/** @throws ValueError for a start that is not finite, or zero. */
export function lanczosStart(owner: string, initial: sparse.VectorLike | undefined, n: number): LanczosState {
  const vector = initial === undefined ? fixedVector(n, 0) : readVector(initial, n, `${owner}: initial`);
  checkFinite(vector, `${owner}: initial`);
  const largest = maxNorm(vector);
  if (largest === 0) throw new ValueError(`${owner}: initial must not be zero`);
  const scaled = divide(vector.slice(), largest);
  const size = norm(scaled);
  return { basis: [divide(scaled, size)], diagonal: [], offDiagonal: [], residualNorm: 0, scale: 0 };
}

/** One more row and column of the matrix; vectors are orthogonalised against all earlier ones. */
export function lanczosStep(state: LanczosState, apply: LinearOperator): LanczosState {
  const { basis } = state;
  const current = basis[state.diagonal.length];
  const n = current.length;
  const next = new Float64Array(n);
  apply(current, next);
  const alpha = dot(current, next);
  if (!Number.isFinite(alpha)) throw new NonFiniteError("the operator gave values that are not finite");
  const scale = Math.max(state.scale, norm(next));
  // All that is along the basis but for rounding.
  addScaled(next, -alpha, current);
  if (basis.length > 1) addScaled(next, -(state.offDiagonal.at(-1) as number), basis[basis.length - 2]);
  let residualNorm = orthogonalize(next, basis);
  if (residualNorm <= 1e-14 * scale) residualNorm = 0;
  const diagonal = [...state.diagonal, alpha];
  if (basis.length === n) return { ...state, diagonal, residualNorm, scale };
  const vector = residualNorm === 0 ? freshVector(basis) : divide(next, residualNorm);
  const offDiagonal = [...state.offDiagonal, residualNorm];
  return { basis: [...basis, vector], diagonal, offDiagonal, residualNorm, scale };
}

/**
 * Twice is enough, and once where that leaves most of x: what is left of the basis in it is rounding of what was taken away.
 * Gives the norm of what is left.
 *
 * @see Daniel, Gragg, Kaufman and Stewart, Math. Comp. 30 (1976)
 */
function orthogonalize(x: Float64Array, basis: readonly Float64Array[]): number {
  const before = norm(x);
  removeAll(x, basis);
  const after = norm(x);
  if (after >= Math.SQRT1_2 * before) return after;
  removeAll(x, basis);
  return norm(x);
}

/** x less its components along orthonormal vectors. */
function removeAll(x: Float64Array, basis: readonly Float64Array[]): void {
  const whole = basis.length & ~3;
  for (let j = 0; j < whole; j += 4) removeFour(x, basis[j], basis[j + 1], basis[j + 2], basis[j + 3]);
  for (let j = whole; j < basis.length; j++) addScaled(x, -dot(basis[j], x), basis[j]);
}

/** x less its components along four orthonormal vectors, for which it is read twice and written once. */
function removeFour(x: Float64Array, p: Float64Array, q: Float64Array, r: Float64Array, s: Float64Array): void {
  const n = x.length;
  const even = n & ~1;
  let [p0, q0, r0, s0, p1, q1, r1, s1] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < even; i += 2) {
    const u = x[i];
    const v = x[i + 1];
    p0 += p[i] * u;
    q0 += q[i] * u;
    r0 += r[i] * u;
    s0 += s[i] * u;
    p1 += p[i + 1] * v;
    q1 += q[i + 1] * v;
    r1 += r[i + 1] * v;
    s1 += s[i + 1] * v;
  }
  if (even < n) {
    p0 += p[even] * x[even];
    q0 += q[even] * x[even];
    r0 += r[even] * x[even];
    s0 += s[even] * x[even];
  }
  p0 += p1;
  q0 += q1;
  r0 += r1;
  s0 += s1;
  for (let i = 0; i < n; i++) x[i] -= p0 * p[i] + q0 * q[i] + (r0 * r[i] + s0 * s[i]);
}

/** The subspace is invariant: the process goes on in its orthogonal complement. */
function freshVector(basis: readonly Float64Array[]): Float64Array {
  const n = basis[0].length;
  for (let salt = 1; ; salt++) {
    const fresh = fixedVector(n, salt * (basis.length + 1));
    const before = norm(fresh);
    const size = orthogonalize(fresh, basis);
    if (size < 1e-8 * before && salt < 20) continue;
    return divide(fresh, size);
  }
}
