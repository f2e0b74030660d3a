import {
  abs,
  asTensor,
  cast,
  checkOptions,
  linalg,
  matmul,
  max,
  mul,
  requireChoice,
  sqrt,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { kernelMatrix } from "./gaussian-kernel.js";
import { requireGrid } from "./grid.js";
import { pinvResidual, resolvedPinv } from "./newton-pinv.js";
import { isFull, type SoftAttentionOptions, softAttentionNames, softFactors } from "./soft-attention.js";

/** Options of `attentionDiagnostics`. */
export interface DiagnosticsOptions extends SoftAttentionOptions {
  /** Whether to compare with the full kernel, which takes n x n memory. Default false. */
  full?: boolean;
}

/** How well the factors of one head approximate the kernel. */
export interface AttentionDiagnostics {
  /** `|P Z P^T - S| / |S|` in the Frobenius norm, with `full`. */
  readonly kernelError?: number;
  /** Condition number of `A + ridge I`: about `2^(T/2) / 2` is what T Newton steps resolve. */
  readonly condition: number;
  /** Largest entry of `|(A + ridge I) Z - I|` of the plain pseudo-inverse: near 0 when the iteration has converged. */
  readonly residual: number;
  /** Largest eigenvalue of the attention matrix `P Z P^T`: how much attention may enlarge the values. */
  readonly spectralNorm: number;
}

/**
 * Looks into the attention matrix of one head, in float64.
 * @param queries `[n, features]`
 * @throws ShapeError or ValueError as `softAttention`; ValueError for a ratio of 1, which approximates nothing.
 */
export function attentionDiagnostics(queries: TensorLike, options: DiagnosticsOptions): AttentionDiagnostics {
  checkOptions("attentionDiagnostics", options, [...softAttentionNames, "full"], ["grid", "ratio"]);
  const { scale = true, full = false, ...rest } = options;
  requireChoice("attentionDiagnostics", "scale", scale, [true, false]);
  requireChoice("attentionDiagnostics", "full", full, [true, false]);
  if (isFull(options)) {
    throw new ValueError("attentionDiagnostics: with ratio 1 the kernel is not approximated; choose a larger ratio");
  }
  const given = cast(asTensor(queries), "float64");
  requireGrid("attentionDiagnostics", options.grid, given.shape[0]);
  const q = scale ? mul(given, given.shape[given.rank - 1] ** -0.25) : given;
  const { p, a, z } = softFactors(q, rest);
  const pinv = resolvedPinv(options.pinv);
  const plain = (options.normalization ?? "none") === "none" ? z : softFactors(q, { ...rest, normalization: "none" }).z;
  const eigenvalues = linalg.eigvalsh(a).data();
  const least = Math.max(eigenvalues[0] + pinv.ridge, 0);
  return {
    condition: (eigenvalues[eigenvalues.length - 1] + pinv.ridge) / least,
    residual: pinvResidual(a, plain, pinv.ridge).item(),
    spectralNorm: spectralNorm(p, z),
    ...(full && { kernelError: kernelError(q, p, z) }),
  };
}

/** The non-zero eigenvalues of `P Z P^T` are those of `R Z R` with R the root of `P^T P`, which is m x m. */
export function spectralNorm(p: Tensor, z: Tensor): number {
  const { values, vectors } = linalg.eigh(matmul(swapAxes(p, -1, -2), p));
  const roots = sqrt(mul(values, cast(values.greater(0), values.dtype)));
  const side = mul(vectors, roots);
  const product = matmul(swapAxes(side, -1, -2), matmul(z, side));
  return max(abs(linalg.eigvalsh(mul(product.add(swapAxes(product, -1, -2)), 0.5)))).item();
}

function kernelError(q: Tensor, p: Tensor, z: Tensor): number {
  const s = kernelMatrix(q, q);
  const approximation = matmul(p, matmul(z, swapAxes(p, -1, -2)));
  return Math.sqrt(sum(square(sub(approximation, s))).item() / sum(square(s)).item());
}
