import { type Claim, figure, meanOf } from "@offprint/claims";
import { sorSync } from "@offprint/solvers";
import { asymptocity, jacobiSpectralRadius, sorSpectralRadius } from "../src/index.js";
import { gridLaplacian, SIDE, truncatedGaussian } from "./grid.js";
import { type Method, published } from "./method.js";

const TOLERANCE = 1e-8;
/** Right-hand sides whose mean count has its minimum where the surrogate has it: a count by itself jumps with omega. */
const DRAWS = 10;

/** The surrogate bounds the counts and has its minimum where they have it; the asymptotic estimate is below them. */
export function surrogateBound(method: Method = published): Claim {
  return {
    id: "surrogate",
    statement: "The near-asymptotic surrogate bounds the iteration count and is least at nearly the same omega",
    source: "Near-asymptotic surrogate",
    paper: "an upper bound with the minimum at nearly the same omega",
    run({ rng, scale }) {
      const A = gridLaplacian(SIDE);
      const beta = jacobiSpectralRadius(A);
      const count = { quick: 50, full: 100 }[scale];
      const omegas = Array.from({ length: count }, (_, i) => 1 + i / count);
      const spectralRadius = (omega: number) => sorSpectralRadius(omega, beta);
      const b = truncatedGaussian(rng, SIDE * SIDE);
      const { tau, counts } = asymptocity(A, b, { omegas, tolerance: TOLERANCE, spectralRadius });
      const others = Array.from({ length: DRAWS - 1 }, () => truncatedGaussian(rng, SIDE * SIDE));
      const means = omegas.map((omega, i) => {
        const more = others.map((own) => sorSync(A, own, { omega, tolerance: TOLERANCE }).iterations);
        return meanOf([counts[i]!, ...more]);
      });
      const bound = omegas.map((omega) => method.surrogate({ omega, beta, tau, tolerance: TOLERANCE }));
      const asymptotic = omegas.map((omega) => Math.log(TOLERANCE) / Math.log(spectralRadius(omega)));
      const covered = bound.filter((u, i) => u >= counts[i]!).length;
      const optimistic = asymptotic.filter((u, i) => u < counts[i]!).length / count;
      const distance = Math.abs(omegas[argmin(bound)]! - omegas[argmin(means)]!);
      return {
        measured: { tau, "counts bounded": `${covered} of ${count}`, "distance of the minima": distance },
        holds: covered === count && distance <= 0.02 + 1e-12 && optimistic > 0.3,
        detail:
          `With tau = ${figure(tau)} the surrogate must be at least the count at all ${count} omegas (${covered}), its minimum ` +
          `(${figure(Math.min(...bound))}) within 0.02 of that of the mean count of ${DRAWS} right-hand sides ` +
          `(${figure(Math.min(...means))}; ${figure(distance)} apart); ` +
          `log eps / log rho is below the count at more than 30 % of them (${figure(100 * optimistic, 3)} %).`,
        series: [
          {
            kind: "line",
            title: "Iterations of SOR on the 10 x 10 grid",
            x: { label: "omega" },
            y: { label: "iterations", scale: "log" },
            curves: [
              { name: "count", x: omegas, y: counts },
              { name: `mean of ${DRAWS} counts`, x: omegas, y: means },
              { name: "surrogate", x: omegas, y: bound },
              { name: "asymptotic estimate", x: omegas, y: asymptotic },
            ],
          },
        ],
      };
    },
  };
}

/** The first of the middle ones where several are least. */
function argmin(values: readonly number[]): number {
  const least = Math.min(...values);
  return Math.floor((values.indexOf(least) + values.lastIndexOf(least)) / 2);
}
