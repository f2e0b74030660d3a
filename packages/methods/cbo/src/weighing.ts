import {
  add,
  arange,
  cast,
  div,
  equal,
  exp,
  greater,
  less,
  logicalAnd,
  matmul,
  max,
  min,
  minimum,
  mul,
  neg,
  reshape,
  scan,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
  zeros,
} from "@offprint/tensor-core";

/** Largest finite numbers. */
const LARGEST = { float32: 3.4028234663852886e38, float64: Number.MAX_VALUE };
/** `alpha: "auto"` looks for log2 alpha in an interval of this half width, which is halved so often. */
const [WIDTH, HALVINGS] = [{ float32: 120, float64: 1000 }, 40];

/** @internal How many particles decide where alpha is chosen step by step. */
export const DECIDING = 3;

/** @internal What one weighing of a swarm gives. */
export interface Weighing {
  /** `m_alpha(V)`, `[d]`. */
  readonly consensus: Tensor;
  /** Mean energy under the weights, `[]`. */
  readonly energy: Tensor;
  /** Effective number of particles, `[]`. */
  readonly nEff: Tensor;
  /** Least energy, `[]`: -Infinity where the objective is unbounded, Infinity where nothing is finite. */
  readonly least: Tensor;
  /** Row of the particle that has it, `[]`. */
  readonly best: Tensor;
}

/** @internal An alpha that is Infinity, or has become too large, as a finite one: `0 alpha` must be 0. */
export function cappedAlpha(alpha: number, dtype: "float32" | "float64"): number {
  return Math.min(alpha, LARGEST[dtype]);
}

/**
 * @internal The consensus of particles `[n, d]` with energies `[n]`, in operations of tensors:
 *
 *     m_alpha(V) = sum_i w_i v_i / sum_i w_i,     w_i = exp(-alpha (E(v_i) - min E))
 *
 * Energies that are NaN or Infinity weigh nothing; the shift by the least energy keeps the weights in [0, 1].
 * @param alpha `[]`, capped; "auto" for that with which `DECIDING` particles decide
 */
export function weighed(energies: Tensor, particles: Tensor, alpha: Tensor | "auto"): Weighing {
  // Energies may be more exact than particles: small differences of large ones, and sizes that only float64 has.
  const dtype = energies.dtype === "float64" ? "float64" : (particles.dtype as "float32" | "float64");
  const values = cast(energies, dtype);
  const defined = less(values, Infinity);
  const known = where(defined, values, Infinity);
  const least = min(known);
  // The difference of large energies overflows: such a particle is far from the best.
  const gap = minimum(sub(known, least), LARGEST[dtype]);
  const weights = weightsOf(gap, defined, alpha === "auto" ? balancedAlpha(gap, defined) : alpha);
  const total = sum(weights);
  return {
    consensus: reshape(
      div(matmul(cast(reshape(weights, [1, -1]), particles.dtype), particles), cast(total, particles.dtype)),
      [-1],
    ),
    energy: add(div(sum(mul(weights, gap)), total), least),
    nEff: effective(weights),
    least,
    best: firstOf(equal(known, least)),
  };
}

/** The first place of a mask `[n]`. */
function firstOf(mask: Tensor): Tensor {
  const n = mask.shape[0];
  return min(where(mask, arange(n), n - 1));
}

/**
 * Weights beyond exp(-`VANISHES`) are 0: beside the best particle's 1 they change no sum, and their squares would be
 * subnormal numbers, on which a processor spends a hundred times as long.
 */
const VANISHES = { float32: 40, float64: 340 };

function weightsOf(gap: Tensor, defined: Tensor, alpha: Tensor): Tensor {
  const vanishes = VANISHES[gap.dtype as "float32" | "float64"];
  const exponent = minimum(mul(gap, alpha), vanishes);
  return where(logicalAnd(defined, less(exponent, vanishes)), exp(neg(exponent)), 0);
}

/** `(sum w)^2 / sum w^2`. */
function effective(weights: Tensor): Tensor {
  return div(square(sum(weights)), sum(square(weights)));
}

/** The alpha with which `DECIDING` particles decide: their number falls as alpha grows, so that it is found by halving. */
function balancedAlpha(gap: Tensor, defined: Tensor): Tensor {
  const dtype = gap.dtype as "float32" | "float64";
  const farthest = max(where(defined, gap, 0));
  // In units of the energies' own range; where all are alike, any will do.
  const unit = div(1, where(greater(farthest, 0), farthest, 1));
  const alphaOf = (logarithm: Tensor) => minimum(mul(unit, exp(mul(logarithm, Math.LN2))), LARGEST[dtype]);
  const halves = Array.from({ length: HALVINGS }, (_, k) => WIDTH[dtype] * 2 ** -(k + 1));
  const [logarithm] = scan(
    (middle: Tensor, half: Tensor): [Tensor, Tensor] => {
      const many = greater(effective(weightsOf(gap, defined, alphaOf(middle))), DECIDING);
      return [add(middle, where(many, half, neg(half))), half];
    },
    zeros([], dtype),
    tensor(halves, { dtype }),
  );
  return alphaOf(logarithm);
}
