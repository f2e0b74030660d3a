import { abs, add, mul, sqrt, sub, sum, type Tensor } from "@offprint/tensor-core";

/** @internal A typed array of floats. */
export type Floats = Float32Array | Float64Array;

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

/** @internal The particles of `[n, d]` moved, in a new array; where `moves` is given, only its particles. */
export function moved(
  { drift, noise, noiseAt }: Motion,
  values: Floats,
  consensus: Float64Array,
  normals: ArrayLike<number>,
  scale: number,
  moves?: Uint8Array,
): Floats {
  const d = consensus.length;
  const out = values.slice();
  const keep = 1 - drift;
  const strength = noiseAt === "post" ? scale * Math.abs(keep) : scale;
  for (let i = 0, row = 0; row < values.length; i++, row += d) {
    if (moves !== undefined && moves[i] === 0) continue;
    if (noise === "anisotropic") {
      for (let j = 0; j < d; j++) {
        const u = values[row + j] - consensus[j];
        out[row + j] = consensus[j] + keep * u + strength * Math.abs(u) * normals[row + j];
      }
      continue;
    }
    let factor = scale;
    if (noise === "isotropic") {
      let square = 0;
      for (let j = 0; j < d; j++) {
        const u = values[row + j] - consensus[j];
        square += u * u;
      }
      factor = strength * Math.sqrt(square);
    }
    for (let j = 0; j < d; j++) {
      const m = consensus[j];
      out[row + j] = m + keep * (values[row + j] - m) + factor * normals[row + j];
    }
  }
  return out;
}

/** @internal The same in operations of tensors: particles `[n, d]`, consensus `[d]`, normals `[n, d]`, scale `[]`. */
export function movedTensor(
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
