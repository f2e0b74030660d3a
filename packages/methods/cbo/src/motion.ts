import { abs, add, mul, sqrt, sub, sum, type Tensor } from "@offprint/tensor-core";

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
}

/** @internal The particles `[n, d]` moved, with the consensus `[d]`, normals `[n, d]` and scale `[]`. */
export function moved(
  { drift, noise, noiseAt }: Motion,
  particles: Tensor,
  consensus: Tensor,
  normals: Tensor,
  scale: Tensor,
): Tensor {
  if (noise === "constant" && drift === 1) return add(consensus, mul(scale, normals));
  const u = sub(particles, consensus);
  const w = mul(u, 1 - drift);
  const at = noiseAt === "post" ? w : u;
  const shaken =
    noise === "constant"
      ? normals
      : mul(noise === "anisotropic" ? abs(at) : sqrt(sum(mul(at, at), { axis: 1, keepDims: true })), normals);
  return add(add(consensus, w), mul(scale, shaken));
}
