import { type Claim, figure, memo } from "@offprint/claims";
import { type Method, published } from "./method.js";
import { toyError, toyProblem, toyStart } from "./toy.js";

const n = 100;
const scaled = { scaleConstraints: [Math.sqrt(3 * n)] };

/** A run from the symmetric start, with the error of every iteration. */
const symmetricRun = memo(async (_, method: Method, p: number) => {
  const run = await method.lvHba(toyProblem(n, toyStart(n)), {
    ...{ ...scaled, p, maxIterations: 10_000, evaluate: ({ x }) => ({ error: toyError(x) }) },
  });
  return { run, errors: run.history.map(({ evaluation }) => evaluation?.error ?? Number.NaN) };
});

/** The closed form is reached, at the rate that the penalty's growth says. */
export function closedForm(method: Method = published): Claim {
  return {
    id: "closed-form-and-rate",
    statement:
      "LV-HBA comes to the closed-form solution of the merely convex problem, the error falling as one over the penalty",
    source: "Theorem on the rate K^-p; Section 5.1",
    paper: { "error(10000) / error(1000) at p = 0.3": 10 ** -0.3 },
    async run(context) {
      const [{ run, errors }, slow] = [
        await symmetricRun(context, method, 0.3),
        await symmetricRun(context, method, 0.1),
      ];
      const [last, ratio] = [errors[9999], errors[9999] / errors[999]];
      const slowRatio = slow.errors[9999] / slow.errors[999];
      const multiplier = run.multipliers.data()[0];
      const near = (value: number, expected: number) => Math.abs(value / expected - 1) <= 0.15;
      const holds =
        last < 0.02 && near(ratio, 10 ** -0.3) && near(slowRatio, 10 ** -0.1) && Math.abs(multiplier + 1) <= 0.002;
      return {
        measured: { ratio, "last error": last, multiplier },
        holds,
        detail:
          `relative error after 10000 iterations below 0.02 (${figure(last)}), its ratio to that after 1000 within 15 % of 10^-p: ` +
          `${figure(ratio)} for p = 0.3, ${figure(slowRatio)} for p = 0.1; multiplier within 0.002 of -1 (${figure(multiplier)})`,
        series: [
          {
            kind: "line",
            title: "Error on the merely convex problem",
            x: { label: "iterations", scale: "log" },
            y: { label: "relative error", scale: "log" },
            curves: [
              { name: "p = 0.3", x: looks, y: looks.map((k) => errors[k - 1]) },
              { name: "p = 0.1", x: looks, y: looks.map((k) => slow.errors[k - 1]) },
            ],
          },
        ],
      };
    },
  };
}

const looks = Array.from({ length: 40 }, (_, i) => Math.round(10 ** (1 + (3 * i) / 39)));

/** Unscaled constraints break the bound on eta. */
export function scaling(method: Method = published): Claim {
  return {
    id: "scaling-matters",
    statement:
      "The saddle point's iteration needs eta below 2 mu / (mu^2 + sigma^2): unscaled constraints with the authors' constants do not converge",
    source: "Section 5.1, and the authors' script",
    paper: "converges",
    async run(context) {
      const { errors } = await symmetricRun(context, method, 0.3);
      const plain = await method.lvHba(toyProblem(n, toyStart(n)), {
        ...{ scaleConstraints: "none", eta: 0.01, alpha: 0.008, beta: 0.02, maxIterations: 4000 },
        penalty: (k) => 0.025 * (k + 1) ** 0.3,
        evaluate: ({ x }) => ({ error: toyError(x) }),
      });
      const unscaled = plain.history[plain.history.length - 1].evaluation?.error ?? Number.NaN;
      return {
        measured: { scaled: errors[3999], unscaled },
        holds: unscaled > 5 && errors[3999] < 0.05,
        detail: `relative error after 4000 iterations: above 5 unscaled (${figure(unscaled)}), below 0.05 scaled (${figure(errors[3999])})`,
      };
    },
  };
}
