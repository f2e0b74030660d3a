import { asTensor, hostTensor, ShapeError, type Tensor, type TensorLike, ValueError } from "@offprint/tensor-core";

/** The consensus of a swarm. */
export interface ConsensusPoint {
  /** `m_alpha(V) = sum_i w_i v_i / sum_i w_i` with `w_i = exp(-alpha (E(v_i) - min E))`, `[d]` (float64). */
  readonly point: Tensor;
  /** Effective number of particles that decide, `(sum w)^2 / sum w^2`, in [1, n]. */
  readonly nEff: number;
}

/** @internal What one weighing of a swarm gives; `point` is written to. */
export interface Weighing {
  /** The consensus point. */
  readonly point: Float64Array;
  /** Effective number of particles; 0 where no energy was finite. */
  nEff: number;
  /** Mean energy under the weights. */
  energy: number;
  /** Least energy; -Infinity where the objective is unbounded, Infinity where nothing was finite. */
  least: number;
  /** Row of the particle with the least energy. */
  best: number;
}

/** @internal */
export function emptyWeighing(d: number): Weighing {
  return { point: new Float64Array(d), nEff: 0, energy: Number.NaN, least: Infinity, best: -1 };
}

/**
 * @internal Weighs the rows of `values` (`[n, d]`) by their energies. Energies that are NaN or Infinity weigh nothing.
 * The shift by the least energy keeps the weights in [0, 1]; the infinite alpha weighs the best particles alone.
 */
export function weigh(energies: ArrayLike<number>, values: ArrayLike<number>, alpha: number, out: Weighing): Weighing {
  const { point } = out;
  const [n, d] = [energies.length, point.length];
  let [least, best] = [Infinity, -1];
  for (let i = 0; i < n; i++) {
    if (energies[i] < least) {
      least = energies[i];
      best = i;
    }
  }
  let [sum, squares, energy] = [0, 0, 0];
  point.fill(0);
  for (let i = 0; i < n; i++) {
    const gap = energies[i] - least;
    // Not (gap >= 0) also for NaN; the gap of an overflowing difference is Infinity and its particle far from the best.
    if (!(energies[i] < Infinity)) continue;
    const w = gap === 0 || alpha === 0 ? 1 : Math.exp(-alpha * gap);
    if (w === 0) continue;
    sum += w;
    squares += w * w;
    energy += w * (alpha === 0 ? energies[i] : gap);
    for (let j = 0, at = i * d; j < d; j++, at++) point[j] += w * values[at];
  }
  for (let j = 0; j < d; j++) point[j] /= sum;
  out.nEff = sum === 0 ? 0 : (sum * sum) / squares;
  out.energy = energy / sum + (alpha === 0 ? 0 : least);
  out.least = least;
  out.best = best;
  return out;
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
  const E = Array.isArray(energies) ? asTensor(energies, "float64") : asTensor(energies);
  const V = Array.isArray(particles) ? asTensor(particles, "float64") : asTensor(particles);
  if (V.rank !== 2 || E.rank !== 1 || E.shape[0] !== V.shape[0]) {
    throw new ShapeError(
      `consensusPoint: energies have shape [${E.shape}] and particles [${V.shape}]; give [n] and [n, d]`,
    );
  }
  requireAlpha("consensusPoint", alpha);
  const d = V.shape[1];
  const weighing = weigh(E.data(), V.data(), alpha, emptyWeighing(d));
  requireDecided("consensusPoint", weighing, E.shape[0], "");
  return { point: hostTensor(weighing.point, [d], "float64"), nEff: weighing.nEff };
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
