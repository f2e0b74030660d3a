import type { Kernel, ParameterTree } from "@offprint/gaussian-process";
import {
  add,
  diag,
  diagonal,
  div,
  exp,
  expandDims,
  eye,
  full,
  linalg,
  log,
  logSoftmax,
  matmul,
  mean,
  mul,
  special,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  transpose,
} from "@offprint/tensor-core";

/** What is learnt: q(u_c | s) = N(mean_c, s diag(exp(logVariance_c))) at the inducing inputs, q(s) = inverse gamma. */
export interface VariationalParameters {
  /** Z, `[M, d]`. */
  readonly inducing: Tensor;
  /** mu, `[C, M]`. */
  readonly mean: Tensor;
  /** Logarithms of the diagonals of Sigma, `[C, M]`. */
  readonly logVariance: Tensor;
  /** Logarithm of a. */
  readonly logShape: Tensor;
  /** Logarithm of b. */
  readonly logRate: Tensor;
  /** Of the kernel, raw. */
  readonly kernel: ParameterTree;
}

/** H of a classifier: inverse gamma (SVTP), or a known scale of 1, a Gaussian process (SVGP). */
export type ClassifierPrior =
  | { readonly kind: "inverseGamma"; readonly shape: number; readonly rate: number }
  | { readonly kind: "point" };

/** K_ZZ with its jitter, factorised. */
export interface Inducing {
  readonly kernel: Kernel;
  readonly inducing: Tensor;
  readonly factor: Tensor;
}

/** @param jitter - Added to the diagonal of K_ZZ, as a part of its mean. */
export function inducingOf(kernel: Kernel, { inducing, kernel: raw }: VariationalParameters, jitter: number): Inducing {
  const current = kernel.with(raw);
  const K = current.matrix(inducing);
  const extra = mul(jitter, mean(diagonal(K)));
  return {
    kernel: current,
    inducing,
    factor: linalg.cholesky(add(K, diag(mul(extra, full([K.shape[0]], 1, "float64"))))),
  };
}

/** Marginals of q(f_c(x)) per unit of s: `[m, C]` locations A mu_c, and variances (A Sigma_c A^T + B)_xx. */
export function latentMarginals(
  { kernel, inducing, factor }: Inducing,
  parameters: VariationalParameters,
  x: Tensor,
): { readonly location: Tensor; readonly variance: Tensor } {
  const half = linalg.triangularSolve(factor, kernel.matrix(inducing, x));
  const A = transpose(linalg.triangularSolve(factor, half, { transposeA: true }));
  const B = sub(kernel.diagonal(x), sum(square(half), 0)).maximum(0);
  const spread = matmul(square(A), transpose(exp(parameters.logVariance)));
  return { location: matmul(A, transpose(parameters.mean)), variance: add(spread, expandDims(B, 1)) };
}

/** KL of q(u, s) from the prior: of all u_c given s, and of s (section 5). */
export function divergence({ factor }: Inducing, parameters: VariationalParameters, prior: ClassifierPrior): Tensor {
  const { mean: mu, logVariance, logShape, logRate } = parameters;
  const [C, M] = mu.shape;
  const logDeterminant = mul(2, sum(log(diagonal(factor))));
  const inverse = sum(square(linalg.triangularSolve(factor, eye(M, M, "float64"))), 0);
  const traces = sum(mul(inverse, exp(logVariance)));
  const quadratic = sum(square(linalg.triangularSolve(factor, transpose(mu))));
  const [a, b] = [exp(logShape), exp(logRate)];
  const known = prior.kind === "point";
  // E_q 1/s = a/b.
  const weighted = known ? quadratic : mul(div(a, b), quadratic);
  const ofLatents = mul(0.5, add(sub(mul(C, logDeterminant), add(sum(logVariance), C * M)), add(traces, weighted)));
  return known ? ofLatents : add(ofLatents, scaleDivergence(a, b, prior));
}

/** KL of inverse gamma (a, b) from inverse gamma (shape, rate). */
export function scaleDivergence(
  a: Tensor,
  b: Tensor,
  { shape, rate }: { readonly shape: number; readonly rate: number },
): Tensor {
  const entropies = add(
    sub(mul(sub(a, shape), special.digamma(a)), special.lgamma(a)),
    special.lgamma(full([], shape, "float64")),
  );
  return add(entropies, add(mul(shape, sub(log(b), Math.log(rate))), div(mul(a, sub(rate, b)), b)));
}

/** Numbers of one Monte Carlo estimate: `[S, m, C]` normals, `[S, m, 1 or C]` gammas and their slopes by shape. */
export interface Noise {
  readonly normal: Tensor;
  readonly gamma: Tensor;
  readonly slope: Tensor;
}

/** `[S, m, C]` draws of the latent functions: location + sqrt(s variance) z with s = b / Gamma(a). */
export function latentDraws(
  { location, variance }: { readonly location: Tensor; readonly variance: Tensor },
  { logShape, logRate }: VariationalParameters,
  prior: ClassifierPrior,
  { normal, gamma, slope }: Noise,
): Tensor {
  if (prior.kind === "point") return add(location, mul(sqrt(variance), normal));
  const a = exp(logShape);
  const moved = add(gamma, mul(slope, sub(a, stopGradient(a))));
  return add(location, mul(sqrt(mul(div(exp(logRate), moved), variance)), normal));
}

/** -E_q log softmax(f)_y over the batch and samples, per point; `targets` `[m, C]` holds ones and zeros. */
export function expectedLoss(draws: Tensor, targets: Tensor): Tensor {
  const [S, m] = draws.shape;
  return mul(-1 / (S * m), sum(mul(logSoftmax(draws, -1), targets)));
}
