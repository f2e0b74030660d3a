import { type Claim, figure } from "@offprint/claims";
import { random, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";
import { toyError, toyProblem, toyStart } from "./toy.js";

const n = 100;

/** The headline: where the lower level has many solutions, the best one is found. */
export function nonUnique(method: Method = published): Claim {
  return {
    id: "many-lower-solutions",
    statement:
      "Where the lower level has many solutions LV-HBA finds the best one for the upper level; AiPOD stays at one of the others",
    source: "Section 5.1, merely convex lower level",
    paper: "converges, AiPOD and E-AiPOD do not",
    async run({ seed, scale }) {
      const seeds = scale === "full" ? 3 : 2;
      const rounds = scale === "full" ? 1500 : 80;
      const level = {
        matrix: tensor(new Float64Array(2 * n).fill(1), { dtype: "float64" }).reshape([1, 2 * n]),
        offset: (x: Tensor) => sum(x).reshape([1]),
      };
      const steps = { stepSize: 0.02, lowerStepSize: 0.1, lowerSteps: 5, upperSteps: 2 };
      const rows: { early: number; late: number; upper: number; aipod: number }[] = [];
      for (let k = 0; k < seeds; k++) {
        const problem = toyProblem(n, toyStart(n, random.rng(`${seed}/start/${k}`)));
        const { history } = await method.lvHba(problem, {
          ...{
            scaleConstraints: [Math.sqrt(3 * n)],
            maxIterations: 10_000,
            evaluate: ({ x }) => ({ error: toyError(x) }),
          },
        });
        const error = (at: number) => history[at - 1]?.evaluation?.error ?? Number.NaN;
        const other = await method.aipod(problem, level, { ...steps, maxIterations: rounds });
        rows.push({
          early: error(3000),
          late: error(10_000),
          upper: history[9999]?.upper ?? Number.NaN,
          aipod: toyError(other.x),
        });
      }
      const symmetric = await method.aipod(toyProblem(n, toyStart(n)), level, {
        ...steps,
        maxIterations: scale === "full" ? 1500 : 300,
      });
      const exact = toyError(symmetric.x);
      const holds =
        exact < 0.01 &&
        rows.every(
          (r) => r.early <= 0.16 && r.late <= 0.02 && Math.abs(r.upper / (0.05 * n) - 1) <= 0.05 && r.aipod > 1,
        );
      const list = (f: (row: (typeof rows)[number]) => number) => rows.map((r) => figure(f(r), 3)).join(", ");
      return {
        measured: { "LV-HBA": Math.max(...rows.map((r) => r.late)), AiPOD: Math.min(...rows.map((r) => r.aipod)) },
        holds,
        detail:
          `relative error on each of ${seeds} random starts: LV-HBA at most 0.16 after 3000 (${list((r) => r.early)}) and 0.02 after 10000 ` +
          `iterations (${list((r) => r.late)}), F within 5 % of 5 (${list((r) => r.upper)}); AiPOD after ${rounds} rounds above 1 ` +
          `(${list((r) => r.aipod)}), though from the symmetric start below 0.01 (${figure(exact)})`,
      };
    },
  };
}
