import { type Claim, figure } from "@offprint/claims";
import type { Sketch } from "../src/index.js";
import { ellipticControl } from "./elliptic-control.js";
import { type Method, published, residualCurve } from "./method.js";

/** Steps of the sketching solver for a direction at most. */
const CAP = 2e5;

/** Elliptic control on the paper's grid, against the closed form. */
export function elliptic(method: Method = published, sketch: Sketch = { kind: "kaczmarz" }): Claim {
  return {
    id: "elliptic-control",
    statement: "A control problem of an elliptic equation is solved in a few iterations by Kaczmarz steps",
    source: "Section 5.3, Table 1 (3 x 3 grid)",
    paper: "3 iterations (Kaczmarz), 4 (Gaussian); residual 4.1e-6",
    async run({ seed, onProgress, scale }) {
      const { problem, start, least } = ellipticControl(3);
      const options = { maxInnerSteps: CAP, seed };
      const ours = await method(problem, start, { ...options, sketch, maxIterations: 20 });
      await onProgress(0.5);
      // Shown beside it: what single dense vectors cost where K is ill-conditioned.
      const maxIterations = scale === "full" ? 40 : Math.min(ours.iterations, 2);
      const gaussian = await method(problem, start, { ...options, sketch: { kind: "gaussian" }, maxIterations });
      const distance = Math.abs(ours.objective - least);
      return {
        measured: {
          iterations: ours.iterations,
          "distance to f*": distance,
          "Gaussian vectors": `${gaussian.status === "converged" ? "" : "more than "}${gaussian.iterations} iterations`,
        },
        holds: ours.iterations <= 5 && ours.kkt <= 1e-4 && distance <= 1e-6,
        detail:
          `At most 5 iterations (${ours.iterations}) must bring the KKT residual below 1e-4 (${figure(ours.kkt)}) and f within 1e-6 of ` +
          `the closed form ${least.toFixed(9)} (${figure(distance)}). With Gaussian vectors and as many steps the residual is ` +
          `${figure(gaussian.kkt)} after ${gaussian.iterations} iterations.`,
        series: [
          {
            kind: "line",
            title: "Elliptic control, 3 x 3",
            x: { label: "iteration" },
            y: { label: "KKT residual", scale: "log" },
            curves: [residualCurve(sketch.kind, ours), residualCurve("gaussian", gaussian)],
          },
        ],
      };
    },
  };
}
