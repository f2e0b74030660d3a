import { type Claim, type ClaimContext, figure, memo } from "@offprint/claims";
import { concatenate } from "@offprint/tensor-core";
import type { RefineOptions, RefineResult } from "../src/index.js";
import { type Effort, errorOf, forecastError, SPACING, type Trained, trained } from "./experiment.js";
import { type Method, spectralRefiner } from "./method.js";

/** One forecast, before and after. */
export interface Outcome {
  readonly before: number;
  readonly after: number;
  readonly etaBefore: number;
  readonly eta: number;
}

/** Refines every forecast of the network. */
const refined = memo(
  async (context: ClaimContext, method: Method, options: Partial<RefineOptions>, effort?: Effort) => {
    const { family, cases, forecasts } = await trained(context, effort);
    const results: RefineResult[] = [];
    for (const forecast of forecasts) {
      const n = forecast.last.shape[0];
      const settings = { spacing: SPACING, modes: [n / 2, n / 2, 8] as const, signal: context.signal, ...options };
      results.push(await method.refine(family.system, forecast, settings));
    }
    return cases.map((test, i): Outcome => {
      const { eta } = method.estimateForecast(family.system, forecasts[i], { spacing: SPACING, oversample: 1 });
      const after = errorOf(results[i].frames, test);
      return { before: forecastError(forecasts[i], test), after, etaBefore: eta, eta: results[i].eta };
    });
  },
);

const list = (values: readonly number[]) => values.map((v) => figure(v)).join(", ");

/** The estimator sees the truth. */
export function estimator(method: Method = spectralRefiner, effort?: Effort): Claim {
  return {
    id: "estimator",
    statement: "The estimator, which knows no truth, tells a solver's flow from a network's forecast",
    source: "Theorem 3",
    paper: "efficient and reliable",
    async run(context) {
      const { family, cases, forecasts }: Trained = await trained(context, effort);
      const pairs = cases.map(({ window, truth }, i) => {
        const frames = concatenate([window.slice([{ start: -1 }]), truth], 0);
        const flow = method.estimate(family.system, frames, { spacing: SPACING }).eta;
        const network = method.estimateForecast(family.system, forecasts[i], { spacing: SPACING, oversample: 1 }).eta;
        return { flow, network, ratio: network / flow };
      });
      const ratio = Math.min(...pairs.map((p) => p.ratio));
      return {
        measured: ratio,
        holds: ratio > 1e4,
        detail: `eta of the network's forecasts (${list(pairs.map((p) => p.network))}) must be more than 1e4 times that of the solver's flows (${list(pairs.map((p) => p.flow))}).`,
      };
    },
  };
}

/** Whether every refinement is better by enough. */
export function judgeHeadline(all: readonly Outcome[]): boolean {
  return all.every(({ before, after, etaBefore, eta }) => before >= 6 * after && etaBefore >= 10 * eta);
}

/** Refinement at test time. */
export function headline(method: Method = spectralRefiner, effort?: Effort): Claim {
  return {
    id: "refinement",
    statement:
      "Refining the last spectral layer alone, per flow and without the truth, brings a network near the solver",
    source: "Table 1, Figure 3",
    paper: "residual 2.7e-6 after 50 steps",
    async run(context) {
      const all = await refined(context, method, {}, effort);
      const { family, cases } = await trained(context, effort);
      const [first] = cases;
      const n = first.still.last.shape[0];
      const fromStill = await method.refine(family.system, first.still, {
        spacing: SPACING,
        modes: [n / 2, n / 2, 8],
        signal: context.signal,
      });
      const gain = Math.min(...all.map(({ before, after }) => before / after));
      return {
        measured: gain,
        holds: judgeHeadline(all),
        detail: `Every flow's error must fall at least sixfold and its eta tenfold: errors ${list(all.map((o) => o.before))} to ${list(all.map((o) => o.after))}, eta ${list(all.map((o) => o.etaBefore))} to ${list(all.map((o) => o.eta))}. The network buys little: from the last frame alone (error ${figure(forecastError(first.still, first))}) the same refinement of the first flow gives ${figure(errorOf(fromStill.frames, first))}.`,
        tables: [
          {
            title: "Relative errors in space and time",
            columns: ["flow", "network", "refined", "eta of the network", "eta refined"],
            rows: all.map((o, i) => [String(i + 1), o.before, o.after, o.etaBefore, o.eta]),
          },
        ],
      };
    },
  };
}

/** Whether leaving the start free gives less residual and more error. */
export function judgeInitial(held: readonly Outcome[], free: readonly Outcome[]): boolean {
  return held.every((h, i) => free[i].eta < h.eta && free[i].after >= 5 * h.after);
}

/** The initial term. */
export function initialTerm(method: Method = spectralRefiner, effort?: Effort): Claim {
  return {
    id: "initial-error",
    statement:
      "The error of the start is a part of the bound: a flow that solves the equation from a wrong start is wrong",
    source: "Theorem 3",
    paper: "the bound has ||e(t_0)||",
    async run(context) {
      const held = await refined(context, method, {}, effort);
      const free = await refined(context, method, { initialWeight: 0 }, effort);
      const ratio = Math.min(...held.map((h, i) => free[i].after / h.after));
      return {
        measured: ratio,
        holds: judgeInitial(held, free),
        detail: `Without the term for the known frame eta must be lower (${list(free.map((f) => f.eta))} against ${list(held.map((h) => h.eta))}) and the error at least 5 times that with it (${list(free.map((f) => f.after))} against ${list(held.map((h) => h.after))}).`,
      };
    },
  };
}
