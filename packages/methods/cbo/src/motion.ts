import { abs, add, mul, sqrt, square, sub, sum, type Tensor } from "@offprint/tensor-core";

/**
 * @internal How particles move, with `u = v - m`, B standard normal and the scale `s` of the step:
 *
 *     v <- m + (1 - drift) u + s D(w) B,      w = u ("pre") or (1 - drift) u ("post")
 *
 * Consensus-based optimisation has drift lambda dt and s = sigma sqrt(dt); consensus hopping has drift 1, D = 1 and s the
 * width. The scale is given with each step, as it may change.
 */
export interface Motion {
  /** lambda dt. */
  readonly drift: number;
  /** D: the distance to the consensus, the distance along each coordinate, or 1. */
  readonly noise: "isotropic" | "anisotropic" | "constant";
  /** Whether D is taken before the drift (the paper) or after it (the authors' code). */
  readonly noiseAt: "pre" | "post";
  /** Distances are taken in this unit, so that squares of very large or small ones are numbers. */
  readonly unit: number;
}

/** @internal The particles `[n, d]` moved, with the consensus `[d]`, normals `[n, d]` and scale `[]`. */
export function moved(
  { drift, noise, noiseAt, unit }: Motion,
  particles: Tensor,
  consensus: Tensor,
  normals: Tensor,
  scale: Tensor,
): Tensor {
  if (noise === "constant" && drift === 1) return add(consensus, mul(scale, normals));
  const u = sub(particles, consensus);
  const w = mul(u, 1 - drift);
  const at = noiseAt === "post" ? w : u;
  const shaken = noise === "constant" ? normals : mul(noise === "anisotropic" ? abs(at) : distances(at, unit), normals);
  return add(add(consensus, w), mul(scale, shaken));
}

/** Lengths of the rows of `[n, d]`, `[n, 1]`. */
function distances(u: Tensor, unit: number): Tensor {
  const length = sqrt(sum(square(times(u, 1 / unit)), { axis: 1, keepDims: true }));
  return times(length, unit);
}

/** @internal The product, of which 1 makes no step. */
export function times(x: Tensor, factor: number): Tensor {
  return factor === 1 ? x : mul(x, factor);
}

/** Sizes whose squares are numbers, with room for sums and for what a tolerance is a part of. */
const ORDINARY = { float32: 1e12, float64: 1e100 };
/** Exponents of the least powers of 2 that have an inverse. */
const LEAST = { float32: -126, float64: -1022 };

/**
 * @internal The unit of distances for coordinates of some sizes: 1 as a rule, else a power of 2, by which numbers are
 * divided without rounding.
 */
export function unitFor(sizes: readonly number[], dtype: "float32" | "float64"): number {
  const size = Math.max(0, ...sizes.filter(Number.isFinite).map(Math.abs));
  if (size === 0 || (size < ORDINARY[dtype] && size > 1 / ORDINARY[dtype])) return 1;
  return 2 ** Math.max(LEAST[dtype], Math.floor(Math.log2(size)));
}

/** @internal What a result warns of where the drift is too long. */
export function overshooting(lambda: number, dt: number): string[] {
  if (lambda * dt <= 1) return [];
  return [`lambda dt is ${lambda * dt}: particles overshoot the consensus; take dt <= ${1 / lambda}`];
}
