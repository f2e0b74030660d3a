import { type Claim, figure } from "@offprint/claims";
import { integrate, tableaus } from "@offprint/ode";
import { mul, type Tensor, tensor } from "@offprint/tensor-core";
import { type Method, regularizedNde } from "./method.js";

const rate = -2;
const start = 1.3;
const tolerance = 1e-6;

/** `q(z)`: what the error estimate of Tsit5 makes of `y' = z y` in a step of size 1. */
function estimate(z: number): number {
  const { stages, weights, error = [] } = tableaus.tsit5;
  const r = [1];
  for (const row of [...stages, weights]) r.push(1 + z * row.reduce((sum, a, j) => sum + a * (r[j] as number), 0));
  return z * error.reduce((sum, b, i) => sum + b * (r[i] as number), 0);
}

/** On a linear equation both regularisers are known. */
export function exact(method: Method = regularizedNde): Claim {
  return {
    id: "exact",
    statement:
      "On y' = -2 y the error regulariser is the polynomial of the tableau, the stiffness regulariser |lambda| / s",
    source: "Section 3.2, equations 8 to 10",
    paper: "equal",
    run() {
      const solved = integrate((_t, y: Tensor) => mul(y, rate), tensor(start, { dtype: "float64" }), [0, 1], {
        relativeTolerance: tolerance,
        absoluteTolerance: tolerance,
      });
      const n = solved.steps.item();
      const sizes = [...solved.stepSizes.data()].slice(0, n);
      let [y, expected] = [start, 0];
      for (const h of sizes) {
        const { stages, weights } = tableaus.tsit5;
        const z = rate * h;
        const r = [1];
        for (const row of [...stages, weights])
          r.push(1 + z * row.reduce((sum, a, j) => sum + a * (r[j] as number), 0));
        const next = y * (r.at(-1) as number);
        expected += (Math.abs(y * estimate(z)) / (tolerance * (1 + Math.max(Math.abs(y), Math.abs(next))))) * (h / n);
        y = next;
      }
      const error = Math.abs(method.errorRegularizer(solved).item() / expected - 1);
      const stiffness = Math.abs((method.stiffnessRegularizer(solved).item() * 3.5068) / Math.abs(rate) - 1);
      return {
        measured: error,
        holds: error < 1e-4 && stiffness < 1e-8 && n === 13,
        detail: `R_E must be the polynomial's mean to 1e-4 (differs by ${figure(error)}), R_S be 2 / 3.5068 to 1e-8 (${figure(stiffness)}), in 13 steps (${n}).`,
      };
    },
  };
}
