import {
  add,
  argMin,
  cast,
  div,
  exp,
  less,
  matmul,
  min,
  minimum,
  mul,
  neg,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  where,
} from "@offprint/tensor-core";

/** Largest finite numbers. */
const LARGEST = { float32: 3.4028234663852886e38, float64: Number.MAX_VALUE };

/** @internal An alpha that is Infinity, or has become too large, as a finite one: `0 alpha` must be 0. */
export function cappedAlpha(alpha: number, dtype: "float32" | "float64"): number {
  return Math.min(alpha, LARGEST[dtype]);
}

/**
 * @internal The same as `weigh`, in operations of tensors: energies `[n]`, particles `[n, d]`, alpha `[]`, capped.
 * @param flat whether alpha is 0, so that particles whose energies differ by more than the largest number weigh the same
 */
export function weighTensor(energies: Tensor, particles: Tensor, alpha: Tensor, flat: boolean) {
  const dtype = particles.dtype as "float32" | "float64";
  const values = cast(energies, dtype);
  const defined = less(values, Infinity);
  const known = where(defined, values, Infinity);
  const least = min(known);
  const gap = minimum(sub(known, least), LARGEST[dtype]);
  const weights = flat ? cast(defined, dtype) : exp(neg(mul(gap, alpha)));
  const total = sum(weights);
  return {
    consensus: reshape(div(matmul(reshape(weights, [1, -1]), particles), total), [-1]),
    energy: add(div(sum(mul(weights, gap)), total), least),
    nEff: div(square(total), sum(square(weights))),
    least,
    best: argMin(known),
  };
}
