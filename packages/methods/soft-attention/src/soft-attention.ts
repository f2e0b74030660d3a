import {
  asTensor,
  checkOptions,
  div,
  matmul,
  mul,
  requireChoice,
  requireFinite,
  requireInteger,
  ShapeError,
  sqrt,
  sum,
  swapAxes,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import { type Bottleneck, bottleneckTokens } from "./bottleneck.js";
import { kernelMatrix } from "./gaussian-kernel.js";
import { type Grid, requireGrid } from "./grid.js";
import { type PinvOptions, pinvOf, resolvedPinv } from "./newton-pinv.js";

/**
 * What stands between the two kernels. `none`: `A^+` (SOFT). `symmetric`: `D^(-1/2) A^+ D^(-1/2)` with D the row sums of
 * A (SOFT++). `normalizedKernel`: the pseudo-inverse of `D^(-1/2) A D^(-1/2)`.
 */
export type Normalization = "none" | "symmetric" | "normalizedKernel";

/** Options of `softAttention`. */
export interface SoftAttentionOptions {
  /** How the n tokens lie. */
  grid: Grid;
  /** r >= 1: a window of r x r cells (1 x r in a sequence) gives one bottleneck token; 1 is the full kernel. */
  ratio: number;
  /** How windows become tokens. Default `pool`, which needs no parameters; the paper's layers learn a `conv`. */
  bottleneck?: Bottleneck;
  /** Default `none`. */
  normalization?: Normalization;
  /** Of the pseudo-inverse. */
  pinv?: PinvOptions;
  /** Whether queries are divided by `features^(1/4)`. Default true. */
  scale?: boolean;
  /** Whether windows may reach over the edge of the grid. Default false. */
  padBottleneck?: boolean;
}

/** P `[..., n, m]` and what stands between P and its transpose, `[..., m, m]`: the attention matrix is `P Z P^T`. */
export interface SoftFactors {
  /** Kernel of tokens and bottleneck tokens. */
  readonly p: Tensor;
  /** Kernel A of the bottleneck tokens, `[..., m, m]`. */
  readonly a: Tensor;
  /** The normalised pseudo-inverse of A. */
  readonly z: Tensor;
}

/** Queries and values as tensors, checked. */
function operands(owner: string, queries: TensorLike, values: TensorLike, grid: Grid | undefined): [Tensor, Tensor] {
  const [q, v] = [asTensor(queries), asTensor(values)];
  if (q.rank < 2 || v.rank !== q.rank || v.shape[v.rank - 2] !== q.shape[q.rank - 2]) {
    throw new ShapeError(
      `${owner}: queries [${q.shape}] and values [${v.shape}]; give [..., n, features] and [..., n, outputs]`,
    );
  }
  if (grid !== undefined) requireGrid(owner, grid, q.shape[q.rank - 2]);
  requireFinite(owner, "queries", q);
  requireFinite(owner, "values", v);
  return [q, v];
}

function scaled(q: Tensor, scale: boolean): Tensor {
  return scale ? mul(q, q.shape[q.rank - 1] ** -0.25) : q;
}

/** The values of {@link Normalization}. */
export const normalizations = ["none", "symmetric", "normalizedKernel"];

/** The names of {@link SoftAttentionOptions}, for `checkOptions`. */
export const softAttentionNames = ["grid", "ratio", "bottleneck", "normalization", "pinv", "scale", "padBottleneck"];

/** `D^(-1/2)` of a kernel, `[..., m, 1]`. D >= 1, as the diagonal is 1 and no entry is negative. */
function inverseRootDegree(kernel: Tensor): Tensor {
  return div(1, sqrt(sum(kernel, { axis: -1, keepDims: true })));
}

function onBothSides(matrix: Tensor, d: Tensor): Tensor {
  return mul(mul(matrix, d), swapAxes(d, -1, -2));
}

/** The factors of the attention matrix of scaled queries. */
export function softFactors(q: Tensor, options: SoftAttentionOptions): SoftFactors {
  const { bottleneck = { kind: "pool" }, normalization = "none", ...place } = options;
  const tokens = bottleneckTokens(q, place, bottleneck);
  const pinv = resolvedPinv(options.pinv);
  const p = kernelMatrix(q, tokens);
  const a = kernelMatrix(tokens, tokens);
  if (normalization === "none") return { p, a, z: pinvOf(a, pinv) };
  const d = inverseRootDegree(a);
  if (normalization === "symmetric") return { p, a, z: onBothSides(pinvOf(a, pinv), d) };
  return { p, a, z: pinvOf(onBothSides(a, d), pinv) };
}

/** Whether the options ask for the full kernel: each token is its own bottleneck token. */
export function isFull({ ratio, bottleneck }: SoftAttentionOptions): boolean {
  return ratio === 1 && typeof bottleneck !== "function" && bottleneck?.kind !== "tokens";
}

/**
 * SOFT and SOFT++: attention with the Gaussian kernel of shared queries and keys, approximated through m bottleneck
 * tokens, in time `O(n m + m^3)` and memory `O(n m)`: `Y = P (Z (P^T V))`. Pure and traceable; nothing of extent n x n
 * is made unless `ratio` is 1.
 * @param queries `[..., n, features]`, keys too
 * @param values `[..., n, outputs]`
 * @returns `[..., n, outputs]`
 * @throws ShapeError or ValueError where grid, ratio or options do not fit, or values are not finite.
 * @example
 * ```ts
 * import { softAttention } from "@offprint/soft-attention";
 * import { random } from "@offprint/tensor-core";
 *
 * const rng = random.rng(0);
 * const [queries, values] = [rng.normal([2, 64, 16]), rng.normal([2, 64, 16])];
 * const y = softAttention(queries, values, { grid: [8, 8], ratio: 2, normalization: "symmetric" });
 * ```
 * @see Lu et al., IJCV 2024, arXiv 2207.03341, sections 3 and 4
 */
export function softAttention(queries: TensorLike, values: TensorLike, options: SoftAttentionOptions): Tensor {
  checkOptions("softAttention", options, softAttentionNames, ["grid", "ratio"]);
  const { grid, ratio, normalization = "none", scale = true } = options;
  requireInteger("softAttention", "ratio", ratio, 1);
  requireChoice("softAttention", "normalization", normalization, normalizations);
  requireChoice("softAttention", "scale", scale, [true, false]);
  const [q, v] = operands("softAttention", queries, values, grid);
  resolvedPinv(options.pinv);
  if (isFull(options)) return fullGaussianAttention(q, v, { normalization, scale });
  const { p, z } = softFactors(scaled(q, scale), options);
  return matmul(p, matmul(z, matmul(swapAxes(p, -1, -2), v)));
}

/** Options of `fullGaussianAttention`. */
export interface FullGaussianOptions {
  /** `none`: `S V`; otherwise `D^(-1/2) S D^(-1/2) V` with D the row sums of S. Default `none`. */
  normalization?: Normalization;
  /** Whether queries are divided by `features^(1/4)`. Default true. */
  scale?: boolean;
}

/**
 * The quadratic attention that SOFT approximates: `Y = S V` with `S_ij = exp(-|q_i - q_j|^2 / 2)`.
 * @param queries `[..., n, features]`, keys too
 * @param values `[..., n, outputs]`
 * @returns `[..., n, outputs]`
 * @throws ShapeError where shapes do not fit; ValueError for values that are not finite.
 */
export function fullGaussianAttention(
  queries: TensorLike,
  values: TensorLike,
  options: FullGaussianOptions = {},
): Tensor {
  checkOptions("fullGaussianAttention", options, ["normalization", "scale"]);
  const { normalization = "none", scale = true } = options;
  requireChoice("fullGaussianAttention", "normalization", normalization, normalizations);
  requireChoice("fullGaussianAttention", "scale", scale, [true, false]);
  const [q, v] = operands("fullGaussianAttention", queries, values, undefined);
  const points = scaled(q, scale);
  const s = kernelMatrix(points, points);
  if (normalization === "none") return matmul(s, v);
  const d = inverseRootDegree(s);
  return mul(matmul(s, mul(v, d)), d);
}
