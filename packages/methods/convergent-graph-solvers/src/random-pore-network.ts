import { undirected } from "@offprint/graph";
import { checkOptions, type Rng, requireChoice, requireInteger, requirePositive } from "@offprint/tensor-core";
import { delaunayEdges } from "./delaunay.js";
import type { PoreNetwork } from "./pore-network.js";

/** A network whose pores have places. */
export interface RandomPoreNetwork extends PoreNetwork {
  /** `[pores * dimension]` coordinates in the unit square or cube. */
  readonly positions: Float64Array;
  /** `[throats]` rows: radius, length, logarithm of the conductance. */
  readonly features: readonly (readonly number[])[];
}

/** Options of {@link randomPoreNetwork}. */
export interface RandomPoreOptions {
  /** Number of pores, at least 8. */
  readonly pores: number;
  /** Plane (2, default) or space (3). */
  readonly dimension?: 2 | 3;
  /** Standard deviation of the logarithm of the radii. Default 0.3. */
  readonly spread?: number;
  /** Source of the network. */
  readonly rng: Rng;
}

/** Pores nearer to a face than this have its pressure. */
const FACE = 0.12;

/**
 * A random network: points in the unit square or cube, linked as in their Delaunay triangulation where they are near.
 * Radii are log-normal, a throat has the smaller one of its ends, lengths are in units of the mean distance, and
 * conductances are `r^4 / length`. The pressure is 1 at the face x = 0 and 0 at x = 1.
 */
export function randomPoreNetwork(options: RandomPoreOptions): RandomPoreNetwork {
  const owner = "randomPoreNetwork";
  checkOptions(owner, options, ["pores", "dimension", "spread", "rng"], ["pores", "rng"]);
  const { pores, dimension = 2, spread = 0.3, rng } = options;
  requireInteger(owner, "pores", pores, 8);
  requireChoice(owner, "dimension", dimension, [2, 3]);
  requirePositive(owner, "spread", spread);
  for (;;) {
    const positions = rng.uniform([pores, dimension], { dtype: "float64" }).data() as Float64Array;
    const network = linked(positions, pores, dimension);
    const held = Float64Array.from({ length: pores }, (_, i) => facePressure(positions[i * dimension]));
    if (!network.connected || !held.includes(1) || !held.includes(0)) continue;
    const radii = rng
      .normal([pores], { dtype: "float64" })
      .data()
      .map((z: number) => Math.exp(spread * z));
    const features = network.throats.map(([i, j], t) => {
      const radius = Math.min(radii[i], radii[j]);
      const length = network.lengths[t];
      return [radius, length, Math.log(radius ** 4 / length)];
    });
    const conductances = Float64Array.from(features, ([, , logarithm]) => Math.exp(logarithm));
    return { pores, throats: network.throats, conductances, held, positions, features };
  }
}

function facePressure(x: number): number {
  if (x < FACE) return 1;
  return x > 1 - FACE ? 0 : Number.NaN;
}

function linked(positions: Float64Array, pores: number, dimension: 2 | 3) {
  const scale = pores ** (1 / dimension);
  const throats: [number, number][] = [];
  const lengths: number[] = [];
  for (const [i, j] of delaunayEdges(positions, dimension)) {
    let squared = 0;
    for (let k = 0; k < dimension; k++) squared += (positions[i * dimension + k] - positions[j * dimension + k]) ** 2;
    const length = Math.sqrt(squared) * scale;
    if (length > 2.5) continue;
    throats.push([i, j]);
    lengths.push(length);
  }
  return { throats, lengths, connected: isConnected(throats, pores) };
}

function isConnected(throats: readonly (readonly [number, number])[], pores: number): boolean {
  const { indptr, neighbours } = undirected(
    throats.map((t) => [...t]),
    pores,
  ).outgoing;
  const reached = new Set([0]);
  // A Set that grows is walked through to its end.
  for (const pore of reached) {
    for (let p = indptr[pore]; p < indptr[pore + 1]; p++) reached.add(neighbours[p]);
  }
  return reached.size === pores;
}
