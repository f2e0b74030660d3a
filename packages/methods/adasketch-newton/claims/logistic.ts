import { type Claim, figure } from "@offprint/claims";
import { l1Sqp, type Sketch } from "../src/index.js";
import { constrainedLogistic } from "./constrained-logistic.js";
import { type Method, type Outcome, published, residualCurve } from "./method.js";

/** Each sketch with the steps it may take for a direction, at both scales. */
const SKETCHES: { readonly name: string; readonly sketch: Sketch; readonly quick: number; readonly full: number }[] = [
  { name: "Kaczmarz", sketch: { kind: "kaczmarz" }, quick: 3e5, full: 3e5 },
  { name: "Gaussian", sketch: { kind: "gaussian" }, quick: 5e4, full: 2e5 },
  { name: "blocks of 5", sketch: { kind: "block", size: 5 }, quick: 1e4, full: 5e4 },
];

/** Logistic regression on a sphere with linear constraints. */
export function logistic(method: Method = published): Claim {
  return {
    id: "constrained-logistic",
    statement: "Constrained logistic regression takes a few iterations, almost all with unit steps",
    source: "Section 5.2, Figure 2 (LIBSVM)",
    paper: "8 (Gaussian) and 9 (Kaczmarz) iterations, 94 % unit steps; l1-SQP 36",
    async run({ rng, seed, onProgress, scale }) {
      const { problem, start, multipliers } = constrainedLogistic(rng);
      const outcomes: Outcome[] = [];
      for (const [k, { sketch, [scale]: maxInnerSteps }] of SKETCHES.entries()) {
        const options = { sketch, maxInnerSteps, multipliers, reducedHessianTolerance: 1e-2, maxIterations: 40, seed };
        outcomes.push(await method(problem, start, options));
        await onProgress((k + 1) / 4);
      }
      const plain = await l1Sqp(problem, start, { multipliers, maxIterations: 200 });
      const most = Math.max(...outcomes.map(({ iterations }) => iterations));
      const shortened = outcomes.map(({ history }) => history.filter(({ stepSize }) => stepSize < 1).length);
      const worst = Math.max(...outcomes.map(({ kkt }) => kkt));
      return {
        measured: {
          ...Object.fromEntries(SKETCHES.map(({ name }, k) => [name, `${outcomes[k].iterations} iterations`])),
          "l1-SQP": `${plain.iterations} iterations`,
        },
        holds: most <= 12 && Math.max(...shortened) <= 2 && worst <= 1e-4 && plain.iterations >= 2 * most,
        detail:
          `200 examples, 30 coefficients, 11 constraints, to 1e-4 (${figure(worst)}): at most 12 iterations (${most}) with at most two ` +
          `shortened steps (${shortened.join(", ")}); l1-SQP must take twice as many at least (${plain.iterations}).`,
        series: [
          {
            kind: "line",
            title: "Constrained logistic regression",
            x: { label: "iteration" },
            y: { label: "KKT residual", scale: "log" },
            curves: [
              ...SKETCHES.map(({ name }, k) => residualCurve(name, outcomes[k])),
              residualCurve("l1-SQP", plain),
            ],
          },
        ],
      };
    },
  };
}
