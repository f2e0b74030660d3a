import { type Claim, figure } from "@offprint/claims";
import { defectSpectralRadius, jacobiSpectralRadius } from "../src/index.js";
import { gridLaplacian, SIDE } from "./grid.js";
import { type Method, published } from "./method.js";

/** Young's theory on the grid: beta, omega*, and the spectral radius of SOR against one computed from the matrix. */
export function closedForms(method: Method = published): Claim {
  return {
    id: "closed-forms",
    statement: "On a 5-point grid Young's formulas give the optimal omega and SOR's spectral radius",
    source: "Asymptotic analysis of SOR",
    paper: "Young 1950",
    async run({ scale, onProgress }) {
      const A = gridLaplacian(SIDE);
      const beta = jacobiSpectralRadius(A);
      const star = method.omegaStar(beta);
      const betaError = Math.abs(beta - Math.cos(Math.PI / (SIDE + 1)));
      const starError = Math.abs(star - 2 / (1 + Math.sin(Math.PI / (SIDE + 1))));
      const count = { quick: 8, full: 100 }[scale];
      const omegas = Array.from({ length: count }, (_, i) => 1 + (0.99 * i) / (count - 1));
      const [computed, formula]: [number[], number[]] = [[], []];
      for (const omega of omegas) {
        computed.push(defectSpectralRadius(A, omega));
        formula.push(method.sorSpectralRadius(omega, beta));
        await onProgress(computed.length / count);
      }
      const error = Math.max(...computed.map((rho, i) => Math.abs(rho - formula[i]!)));
      return {
        measured: { beta, "omega*": star, "largest difference of rho": error },
        holds: betaError < 1e-12 && starError < 1e-10 && error < 1e-9,
        detail:
          `beta must be cos(pi/11) to 1e-12 (off by ${figure(betaError, 2)}), omega* 2/(1 + sin(pi/11)) to 1e-10 ` +
          `(${figure(starError, 2)}), and rho at ${count} omegas within 1e-9 of Young's formula (${figure(error, 2)}).`,
        series: [
          {
            kind: "line",
            title: "Spectral radius of SOR on the 10 x 10 grid",
            x: { label: "omega" },
            y: { label: "spectral radius" },
            curves: [
              { name: "from the matrix", x: omegas, y: computed },
              { name: "Young's formula", x: omegas, y: formula },
            ],
          },
        ],
      };
    },
  };
}
