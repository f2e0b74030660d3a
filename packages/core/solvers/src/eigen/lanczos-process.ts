import { NonFiniteError, type sparse, ValueError } from "@offprint/tensor-core";
import { readVector } from "@offprint/tensor-core/internal";
import { checkFinite, type LinearOperator } from "../linear/linear-operator.js";
import { addScaled, dot, norm } from "../linear/vector-arithmetic.js";

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
  const largest = vector.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  if (largest === 0) throw new ValueError(`${owner}: initial must not be zero`);
  const scaled = vector.map((v) => v / largest);
  const size = norm(scaled);
  return { basis: [scaled.map((v) => v / size)], diagonal: [], offDiagonal: [], residualNorm: 0, scale: 0 };
}

/** One more row and column of the matrix; vectors are orthogonalised against all earlier ones, twice. */
export function lanczosStep(state: LanczosState, apply: LinearOperator): LanczosState {
  const { basis } = state;
  const current = basis[state.diagonal.length];
  const n = current.length;
  const next = new Float64Array(n);
  apply(current, next);
  const alpha = dot(current, next);
  if (!Number.isFinite(alpha)) throw new NonFiniteError("the operator gave values that are not finite");
  const scale = Math.max(state.scale, norm(next));
  orthogonalize(next, basis);
  let residualNorm = norm(next);
  if (residualNorm <= 1e-14 * scale) residualNorm = 0;
  const diagonal = [...state.diagonal, alpha];
  if (basis.length === n) return { ...state, diagonal, residualNorm, scale };
  const vector = residualNorm === 0 ? freshVector(basis) : next.map((v) => v / residualNorm);
  const offDiagonal = [...state.offDiagonal, residualNorm];
  return { basis: [...basis, vector], diagonal, offDiagonal, residualNorm, scale };
}

function orthogonalize(x: Float64Array, basis: readonly Float64Array[]): void {
  for (let round = 0; round < 2; round++) for (const q of basis) addScaled(x, -dot(q, x), q);
}

/** The subspace is invariant: the process goes on in its orthogonal complement. */
function freshVector(basis: readonly Float64Array[]): Float64Array {
  const n = basis[0].length;
  for (let salt = 1; ; salt++) {
    const fresh = fixedVector(n, salt * (basis.length + 1));
    const before = norm(fresh);
    orthogonalize(fresh, basis);
    const size = norm(fresh);
    if (size < 1e-8 * before && salt < 20) continue;
    return fresh.map((v) => v / size);
  }
}
