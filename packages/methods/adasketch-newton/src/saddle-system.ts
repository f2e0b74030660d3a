import { lanczosEigenpairsSync } from "@offprint/solvers";
import {
  abs,
  add,
  concatenate,
  eye,
  linalg,
  matmul,
  min,
  mul,
  type random,
  slice,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "@offprint/tensor-core";
import type { Linearisation, Oracle, Products } from "./oracle.js";

/** What K and its constants are made with. */
export interface SaddleSettings {
  /** Least eigenvalue that the reduced Hessian is given by the shift, the paper's xi_B. */
  readonly xiB: number;
  /** The shift: `"reduced"` looks at the reduced Hessian; a number is added as it is. */
  readonly shift: "reduced" | number;
  /** The reduced Hessian is shifted below this. */
  readonly reducedHessianTolerance: number;
  /** Bound of ||K^-1||. */
  readonly psi: "bound" | "inverseNorm" | number;
}

/** @internal The Newton system K D = -res with K = [[B, G^T], [G, 0]], and the constants of the accuracy rule. */
export interface SaddleSystem {
  /** What products with K are computed from. */
  readonly context: readonly Tensor[];
  /** `[d, d]`, where it is formed. */
  readonly matrix?: Tensor;
  /** Products with H, unshifted, and G. */
  readonly products: Products;
  /** t in B = H + t I. */
  readonly shift: number;
  /** ||K||_F. */
  readonly norm: number;
  /** lambda_min(G G^T); 1 without constraints. */
  readonly xiG: number;
  /** Psi >= ||K^-1||. */
  readonly psi: number;
  /** Upsilon = max(||G||_F, ||H||_F, 1). */
  readonly upsilon: number;
}

/** @internal Psi = 20 max(||B||_F^2, 1) / (min(xi_G, 1) min(xi_B, 1)). */
function psiBound(normB: number, xiG: number, xiB: number): number {
  return (20 * Math.max(normB ** 2, 1)) / (Math.min(xiG, 1) * Math.min(xiB, 1));
}

/** @internal The system of a linearisation with matrices. */
export function denseSaddle(oracle: Oracle, linearisation: Linearisation, settings: SaddleSettings): SaddleSystem {
  const { hessian: H, jacobian: G } = linearisation.dense as NonNullable<Linearisation["dense"]>;
  const { n, m } = oracle;
  const normH = frobenius(H);
  const shift = typeof settings.shift === "number" ? settings.shift : reducedShift(H, G, normH, settings);
  const B = shift === 0 ? H : add(H, mul(shift, eye(n, n, "float64")));
  const matrix = m === 0 ? B : saddleMatrix(B, G);
  const xiG = m === 0 ? 1 : smallestEigenvalue(matmul(G, transpose(G)));
  const bound = psiBound(frobenius(B), xiG, settings.xiB);
  return {
    ...{ context: [matrix], matrix, shift, xiG },
    products: oracle.products(linearisation.context),
    norm: frobenius(matrix),
    psi: settings.psi === "bound" ? bound : settings.psi === "inverseNorm" ? inverseNorm(matrix) : settings.psi,
    upsilon: Math.max(m === 0 ? 0 : frobenius(G), normH, 1),
  };
}

function saddleMatrix(B: Tensor, G: Tensor): Tensor {
  const [m] = G.shape;
  return concatenate([concatenate([B, transpose(G)], 1), concatenate([G, zeros([m, m], "float64")], 1)], 0);
}

/** t = xi_B + ||H||_F where the Hessian on the null space of G has an eigenvalue below the tolerance, else 0. */
function reducedShift(H: Tensor, G: Tensor, normH: number, settings: SaddleSettings): number {
  const [m, n] = G.shape;
  if (m === n) return 0;
  const least = smallestEigenvalue(m === 0 ? H : reducedHessian(H, G));
  return least < settings.reducedHessianTolerance ? settings.xiB + normH : 0;
}

/** Z^T H Z, where Z are the last n - m columns of the orthogonal factor of G^T. */
function reducedHessian(H: Tensor, G: Tensor): Tensor {
  const [m, n] = G.shape;
  // Columns of the identity behind those of G^T complete the factor to a square one.
  const { q } = linalg.qr(concatenate([transpose(G), eye(n, n, "float64")], 1));
  const Z = slice(q, [null, { start: m, stop: n }]);
  return matmul(matmul(transpose(Z), H), Z);
}

function smallestEigenvalue(a: Tensor): number {
  return min(linalg.eigvalsh(a)).item();
}

function inverseNorm(K: Tensor): number {
  return 1 / min(abs(linalg.eigvalsh(K))).item();
}

function frobenius(a: Tensor): number {
  return linalg.norm(a).item();
}

/** Random vectors from which norms are estimated where matrices are not formed. */
const PROBES = 12;

/**
 * @internal The system from products alone. ||H||_F, ||G||_F and ||K||_F are estimated from random signs
 * (E ||A v||^2 = ||A||_F^2), lambda_min(G G^T) by Lanczos.
 */
export function matrixFreeSaddle(
  oracle: Oracle,
  { context }: Linearisation,
  settings: SaddleSettings,
  rng: random.Rng,
): SaddleSystem {
  const { n, m } = oracle;
  const products = oracle.products(context);
  const shift = settings.shift === "reduced" ? 0 : settings.shift;
  const squares = { H: 0, B: 0, G: 0 };
  for (let k = 0; k < PROBES; k++) {
    const v = rng.rademacher([n], { dtype: "float64" });
    const Hv = products.hessian(v);
    squares.H += frobenius(Hv) ** 2 / PROBES;
    squares.B += frobenius(add(Hv, mul(shift, v))) ** 2 / PROBES;
    if (m > 0) squares.G += frobenius(products.jacobian(v)) ** 2 / PROBES;
  }
  const gram = (y: Float64Array, out: Float64Array) => {
    out.set(products.jacobian(products.jacobianTransposed(tensor(y.slice()))).data() as Float64Array);
  };
  const xiG = m === 0 ? 1 : lanczosEigenpairsSync(gram, m, { which: "smallest", tolerance: 1e-2 }).values[0];
  return {
    ...{ products, shift, xiG },
    context: [...context, tensor(shift, { dtype: "float64" })],
    norm: Math.sqrt(squares.B + 2 * squares.G),
    psi: typeof settings.psi === "number" ? settings.psi : psiBound(Math.sqrt(squares.B), xiG, settings.xiB),
    upsilon: Math.max(Math.sqrt(squares.H), Math.sqrt(squares.G), 1),
  };
}

/** @internal K v from the products of an oracle; the last of the context is the shift. */
export function saddleProduct(oracle: Oracle): (context: readonly Tensor[], v: Tensor) => Tensor {
  const { n, m } = oracle;
  return (context, v) => {
    const { hessian, jacobian, jacobianTransposed } = oracle.products(context.slice(0, -1));
    const shift = context[context.length - 1];
    if (m === 0) return add(hessian(v), mul(shift, v));
    const [vx, vl] = [slice(v, [{ start: 0, stop: n }]), slice(v, [{ start: n, stop: n + m }])];
    const top = add(add(hessian(vx), mul(shift, vx)), jacobianTransposed(vl));
    return concatenate([top, jacobian(vx)], 0);
  };
}
