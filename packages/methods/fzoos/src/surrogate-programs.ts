import {
  add,
  diag,
  diagonal,
  div,
  dot,
  expandDims,
  eye,
  grad,
  jitSync,
  linalg,
  log,
  matmul,
  maximum,
  mul,
  neg,
  outer,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
} from "@offprint/tensor-core";

/** Queries as the programs take them: with room to grow. */
export interface Trajectory {
  /** `[n, d]`. */
  readonly x: Tensor;
  /** `[n]` values scaled to [0, 1]; 0 where there is no query. */
  readonly targets: Tensor;
  /** `[n]` 1 for a query, 0 for room. */
  readonly mask: Tensor;
}

/** What is computed from a trajectory; lengths and noise are scalars. All throw ValueError where the noise is too little. */
export interface SurrogatePrograms {
  readonly mean: (trajectory: Trajectory, z: Tensor, length: Tensor, noise: Tensor) => Tensor;
  readonly gradient: (trajectory: Trajectory, z: Tensor, length: Tensor, noise: Tensor, range: Tensor) => Tensor;
  readonly gradientCovariance: (trajectory: Trajectory, z: Tensor, length: Tensor, noise: Tensor) => Tensor;
  readonly uncertainty: (trajectory: Trajectory, candidates: Tensor, length: Tensor, noise: Tensor) => Tensor;
  /** `[n, n]` squared distances between queries: what the evidence of every length is made of. */
  readonly distances: (trajectory: Trajectory) => Tensor;
  readonly minusEvidence: (trajectory: Trajectory, distances: Tensor, length: Tensor, noise: Tensor) => Tensor;
}

/** Squared distances between rows, from the products G of differences from one place: `[n, n]`. */
function squaredDistances(G: Tensor): Tensor {
  const squares = diagonal(G);
  return maximum(sub(add(expandDims(squares, 1), expandDims(squares, 0)), mul(2, G)), 0);
}

/**
 * Programs for a kernel k(x, x') = p(|x - x'|^2 / length^2) of variance 1. Its derivatives are
 * J_j = dk(x, x_j)/dx = a_j (x - x_j) with a_j = 2 p'(s_j) / length^2, and the prior covariance of gradients is
 * -2 p'(0) / length^2 times the identity: so that traces of covariances cost n^2 for each candidate instead of n^2 d.
 */
export function surrogatePrograms(profile: (squared: Tensor) => Tensor): SurrogatePrograms {
  const slope = grad((s: Tensor) => sum(profile(s))) as (s: Tensor) => Tensor;

  /** The Cholesky factor of K + noise I, rows without a query being those of the identity. */
  const factorOf = ({ mask }: Trajectory, distances: Tensor, length: Tensor, noise: Tensor): Tensor => {
    const K = mul(outer(mask, mask), profile(div(distances, square(length))));
    return linalg.cholesky(add(K, diag(add(mul(mask, noise), sub(1, mask)))));
  };
  /** Queries seen from z: differences, their products, the factor, and a. */
  const from = (trajectory: Trajectory, z: Tensor, length: Tensor, noise: Tensor) => {
    const D = sub(trajectory.x, z);
    const G = matmul(D, transpose(D));
    const s = div(diagonal(G), square(length));
    const a = mul(trajectory.mask, div(mul(2, slope(s)), square(length)));
    return { D, s, a, factor: factorOf(trajectory, squaredDistances(G), length, noise) };
  };
  const priorOf = (length: Tensor): Tensor => div(mul(-2, slope(mul(length, 0))), square(length));

  return {
    mean: jitSync((trajectory: Trajectory, z: Tensor, length: Tensor, noise: Tensor) => {
      const { s, factor } = from(trajectory, z, length, noise);
      return dot(mul(trajectory.mask, profile(s)), linalg.choleskySolve(factor, trajectory.targets));
    }),
    gradient: jitSync((trajectory: Trajectory, z: Tensor, length: Tensor, noise: Tensor, range: Tensor) => {
      const { D, a, factor } = from(trajectory, z, length, noise);
      const weights = mul(a, linalg.choleskySolve(factor, trajectory.targets));
      return mul(neg(range), matmul(weights, D));
    }),
    gradientCovariance: jitSync((trajectory: Trajectory, z: Tensor, length: Tensor, noise: Tensor) => {
      const { D, a, factor } = from(trajectory, z, length, noise);
      const half = linalg.triangularSolve(factor, mul(expandDims(a, 1), D));
      const d = z.shape[0];
      return sub(mul(priorOf(length), eye(d, d, "float64")), matmul(transpose(half), half));
    }),
    uncertainty: jitSync((trajectory: Trajectory, candidates: Tensor, length: Tensor, noise: Tensor) => {
      const { x, mask } = trajectory;
      const [n, d] = x.shape;
      // Seen from among the candidates, so that little is lost in the squares of differences.
      const middle = div(sum(candidates, 0), candidates.shape[0]);
      const [D, E] = [sub(x, middle), sub(candidates, middle)];
      const G = matmul(D, transpose(D));
      const products = matmul(E, transpose(D));
      const lengths = sum(square(E), 1);
      const distances = maximum(sub(add(expandDims(lengths, 1), expandDims(diagonal(G), 0)), mul(2, products)), 0);
      const a = mul(mask, div(mul(2, slope(div(distances, square(length)))), square(length)));
      const half = linalg.triangularSolve(
        factorOf(trajectory, squaredDistances(G), length, noise),
        eye(n, n, "float64"),
      );
      const inverse = matmul(transpose(half), half);
      // tr(J^T K^-1 J), with <J_j, J_k> = a_j a_k (|e|^2 - e.x_j - e.x_k + x_j.x_k).
      const solved = matmul(a, inverse);
      const squares = sum(mul(solved, a), 1);
      const crossed = sum(mul(solved, mul(a, products)), 1);
      const inner = sum(mul(matmul(a, mul(inverse, G)), a), 1);
      const known = add(sub(mul(lengths, squares), mul(2, crossed)), inner);
      return sub(mul(d, priorOf(length)), known);
    }),
    distances: jitSync(({ x, mask }: Trajectory) => {
      const D = sub(x, div(matmul(mask, x), sum(mask)));
      return squaredDistances(matmul(D, transpose(D)));
    }),
    minusEvidence: jitSync((trajectory: Trajectory, distances: Tensor, length: Tensor, noise: Tensor) => {
      const factor = factorOf(trajectory, distances, length, noise);
      const half = linalg.triangularSolve(factor, expandDims(trajectory.targets, 1));
      return add(mul(0.5, sum(square(half))), sum(log(diagonal(factor))));
    }),
  };
}
