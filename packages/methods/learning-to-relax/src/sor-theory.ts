import { checkOptions, requireInteger, requireNonNegative, ValueError } from "@offprint/tensor-core";

function requireRadius(name: string, beta: number): void {
  if (!(beta >= 0 && beta < 1)) {
    throw new ValueError(`${name}: beta is ${beta}; the spectral radius of the Jacobi matrix must be in [0, 1)`);
  }
}

/**
 * The relaxation parameter that minimises the spectral radius of SOR for a consistently ordered matrix, such as any
 * 5-point grid (Young 1950): 1 + (beta / (1 + sqrt(1 - beta^2)))^2.
 *
 * @param beta - spectral radius of I - D^-1 A, in [0, 1): `jacobiSpectralRadius`.
 * @throws ValueError for beta out of range.
 */
export function omegaStar(beta: number): number {
  requireRadius("omegaStar", beta);
  return 1 + (beta / (1 + Math.sqrt(1 - beta * beta))) ** 2;
}

/**
 * Spectral radius of SOR for a consistently ordered matrix (Young 1950).
 *
 * @param omega - relaxation parameter in (0, 2).
 * @param beta - spectral radius of I - D^-1 A, in [0, 1).
 * @throws ValueError for arguments out of range.
 */
export function sorSpectralRadius(omega: number, beta: number): number {
  requireRadius("sorSpectralRadius", beta);
  if (!(omega > 0 && omega < 2)) throw new ValueError(`sorSpectralRadius: omega is ${omega}; it must be in (0, 2)`);
  if (omega >= omegaStar(beta)) return omega - 1;
  const product = omega * beta;
  return (product + Math.sqrt(Math.max(0, product * product - 4 * (omega - 1)))) ** 2 / 4;
}

/** Options of {@link surrogate}. */
export interface SurrogateOptions {
  /** Relaxation parameter in (0, 2). */
  omega: number;
  /** Spectral radius of the Jacobi matrix, in [0, 1). */
  beta: number;
  /** How far the iteration is from asymptotic, in [0, 1): `asymptocity`. 0 gives the asymptotic estimate, plus 1. */
  tau: number;
  /** The relative residual to reach, in (0, 1). */
  tolerance: number;
}

/**
 * Near-asymptotic upper bound U of the iteration count of SOR:
 * 1 + log(eps) / log(rho + tau (1 - rho)).
 *
 * @throws ValueError for options out of range.
 */
export function surrogate(options: SurrogateOptions): number {
  checkOptions("surrogate", options, ["omega", "beta", "tau", "tolerance"], ["omega", "beta", "tau", "tolerance"]);
  const { omega, beta, tau, tolerance } = options;
  requireSlack("surrogate", tau, tolerance);
  const rho = sorSpectralRadius(omega, beta);
  return 1 + Math.log(tolerance) / Math.log(rho + tau * (1 - rho));
}

/**
 * Lipschitz constant of the surrogate right of omega*: a grid point just right of the optimum costs at most
 * this times the spacing more. It is a bound where tau + (1 - tau) (omega - 1) >= e^-2 for all of them.
 *
 * @param options.beta - spectral radius of the Jacobi matrix, in [0, 1).
 * @param options.omegaMax - greatest relaxation parameter of the grid, in (1, 2).
 * @throws ValueError for options out of range.
 */
export function surrogateLipschitz(
  options: Omit<SurrogateOptions, "omega"> & {
    /** Greatest relaxation parameter of the grid, in (1, 2). */
    omegaMax: number;
  },
): number {
  checkOptions(
    "surrogateLipschitz",
    options,
    ["beta", "tau", "tolerance", "omegaMax"],
    ["tolerance", "beta", "tau", "omegaMax"],
  );
  const { beta, tau, tolerance, omegaMax } = options;
  requireRadius("surrogateLipschitz", beta);
  requireSlack("surrogateLipschitz", tau, tolerance);
  if (!(omegaMax > 1 && omegaMax < 2)) {
    throw new ValueError(`surrogateLipschitz: omegaMax is ${omegaMax}; it must be in (1, 2)`);
  }
  const alpha = tau + (1 - tau) * Math.max(beta * beta, omegaMax - 1);
  return (-(1 - tau) * Math.log(tolerance)) / (alpha * Math.log(alpha) ** 2);
}

/**
 * Bound of the regret of Tsallis-INF, the expected total beyond that of the best arm: K (4 sqrt(d T) + 1).
 *
 * @param arms - d.
 * @param rounds - T.
 * @param cap - K, the greatest possible loss above the least one; default 1.
 * @throws ValueError for numbers out of range.
 */
export function tsallisRegretBound(arms: number, rounds: number, cap = 1): number {
  requireInteger("tsallisRegretBound", "arms", arms, 1);
  requireInteger("tsallisRegretBound", "rounds", rounds, 0);
  requireNonNegative("tsallisRegretBound", "cap", cap);
  return cap * (4 * Math.sqrt(arms * rounds) + 1);
}

function requireSlack(name: string, tau: number, tolerance: number): void {
  if (!(tau >= 0 && tau < 1)) throw new ValueError(`${name}: tau is ${tau}; it must be in [0, 1)`);
  if (!(tolerance > 0 && tolerance < 1)) {
    throw new ValueError(`${name}: tolerance is ${tolerance}; it must be in (0, 1)`);
  }
}
