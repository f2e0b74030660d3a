import { add, matmul, mul, sub, sum, type Tensor, transpose } from "@offprint/tensor-core";

/** What comes from above: the target of `1/2 ||o - Y||^2`, or the gradient of any loss with respect to o. */
export type UpstreamKind = "target" | "gradient";

/** c of some rows: `o - Y` for a target, the gradient from above otherwise. */
export function upstreamOf(kind: UpstreamKind, output: Tensor, given: Tensor): Tensor {
  return kind === "target" ? sub(output, given) : given;
}

/** The chain's result for some rows of queries. */
export interface ChainRows {
  /** o, `[rows, d]`. */
  readonly output: Tensor;
  /** c, `[rows, d]`. */
  readonly upstream: Tensor;
  /** Gradient by these queries, `[rows, d]`. */
  readonly q: Tensor;
  /** What these rows add to the gradient by all keys, `[L, d]`. */
  readonly k: Tensor;
  /** What they add to the gradient by all values, `[L, d]`. */
  readonly v: Tensor;
}

/**
 * The gradient through attention whose weights f are known, factor by factor as the paper names them:
 *
 *     o = f V,  c = o - Y,  q = c V^T,  rho_j = o_j . c_j,  p = f o q - diag(rho) f,
 *     dQ = beta p K,  dK = beta p^T Q,  dV = f^T c
 *
 * @param f Attention weights of the rows, `[rows, L]`; their sums are 1.
 */
export function chainRows(
  f: Tensor,
  { q, k, v }: { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor },
  given: Tensor,
  kind: UpstreamKind,
  beta: Tensor | number,
): ChainRows {
  const output = matmul(f, v);
  const c = upstreamOf(kind, output, given);
  const rho = sum(mul(output, c), { axis: 1, keepDims: true });
  const p = mul(f, sub(matmul(c, transpose(v)), rho));
  return {
    output,
    upstream: c,
    q: mul(matmul(p, k), beta),
    k: mul(matmul(transpose(p), q), beta),
    v: matmul(transpose(f), c),
  };
}

/** Sums of what rows add. */
export function addRows(sums: { k: Tensor; v: Tensor } | undefined, { k, v }: ChainRows): { k: Tensor; v: Tensor } {
  return sums === undefined ? { k, v } : { k: add(sums.k, k), v: add(sums.v, v) };
}
