/**
 * @internal The Nesterov-Todd scaling W of one cone (or several of one kind) at a pair of interior points s and y:
 * W y = W^-T s = lambda. Every method reads and writes its own rows of vectors `[m]`; `from` and `to` may be the same.
 *
 * @see Nesterov and Todd, "Self-scaled barriers and interior-point methods for convex programming", 1997; Vandenberghe,
 * "The CVXOPT linear and quadratic cone program solvers", 2010, for the formulas
 */
export interface ConeScaling {
  /** Degree of the barrier: what s^T y is divided by. */
  readonly degree: number;
  /** Adds `factor` times the identity e of the cone's product. */
  addIdentity(factor: number, to: Float64Array): void;
  /** The least t with v + t e in the cone. */
  distanceToCone(v: Float64Array): number;
  /** Takes the scaling at s and y and writes lambda; false where one of them is not in the interior. */
  update(s: Float64Array, y: Float64Array, lambda: Float64Array): boolean;
  /** W v */
  scale(from: Float64Array, to: Float64Array): void;
  /** W^T v */
  scaleTransposed(from: Float64Array, to: Float64Array): void;
  /** W^-1 v */
  unscale(from: Float64Array, to: Float64Array): void;
  /** W^-T v */
  unscaleTransposed(from: Float64Array, to: Float64Array): void;
  /** The cone's product u o v. */
  product(u: Float64Array, v: Float64Array, to: Float64Array): void;
  /** The solution of lambda o x = v. */
  divide(v: Float64Array, to: Float64Array): void;
  /** The largest t with lambda + t v in the cone. */
  longestStep(v: Float64Array): number;
}
