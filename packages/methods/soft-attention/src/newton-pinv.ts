import {
  abs,
  add,
  all,
  asTensor,
  checkOptions,
  customVjp,
  div,
  eye,
  isFinite as finite,
  greater,
  matmul,
  max,
  mul,
  NonFiniteError,
  neg,
  requireChoice,
  requireFinite,
  requireInteger,
  requireNonNegative,
  ShapeError,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
  type TensorLike,
  ValueError,
  where,
} from "@offprint/tensor-core";

/** Options of the Newton-Raphson pseudo-inverse; the defaults are those of the authors' code. */
export interface PinvOptions {
  /** T >= 0, the number of steps; fixed, so that the iteration traces. Default 20. */
  iterations?: number;
  /**
   * c in (0, 2]: the start is `c / (largest row sum)^2` times the matrix. Default 1.8; 2 for the `backtracking` start.
   * The paper writes 2, with which a matrix of equal entries collapses to 0.
   */
  factor?: number;
  /** rho >= 0, added to the diagonal after the start's scale is known. Default 0.01; 0 for the `backtracking` start. */
  ridge?: number;
  /**
   * `rowSum` scales as above; `backtracking` then halves the scale, at most ten times and for each matrix alone, until
   * the largest column sum of `|I - P V|` is at most 1.01. Default `rowSum`.
   */
  start?: "rowSum" | "backtracking";
  /**
   * How gradients flow. `theoretical`, the default and the paper's: `-Z^T G Z^T`, exact for an invertible matrix once
   * the iteration has converged. `full`: the derivative of a pseudo-inverse, exact for changes that keep the rank.
   * `unrolled`: through the steps, exact for what was computed.
   */
  backward?: "theoretical" | "full" | "unrolled";
}

const TRIES = 10;
const ENOUGH = 1.01;

/** Options with defaults filled in. @throws ValueError for one out of range. */
export function resolvedPinv(options: PinvOptions = {}): Required<PinvOptions> {
  checkOptions("newtonPinv", options, ["iterations", "factor", "ridge", "start", "backward"]);
  const { iterations = 20, start = "rowSum", backward = "theoretical" } = options;
  requireChoice("newtonPinv", "start", start, ["rowSum", "backtracking"]);
  requireChoice("newtonPinv", "backward", backward, ["theoretical", "full", "unrolled"]);
  const { factor = start === "rowSum" ? 1.8 : 2, ridge = start === "rowSum" ? 0.01 : 0 } = options;
  requireInteger("newtonPinv", "iterations", iterations, 0);
  if (!(factor > 0 && factor <= 2)) throw new ValueError(`newtonPinv: factor is ${factor}; it must be in (0, 2]`);
  requireNonNegative("newtonPinv", "ridge", ridge);
  return { iterations, factor, ridge, start, backward };
}

/**
 * The pseudo-inverse of symmetric matrices by a fixed number of Newton-Raphson (Schulz) steps `V <- 2 V - V P V`, matrix
 * products only. An eigenvalue lambda of `P = M + ridge I` becomes `(1 - (1 - alpha lambda^2)^(2^T)) / lambda`: T steps
 * resolve condition numbers up to about `2^(T/2) / 2`, 500 for the default 20. With `ridge: 0` zero eigenvalues stay
 * zero, but rounding doubles there in each step: use about 10 steps for singular matrices.
 * @param matrix `[..., m, m]`, symmetric
 * @throws ShapeError for matrices that are not square; ValueError for options out of range or values that are not finite;
 * NonFiniteError where the steps diverge, as for matrices that are small beside the ridge.
 * @example
 * ```ts
 * import { newtonPinv } from "@offprint/soft-attention";
 *
 * const inverse = newtonPinv([[2, 1], [1, 2]], { ridge: 0 }); // [[2/3, -1/3], [-1/3, 2/3]]
 * ```
 * @see Lu et al., IJCV 2024, algorithm 2 and proposition 3
 */
export function newtonPinv(matrix: TensorLike, options: PinvOptions = {}): Tensor {
  const m = asTensor(matrix);
  if (m.rank < 2 || m.shape[m.rank - 1] !== m.shape[m.rank - 2]) {
    throw new ShapeError(`newtonPinv: the matrix has shape [${m.shape}]; it must be [..., m, m]`);
  }
  const resolved = resolvedPinv(options);
  requireFinite("newtonPinv", "the matrix", m);
  const inverse = pinvOf(m, resolved);
  if (inverse.storage.kind === "host" && !all(finite(inverse)).item()) {
    throw new NonFiniteError(
      `newtonPinv: the steps diverged, as the ridge ${resolved.ridge} is not small beside the matrix, or the matrix is not symmetric; give a smaller one, or another matrix`,
    );
  }
  return inverse;
}

/** The pseudo-inverse without checks. */
export function pinvOf(matrix: Tensor, options: Required<PinvOptions>): Tensor {
  const iterate = (m: Tensor) => newtonSteps(m, options);
  if (options.backward === "unrolled") return iterate(matrix)[0];
  const backward = options.backward === "full" ? fullGradient : theoreticalGradient;
  const withRule = customVjp(
    (m: Tensor) => iterate(m)[0],
    (m: Tensor) => {
      const [z, p] = iterate(m);
      return [z, { z, p }];
    },
    ({ z, p }: { z: Tensor; p: Tensor }, g: Tensor) => [backward(z, p, g)],
  );
  return withRule(matrix);
}

/** The last iterate V_T, and P. */
function newtonSteps(m: Tensor, options: Required<PinvOptions>): [v: Tensor, p: Tensor] {
  const { iterations, ridge } = options;
  const p = ridge === 0 ? m : add(m, mul(eye(m.shape[m.rank - 1], undefined, m.dtype), ridge));
  let v = mul(startScale(m, p, options), p);
  for (let t = 0; t < iterations; t++) v = sub(mul(v, 2), matmul(matmul(v, p), v));
  return [v, p];
}

/** alpha of each matrix, `[..., 1, 1]`. */
function startScale(m: Tensor, p: Tensor, { factor, start }: Required<PinvOptions>): Tensor {
  const rowSum = max(sum(abs(m), { axis: -1, keepDims: true }), { axis: -2, keepDims: true });
  let alpha = div(factor, square(rowSum));
  if (start === "rowSum") return alpha;
  const squared = matmul(p, p);
  const identity = eye(m.shape[m.rank - 1], undefined, m.dtype);
  for (let tries = 0; tries < TRIES; tries++) {
    const residual = abs(sub(identity, mul(alpha, squared)));
    const columnSum = max(sum(residual, { axis: -2, keepDims: true }), { axis: -1, keepDims: true });
    alpha = where(greater(columnSum, ENOUGH), mul(alpha, 0.5), alpha);
  }
  return alpha;
}

function theoreticalGradient(z: Tensor, _: Tensor, g: Tensor): Tensor {
  const zt = swapAxes(z, -1, -2);
  return neg(matmul(matmul(zt, g), zt));
}

/** Golub and Pereyra (1973): the two terms more live where `P Z` and `Z P` are not the identity. */
function fullGradient(z: Tensor, p: Tensor, g: Tensor): Tensor {
  const [zt, gt] = [swapAxes(z, -1, -2), swapAxes(g, -1, -2)];
  const identity = eye(z.shape[z.rank - 1], undefined, z.dtype);
  const left = matmul(matmul(sub(identity, matmul(p, z)), gt), matmul(z, zt));
  const right = matmul(matmul(matmul(zt, z), gt), sub(identity, matmul(z, p)));
  return add(theoreticalGradient(z, p, g), add(left, right));
}

/**
 * How far an approximate inverse is from one: the largest entry of `|(M + ridge I) Z - I|`, per matrix. Near 0 when the
 * iteration has converged and the matrix is invertible.
 * @param matrix `[..., m, m]`
 * @param inverse `[..., m, m]`, from `newtonPinv`
 * @returns `[...]`
 */
export function pinvResidual(matrix: TensorLike, inverse: TensorLike, ridge = 0.01): Tensor {
  const [m, z] = [asTensor(matrix), asTensor(inverse)];
  const identity = eye(m.shape[m.rank - 1], undefined, m.dtype);
  const p = add(m, mul(identity, ridge));
  return max(abs(sub(matmul(p, z), identity)), { axis: [-2, -1] });
}
