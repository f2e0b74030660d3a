import { type Claim, type ClaimContext, figure } from "@offprint/claims";
import { asTensor, type Tensor } from "@offprint/tensor-core";
import {
  baselines,
  losses,
  type OracleRecord,
  type SsoResult,
  type TargetModel,
  type TargetOracle,
} from "../src/index.js";
import { type Method, targetSurrogates } from "./method.js";
import { type FactorisationProblem, factored, factorisation } from "./problems.js";

const CALLS = 20;

type Factors = FactorisationProblem["params"];
type FactorModel = TargetModel<Factors, Tensor>;

async function lossesOf(
  problem: FactorisationProblem,
  run: (
    model: FactorModel,
    oracle: TargetOracle,
  ) => Promise<Pick<SsoResult<Factors>, "params"> & { history: readonly OracleRecord[] }>,
): Promise<number[]> {
  const { oracle } = losses.squared(problem.y);
  const model: FactorModel = { params: problem.params, forward: factored };
  const { params, history } = await run(model, oracle);
  const ids = Int32Array.from({ length: problem.x.shape[0] }, (_, i) => i);
  const { loss } = await oracle(factored(params, problem.x), ids, { grad: false, curvature: false });
  return [...history.map((record) => record.loss), asTensor(loss).mean().item()];
}

/** Whether one run bears the claim out: losses after the last call. */
export function judgeFactorisation(run: {
  wide: readonly [surrogates: number, descent: number];
  narrow: readonly [surrogates: number, descent: number];
  monotone: boolean;
}): boolean {
  const { wide, narrow, monotone } = run;
  return monotone && wide[0] <= 1e-3 * wide[1] && narrow[0] <= 0.05 * narrow[1];
}

function neverRises(values: readonly number[]): boolean {
  return values.every((value, t) => t === 0 || value <= values[t - 1] + 1e-15);
}

/** Surrogates train a linear network of two layers in far fewer calls. */
export function matrixFactorisation(method: Method = targetSurrogates): Claim {
  return {
    id: "matrix-factorisation",
    statement:
      "For a non-convex model too, many steps on each surrogate reach far lower losses at equal expensive calls",
    source: "Section 5, matrix factorisation",
    paper: "lower losses than gradient descent (curves)",
    async run(context: ClaimContext) {
      const [runs, n] = context.scale === "full" ? [4, 1000] : [1, 300];
      const rows: (string | number)[][] = [];
      let holds = true;
      const curves: { name: string; y: number[] }[] = [];
      const worst = { wide: 0, narrow: 0 };
      for (let k = 0; k < runs; k++) {
        const seed = context.seed * runs + k;
        const found: Record<string, [number, number]> = {};
        let monotone = true;
        for (const [name, width] of [
          ["wide", 10],
          ["narrow", 4],
        ] as const) {
          const problem = factorisation(seed, width, n);
          const x = problem.x;
          const surrogates = (m: number) =>
            lossesOf(problem, (model, oracle) =>
              method.sso(model, { x }, oracle, {
                eta: 0.5,
                steps: CALLS,
                inner: { steps: m },
                ...(context.backend && { backend: context.backend }),
              }),
            );
          const many = await surrogates(50);
          const few = context.scale === "full" ? [await surrogates(10)] : [];
          const descent = await lossesOf(problem, (model, oracle) =>
            baselines.sls(model, { x }, oracle, { steps: CALLS, learningRate: 10 }),
          );
          const left = [many, descent, ...few].map((each) => each[CALLS] - problem.floor);
          found[name] = [left[0], left[1]];
          worst[name] = Math.max(worst[name], left[0] / left[1]);
          monotone &&= neverRises(many);
          rows.push([seed, width, problem.floor, left[1], left[2] ?? Number.NaN, left[0]]);
          if (k === 0) {
            curves.push({ name: `m = 50, width ${width}`, y: many.map((each) => each - problem.floor) });
            curves.push({ name: `gradient descent, width ${width}`, y: descent.map((each) => each - problem.floor) });
          }
          await context.onProgress((2 * k + (name === "wide" ? 1 : 2)) / (2 * runs), `width ${width}`);
        }
        holds &&= judgeFactorisation({ wide: found.wide, narrow: found.narrow, monotone });
      }
      return {
        measured: { "width 10": worst.wide, "width 4": worst.narrow },
        holds,
        detail: `Loss above the least one of the width after ${CALLS} calls, m = 50 by gradient descent with a line search, largest of ${runs} run(s) with ${n} examples: ${figure(worst.wide)} for width 10 (<= 1e-3), ${figure(worst.narrow)} for width 4 (<= 0.05); losses never rise.`,
        tables: [
          { title: "Loss above the floor", columns: ["seed", "width", "floor", "descent", "m = 10", "m = 50"], rows },
        ],
        series: [
          {
            kind: "line",
            title: "Loss above the least one",
            x: { label: "expensive calls" },
            y: { label: "loss", scale: "log" },
            curves,
          },
        ],
      };
    },
  };
}
