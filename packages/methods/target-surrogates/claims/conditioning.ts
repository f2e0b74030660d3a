import type { Claim } from "@offprint/claims";
import { baselines, type InnerOptions, linearModel, losses, type OracleRecord } from "../src/index.js";
import { type Method, targetSurrogates } from "./method.js";
import { conditioned, type LogisticProblem } from "./problems.js";

const ETA = 4;

/** Calls until the loss is within 1e-4 of the optimum. */
function counter(problem: LogisticProblem) {
  let calls = Number.POSITIVE_INFINITY;
  return {
    onProgress: ({ step, loss }: OracleRecord) => {
      if (loss - problem.optimum > 1e-4) return undefined;
      calls = step - 1;
      return "stop";
    },
    calls: () => calls,
  };
}

async function surrogateCalls(
  method: Method,
  problem: LogisticProblem,
  inner: InnerOptions,
  steps: number,
): Promise<number> {
  const { onProgress, calls } = counter(problem);
  const [, d] = problem.x.shape;
  const { oracle } = losses.logistic(problem.y);
  await method.sso(linearModel(d), { x: problem.x }, oracle, { eta: ETA, steps, inner, onProgress });
  return calls();
}

/** Whether calls bear the claim out. */
export function judgeConditioning(calls: {
  exact: readonly number[];
  descent: number;
  m1: number;
  m100: number;
}): boolean {
  const { exact, descent, m1, m100 } = calls;
  return (
    exact.every((each) => Math.abs(each - exact[0]) <= 1) &&
    m100 <= 1.3 * exact[0] &&
    m1 === descent &&
    descent >= 10 * exact[0]
  );
}

/** The number of expensive calls does not depend on the conditioning. */
export function conditioning(method: Method = targetSurrogates, most = 5000): Claim {
  return {
    id: "conditioning",
    statement:
      "Solved exactly, surrogates need the same number of expensive calls however ill-conditioned the data are",
    source: "Section 3",
    paper: "speed independent of the conditioning of the data",
    async run(context) {
      const kappas = [10, 100, 1000];
      const problems = conditioned(context.seed, 300, kappas);
      const [mild] = problems;
      const { oracle } = losses.logistic(mild.y);
      const exact: number[] = [];
      for (const problem of problems) exact.push(await surrogateCalls(method, problem, { solver: "exact" }, most));
      await context.onProgress(0.2, "exact");
      const by = (solver: "armijo" | "fixed") => async (steps: number) =>
        surrogateCalls(method, mild, { solver, steps, tolerance: 1e-9 }, most);
      const [m1, m10, m100] = [await by("fixed")(1), await by("fixed")(10), await by("fixed")(100)];
      const searched = context.scale === "full" ? [await by("armijo")(10), await by("armijo")(100)] : [];
      await context.onProgress(0.6, "inner steps");
      const descentCounter = counter(mild);
      await baselines.sgd(linearModel(20), { x: mild.x }, oracle, {
        learningRate: ETA, // 1/L: the largest eigenvalue of X^T X / n is 1
        steps: most,
        onProgress: descentCounter.onProgress,
      });
      const descent = descentCounter.calls();
      const hard = problems[2];
      const steps = context.scale === "full" ? 2000 : 200;
      const armijo = await baselines.sls(linearModel(20), { x: hard.x }, losses.logistic(hard.y).oracle, {
        learningRate: ETA,
        steps,
      });
      const left = hard.loss(armijo.params.data() as Float64Array) - hard.optimum;
      return {
        measured: { exact: exact.join(", "), "m = 100": m100, "gradient descent": descent },
        holds: judgeConditioning({ exact, descent, m1, m100 }),
        detail:
          `Calls until within 1e-4 of the optimum, exact inner solver, kappa 10, 100, 1000: ${exact.join(", ")} (to be equal, +-1). At kappa 10: m = 1, 10, 100 inner steps: ` +
          `${m1}, ${m10}, ${m100} (m = 100 <= 1.3 times exact, m = 1 the same as gradient descent), gradient descent ${descent} (>= 10 times exact). ` +
          `At kappa 1000 gradient descent with a line search is ${left.toFixed(3)} from the optimum after ${steps} calls.`,
        tables: [
          {
            title: "Calls at kappa 10",
            columns: ["method", "calls"],
            rows: [
              ["exact", exact[0]],
              ["m = 100", m100],
              ["m = 10", m10],
              ["m = 1", m1],
              ...searched.map((calls, k) => [`m = ${10 ** (k + 1)}, line search`, calls]),
              ["gradient descent, 1/L", descent],
            ],
          },
        ],
      };
    },
  };
}
