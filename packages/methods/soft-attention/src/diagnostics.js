import { abs, asTensor, cast, linalg, matmul, max, mul, sqrt, square, sub, sum, swapAxes, } from "@offprint/tensor-core";
import { kernelMatrix } from "./gaussian-kernel.js";
import { requireGrid } from "./grid.js";
import { pinvResidual, resolvedPinv } from "./newton-pinv.js";
import { softFactors } from "./soft-attention.js";
/**
 * Looks into the attention matrix of one head, in float64.
 * @param queries `[n, features]`
 * @throws ShapeError or ValueError as `softAttention`; ValueError for a ratio of 1, which approximates nothing.
 */
export function attentionDiagnostics(queries, options) {
    const { scale = true, full = false, ...rest } = options;
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
export function spectralNorm(p, z) {
    const { values, vectors } = linalg.eigh(matmul(swapAxes(p, -1, -2), p));
    const roots = sqrt(mul(values, cast(values.greater(0), values.dtype)));
    const side = mul(vectors, roots);
    const product = matmul(swapAxes(side, -1, -2), matmul(z, side));
    return max(abs(linalg.eigvalsh(mul(product.add(swapAxes(product, -1, -2)), 0.5)))).item();
}
function kernelError(q, p, z) {
    const s = kernelMatrix(q, q);
    const approximation = matmul(p, matmul(z, swapAxes(p, -1, -2)));
    return Math.sqrt(sum(square(sub(approximation, s))).item() / sum(square(s)).item());
}
