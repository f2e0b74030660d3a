import { checkOptions, linalg, requireNonNegative, ShapeError, tensor, ValueError } from "@offprint/tensor-core";
import { SparseFourier } from "./sparse-fourier.js";

/** The partial derivatives of a Lagrangian at a function. */
export interface Partials {
  /** The mean of L(x, u, grad u); left out where it is not computed. */
  readonly energy?: number;
  /** dL/dy at (u, grad u). */
  readonly y: SparseFourier;
  /** dL/dz_i, one for each coordinate. */
  readonly z: readonly SparseFourier[];
}

/** Bounds of the second variation, in the H1 inner product. */
export interface Curvature {
  /** lambda > 0: a lower bound. */
  readonly convexity: number;
  /** Lambda: an upper bound. */
  readonly smoothness: number;
}

/** A term `coefficient * b^power` of a bound by the Barron norm b. */
export interface GrowthTerm {
  /** Factor >= 0. */
  readonly coefficient: number;
  /** Exponent >= 1. */
  readonly power: number;
}

/**
 * An energy `mean of L(x, u, grad u) - f u`, whose minimum solves `dL/dy - sum_i d_i dL/dz_i = f`. Another one is given by
 * its partial derivatives in the algebra of {@link SparseFourier}.
 */
export interface Lagrangian {
  /** p: Barron norms of the partial derivatives grow as the p-th power. */
  readonly degree: number;
  /** The partial derivatives. Products go through `multiply`, which cuts them at the run's tolerance and counts what it cut. */
  partials(
    u: SparseFourier,
    gradient: readonly SparseFourier[],
    multiply: (a: SparseFourier, b: SparseFourier) => SparseFourier,
  ): Partials;
  /** Bounds of the second variation at u. `convexity` must hold everywhere. */
  curvature(u: SparseFourier, gradient: readonly SparseFourier[]): Curvature;
  /**
   * What bounds `|dN/dy| + 1/2 sum_i |dN/dz_i|` in Barron norms, where `L = (|z|^2 + y^2) / 2 + N`, for functions of a
   * band limit; for the split recursion.
   */
  growth?(bandLimit: number, dimension: number): readonly GrowthTerm[];
}

/**
 * `L = |z|^2 / 2 + y^2 / 2 + beta y^4 / 4 + gamma sum_i z_i^4 / 4`: `u - Laplacian u + beta u^3 - gamma sum_i d_i (d_i u)^3 = f`.
 *
 * @param options `beta`, `gamma` >= 0, 0 unless given
 */
export function quarticLagrangian(
  options: { readonly beta?: number; readonly gamma?: number } = {},
): Lagrangian & { readonly beta: number; readonly gamma: number } {
  const owner = "quarticLagrangian";
  checkOptions(owner, options, ["beta", "gamma"]);
  const { beta = 0, gamma = 0 } = options;
  requireNonNegative(owner, "beta", beta);
  requireNonNegative(owner, "gamma", gamma);
  return {
    beta,
    gamma,
    degree: beta === 0 && gamma === 0 ? 1 : 3,
    partials(u, gradient, multiply) {
      let energy = 0;
      const cubic = (v: SparseFourier, factor: number) => {
        energy += v.inner(v) / 2;
        if (factor === 0 || v.modes === 0) return v;
        const square = multiply(v, v);
        energy += (factor / 4) * square.inner(square);
        return v.add(multiply(square, v).scale(factor));
      };
      const y = cubic(u, beta);
      const z = gradient.map((each) => cubic(each, gamma));
      return { energy, y, z };
    },
    curvature(u, gradient) {
      const slopes = gradient.map((each) => each.wiener());
      return {
        convexity: 1,
        smoothness: 1 + 3 * Math.max(beta * u.wiener() ** 2, gamma * Math.max(...slopes) ** 2),
      };
    },
    growth: (bandLimit, dimension) => [
      { coefficient: beta, power: 3 },
      { coefficient: (gamma * dimension * bandLimit ** 3) / 2, power: 3 },
    ],
  };
}

/**
 * `L = z^T A(x) z / 2 + c(x) y^2 / 2`: `c u - sum_i d_i sum_j A_ij d_j u = f`, with sums of cosines as coefficients.
 *
 * @param a symmetric matrix of functions, d by d; numbers are constants
 * @param c a function, or a number
 * @throws ValueError where `A` is not symmetric, or is not certified to be positive definite, or c to be positive
 */
export function linearLagrangian(
  a: readonly (readonly (SparseFourier | number)[])[],
  c: SparseFourier | number,
): Lagrangian {
  const owner = "linearLagrangian";
  const d = a?.length ?? 0;
  if (d < 1 || a.some((row) => row?.length !== d)) {
    throw new ShapeError(`${owner}: A has ${d} rows of ${a?.map((row) => row?.length)} entries; give d rows of d`);
  }
  const period = [...a.flat(), c].find((each) => each instanceof SparseFourier)?.period ?? 1;
  const read = (each: SparseFourier | number) =>
    each instanceof SparseFourier ? each : SparseFourier.constant(d, each, period);
  const matrix = a.map((row) => row.map(read));
  const reaction = read(c);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) {
      if (matrix[i][j].subtract(matrix[j][i]).wiener() > 1e-12 * matrix[i][j].wiener()) {
        throw new ValueError(`${owner}: A[${i}][${j}] is not A[${j}][${i}]; give a symmetric matrix`);
      }
    }
  }
  const curvature = certifiedCurvature(matrix, reaction);
  if (curvature.convexity <= 0) {
    throw new ValueError(
      `${owner}: eigenvalues of A, or c, are only certified to be above ${curvature.convexity.toPrecision(3)}; ` +
        "make their constant parts larger than the sums of the other coefficients",
    );
  }
  return {
    degree: 1,
    partials(u, gradient, multiply) {
      const y = multiply(reaction, u);
      const z = matrix.map((row) =>
        row.map((entry, j) => multiply(entry, gradient[j])).reduce((sum, each) => sum.add(each)),
      );
      const energy = z.reduce((sum, each, i) => sum + each.inner(gradient[i]) / 2, y.inner(u) / 2);
      return { energy, y, z };
    },
    curvature: () => curvature,
    growth(bandLimit) {
      const one = SparseFourier.constant(d, 1, period);
      let rest = 0;
      for (const [i, row] of matrix.entries()) {
        for (const [j, entry] of row.entries()) rest += (i === j ? entry.subtract(one) : entry).barron();
      }
      return [{ coefficient: reaction.subtract(one).barron() + (rest * bandLimit) / 2, power: 1 }];
    },
  };
}

/** Eigenvalues of A and values of c lie between those of their means, less and more what the other coefficients can do. */
function certifiedCurvature(matrix: readonly (readonly SparseFourier[])[], c: SparseFourier): Curvature {
  const moving = (u: SparseFourier) => u.wiener() - Math.abs(u.constant);
  const means = matrix.map((row) => row.map(({ constant }) => constant));
  const values = linalg.eigvalsh(tensor(means, { dtype: "float64" })).data();
  // Gershgorin: a symmetric perturbation moves eigenvalues by no more than its largest sum of a row.
  const shift = Math.max(...matrix.map((row) => row.reduce((sum, entry) => sum + moving(entry), 0)));
  return {
    convexity: Math.min(Number(values[0]) - shift, c.constant - moving(c)),
    smoothness: Math.max(Number(values.at(-1)) + shift, c.constant + moving(c)),
  };
}
