import {
  asTensor,
  less,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { vectorOf } from "./problem.js";
import { cappedAlpha, weighed } from "./weighing.js";

/** The consensus of a swarm. */
export interface ConsensusPoint {
  /** `m_alpha(V) = sum_i w_i v_i / sum_i w_i` with `w_i = exp(-alpha (E(v_i) - min E))`, `[d]` (float64). */
  readonly point: Tensor;
  /** Effective number of particles that decide, `(sum w)^2 / sum w^2`, in [1, n]. */
  readonly nEff: number;
}

/**
 * The point that a swarm agrees on: its mean, weighted towards low energies. For `alpha` 0 that is the mean, for
 * Infinity the best particle (the mean of ties). NaN and infinite energies have no weight.
 * @param energies `[n]`
 * @param particles `[n, d]`
 * @param alpha inverse temperature, >= 0, Infinity allowed
 * @throws ShapeError; ValueError for a negative `alpha` and where no energy is finite.
 * @example consensusPoint([0, 1], [[0, 0], [1, 1]], 1).point // [0.2689, 0.2689]
 */
export function consensusPoint(energies: TensorLike, particles: TensorLike, alpha: number): ConsensusPoint {
  const E = vectorOf("consensusPoint", "energies", energies);
  const V = vectorOf("consensusPoint", "particles", particles);
  if (V.rank !== 2 || E.rank !== 1 || E.shape[0] !== V.shape[0]) {
    throw new ShapeError(
      `consensusPoint: energies have shape [${E.shape}] and particles [${V.shape}]; give [n] and [n, d]`,
    );
  }
  if (E.size === 0) throw new ValueError("consensusPoint: there are no particles; give at least one");
  requireAlpha("consensusPoint", alpha);
  const wide = asTensor(E, "float64");
  // Where nobody goes a particle may be anything, also infinite.
  const known = where(less(wide, Infinity).reshape([-1, 1]), asTensor(V, "float64"), 0);
  const weight = tensor(cappedAlpha(alpha, "float64"), { dtype: "float64" });
  const { consensus, nEff, least } = weighed(wide, known, weight);
  requireDecided("consensusPoint", { least: least.item() }, E.shape[0], "");
  const at = consensus.data().findIndex((value) => !Number.isFinite(value));
  if (at >= 0) {
    throw new ValueError(
      `consensusPoint: coordinate ${at} of the consensus is ${consensus.data()[at]}; particles of finite energy must be ` +
        "finite, and so must their sum",
    );
  }
  return { point: consensus, nEff: nEff.item() };
}

/** @internal Throws unless alpha is in [0, Infinity]. */
export function requireAlpha(owner: string, alpha: number): void {
  if (typeof alpha !== "number" || !(alpha >= 0)) {
    throw new ValueError(`${owner}: alpha is ${String(alpha)}; it must be >= 0, Infinity for the best particle alone`);
  }
}

/** @internal Throws unless some particle has a finite energy. */
export function requireDecided(owner: string, { least }: { readonly least: number }, n: number, when: string): void {
  if (least === -Infinity) {
    throw new ValueError(`${owner}: the objective is -Infinity${when}; it must be bounded below where particles are`);
  }
  if (!Number.isFinite(least)) {
    throw new ValueError(
      `${owner}: the objective is finite at none of the ${n} particles${when}; start them where it is defined`,
    );
  }
}
