import { type LinearOperator, lanczosSync, tridiagonalEigen } from "@offprint/solvers";
import {
  checkOptions,
  NonFiniteError,
  type random,
  requireFunction,
  requireInteger,
  requireObject,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";

/** What Lanczos from one vector tells of a symmetric operator: Gauss quadrature of the spectrum that the vector sees. */
export interface KrylovSpectrum {
  /** Ritz values, ascending: the outermost come close to the extreme eigenvalues. */
  readonly nodes: Float64Array;
  /** How much of the start each stands for; the sum is 1. */
  readonly weights: Float64Array;
  /** The mean curvature along the start, `z' A z`. */
  readonly mean: number;
  /** `|A z - (z' A z) z|`, what the first step leaves. */
  readonly firstResidual: number;
  /** The unit Ritz vector of a node, `[n]`. */
  vector(node: number): Float64Array;
}

/**
 * Lanczos with full re-orthogonalisation from `start`, with `steps` products. It ends early where the start's Krylov space
 * is exhausted, with exact eigenvalues.
 *
 * @param apply - a symmetric operator of order `start.length`.
 * @param start - not zero; its length does not matter.
 * @throws ValueError for a start that is zero or not finite, or steps out of range; NonFiniteError.
 */
export function krylovSpectrum(apply: LinearOperator, start: Float64Array, steps: number): KrylovSpectrum {
  requireFunction("krylovSpectrum", "apply", apply);
  requireObject("krylovSpectrum", "start", start, "a Float64Array");
  const n = start.length;
  requireInteger("krylovSpectrum", "steps", steps, 1, n);
  const { basis, diagonal, offDiagonal, residualNorm } = lanczosSync(apply, n, {
    initial: start,
    maxIterations: steps,
  });
  // A zero couples nothing: what follows it is not of the start's Krylov space.
  const end = offDiagonal.indexOf(0);
  const size = end < 0 ? diagonal.length : end + 1;
  const { values, vectors } = tridiagonalEigen(diagonal.subarray(0, size), offDiagonal.subarray(0, size - 1), "all");
  return {
    nodes: values,
    weights: Float64Array.from({ length: size }, (_, j) => vectors[j] ** 2),
    mean: diagonal[0],
    firstResidual: diagonal.length === 1 ? residualNorm : offDiagonal[0],
    vector(node) {
      requireInteger("krylovSpectrum", "node", node, 0, size - 1);
      const result = new Float64Array(n);
      for (let k = 0; k < size; k++) {
        const weight = vectors[k * size + node];
        for (let i = 0; i < n; i++) result[i] += weight * basis[k * n + i];
      }
      return result;
    },
  };
}

/** @internal A unit vector in a random direction. */
export function randomDirection(rng: random.Rng, n: number): Float64Array {
  const values = Float64Array.from(rng.normal([n], { dtype: "float64" }).data());
  const size = Math.sqrt(values.reduce((total, x) => total + x * x, 0));
  return values.map((x) => x / size);
}

/** What {@link powerIteration} takes. */
export interface PowerIterationOptions {
  /** Where it begins, `[n]`. */
  readonly start: Float64Array;
  /** Ends where the estimate changes by less than this part (default 1e-6). */
  readonly tolerance?: number;
  /** Products at most (default 1000). */
  readonly maxIterations?: number;
}

/**
 * The eigenvalue of largest absolute value by power iteration: the plain baseline, which takes many more products than
 * Lanczos where eigenvalues lie close.
 *
 * @throws ValueError for options out of range; NonFiniteError for products that are not finite.
 */
export function powerIteration(
  apply: LinearOperator,
  options: PowerIterationOptions,
): { readonly value: number; readonly iterations: number; readonly status: "converged" | "limit" } {
  requireFunction("powerIteration", "apply", apply);
  const owner = "powerIteration";
  checkOptions(owner, options, ["start", "tolerance", "maxIterations"], ["start"]);
  const { start, tolerance = 1e-6, maxIterations = 1000 } = options;
  requirePositive(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 1);
  let vector = unit(start);
  const next = new Float64Array(start.length);
  let value = Number.NaN;
  for (let iterations = 1; ; iterations++) {
    apply(vector, next);
    if (!next.every(Number.isFinite)) throw new NonFiniteError("powerIteration: apply gave values that are not finite");
    const before = value;
    value = vector.reduce((total, x, i) => total + x * next[i], 0);
    // What is taken to zero is an eigenvector of 0.
    const settled = next.every((x) => x === 0) || Math.abs(value - before) <= tolerance * Math.abs(value);
    if (settled) return { value, iterations, status: "converged" };
    if (iterations === maxIterations) return { value, iterations, status: "limit" };
    vector = unit(next);
  }
}

function unit(x: Float64Array): Float64Array {
  const size = Math.sqrt(x.reduce((total, each) => total + each * each, 0));
  if (!(size > 0) || !Number.isFinite(size)) {
    throw new ValueError("powerIteration: start must be finite and not zero");
  }
  return x.map((each) => each / size);
}

/**
 * How far an operator is from symmetric: `|u' A v - v' A u|`, relative to `|A u| + |A v|` for random unit vectors. Lanczos
 * is right for symmetric ones only; beyond rounding, a product was written wrongly.
 *
 * @throws ValueError where it is above `tolerance` (default 1e-6).
 */
export function checkSymmetric(apply: LinearOperator, n: number, rng: random.Rng, tolerance = 1e-6): void {
  requireFunction("checkSymmetric", "apply", apply);
  requireObject("checkSymmetric", "rng", rng, "a generator of random.rng(seed)");
  const [u, v] = [randomDirection(rng, n), randomDirection(rng, n)];
  const [au, av] = [new Float64Array(n), new Float64Array(n)];
  apply(u, au);
  apply(v, av);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((total, x, i) => total + x * b[i], 0);
  const apart = Math.abs(dot(u, av) - dot(v, au));
  const size = Math.sqrt(dot(au, au)) + Math.sqrt(dot(av, av));
  if (!(apart <= tolerance * size)) {
    throw new ValueError(
      `checkSymmetric: the operator is not symmetric: u' A v and v' A u differ by ${(apart / size).toExponential(1)}; ` +
        "Lanczos needs a symmetric one",
    );
  }
}
