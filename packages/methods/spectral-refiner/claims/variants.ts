import { type Claim, type ClaimContext, figure } from "@offprint/claims";
import { persistence } from "../src/index.js";
import { errorOf, flows, forecastError, SPACING, WINDOW } from "./experiment.js";
import { type Method, spectralRefiner } from "./method.js";

const list = (values: readonly number[]) => values.map((v) => figure(v)).join(", ");

/** Too many frequencies in time. */
export function timeAliasing(method: Method = spectralRefiner): Claim {
  return {
    id: "time-aliasing",
    statement:
      "With as many frequencies in time as the frames determine the residual is small between the frames too; with more it vanishes at the frames alone",
    source: "Section 4",
    paper: "6 frequencies for 10 frames",
    async run(context) {
      const { family, cases } = await flows(context);
      const ratios: number[][] = [];
      for (const { still } of cases) {
        const each: number[] = [];
        for (const time of [6, 11]) {
          const { forecast, eta } = await method.refine(family.system, still, {
            spacing: SPACING,
            modes: [8, 8, time],
            signal: context.signal,
          });
          each.push(method.estimateForecast(family.system, forecast, { spacing: SPACING, oversample: 2 }).eta / eta);
        }
        ratios.push(each);
      }
      const [few, many] = [0, 1].map((i) => ratios.map((r) => r[i]));
      return {
        measured: Math.min(...many),
        holds: few.every((r) => r <= 1.2) && many.every((r) => r >= 8),
        detail: `eta at twice the frame rate over eta at the frames must be at most 1.2 with 6 frequencies (${list(few)}) and at least 8 with 11 (${list(many)}).`,
      };
    },
  };
}

/** The convex variant. */
export function convex(method: Method = spectralRefiner): Claim {
  return {
    id: "convex",
    statement:
      "With the carrying velocity held fixed in rounds each problem is quadratic, and the rounds arrive as well",
    source: "later version",
    paper: "4 to 8 rounds",
    async run(context) {
      const { family, cases } = await flows(context);
      const gains: number[] = [];
      const errors: number[] = [];
      for (const test of cases) {
        const { frames } = await method.refine(family.system, test.still, {
          spacing: SPACING,
          modes: [8, 8, 8],
          rounds: 5,
          maxIterations: 250,
          signal: context.signal,
        });
        errors.push(errorOf(frames, test));
        gains.push(forecastError(test.still, test) / errors[errors.length - 1]);
      }
      const gain = Math.min(...gains);
      return {
        measured: gain,
        holds: gain >= 30,
        detail: `Five rounds of 50 iterations from the last frame must lower the error at least thirtyfold: to ${list(errors)}, ${list(gains)} times.`,
      };
    },
  };
}

/** The published derivative in time. */
export function solverStep(method: Method = spectralRefiner): Claim {
  return {
    id: "solver-step",
    statement:
      "A derivative in time from one solver step off the frame itself estimates nothing, and refining with it changes nothing",
    source: "published code",
    paper: "used in the notebooks",
    async run(context: ClaimContext) {
      const { family, cases } = await flows(context);
      const [test] = cases;
      const whole = test.truth;
      // Frames that solve nothing: those of the flow in the opposite order.
      const wrong = whole.flip(0);
      const step = method.estimate(family.system, wrong, { spacing: SPACING, timeDerivative: "solver-step" }).eta;
      const eta = method.estimate(family.system, wrong, { spacing: SPACING }).eta;
      const start = persistence(test.window.slice([-1]), WINDOW);
      const { frames } = await method.refine(family.system, start, {
        spacing: SPACING,
        initialWeight: 0,
        timeDerivative: "solver-step",
        maxIterations: 30,
        signal: context.signal,
      });
      const before = forecastError(start, test);
      const change = Math.abs(errorOf(frames, test) / before - 1);
      return {
        measured: step / eta,
        holds: step <= 1e-6 * eta && change < 1e-3,
        detail: `For a flow that runs backwards its residual (${figure(step)}) must be at most 1e-6 of the true one (${figure(eta)}), and refining with it must change the error by less than 1e-3 (${figure(change)}).`,
      };
    },
  };
}
