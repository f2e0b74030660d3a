import { add, customVjp, diagonal, dot, linalg, log, mul, neg, outer, sum, type Tensor } from "@offprint/tensor-core";

/** What the evidence of observations is made of. */
export interface EvidenceTerms {
  /** r^T K^-1 r. */
  readonly quadratic: Tensor;
  /** log det K. */
  readonly logDeterminant: Tensor;
}

/**
 * r^T K^-1 r and log det K for positive definite K, with gradients that cost one inverse: those of the evidence of a
 * Gaussian process, at fixed parameters of everything else.
 */
export const evidenceTerms: (K: Tensor, r: Tensor) => EvidenceTerms = customVjp(
  (K: Tensor, r: Tensor): EvidenceTerms => solved(K, r).terms,
  (K: Tensor, r: Tensor) => {
    const { terms, weights, factor } = solved(K, r);
    return [terms, { weights, factor }] as const;
  },
  ({ weights, factor }: { weights: Tensor; factor: Tensor }, { quadratic, logDeterminant }: EvidenceTerms) => {
    const inverse = linalg.choleskyInverse(factor);
    const byMatrix = add(mul(neg(quadratic), outer(weights, weights)), mul(logDeterminant, inverse));
    return [byMatrix, mul(mul(2, quadratic), weights)];
  },
);

function solved(K: Tensor, r: Tensor): { terms: EvidenceTerms; weights: Tensor; factor: Tensor } {
  const factor = linalg.cholesky(K);
  const weights = linalg.choleskySolve(factor, r);
  const terms = { quadratic: dot(r, weights), logDeterminant: mul(2, sum(log(diagonal(factor)))) };
  return { terms, weights, factor };
}
