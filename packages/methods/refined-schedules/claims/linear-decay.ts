import { type Claim, type ClaimResult, figure, meanOf } from "@offprint/claims";
import { iris } from "@offprint/datasets";
import type { Rng } from "@offprint/tensor-core";
import { schedules } from "../src/index.js";
import { type Method, published } from "./method.js";
import { bestRate, drawnOrder, halfOctaves, SoftmaxRegression, standardised } from "./softmax-regression.js";

const noisyRates: Rates = (name) => (/^1\//.test(name) ? halfOctaves(-2, 9) : halfOctaves(-10, 4));
const irisRates: Rates = () => halfOctaves(-4, 14);

/** The classical schedules, linear decay first. */
const CLASSICAL: Readonly<Record<string, (T: number) => Float64Array>> = {
  linear: schedules.linear,
  cosine: schedules.cosine,
  flat: schedules.flat,
  step: (T) => schedules.step(T),
  "1/sqrt t": schedules.inverseSqrt,
  "1/t": schedules.inverse,
};

/** Learning rates that a schedule is tuned over; those that fall at once need larger ones. */
type Rates = (name: string) => readonly number[];

/** Overlapping classes: 20 features on scales from 1 to 0.1 and a constant, labels with Gumbel noise. */
function noisyClasses(rng: Rng): SoftmaxRegression {
  const [samples, features, classes] = [4000, 21, 5];
  const inputs = rng.normal([samples, features], { dtype: "float64" }).data().slice() as Float64Array;
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j < 20; j++) inputs[i * features + j] *= 10 ** (-j / 19);
    inputs[i * features + 20] = 1;
  }
  const truth = rng.normal([features, classes], { std: 2, dtype: "float64" }).data();
  const noise = rng.gumbel([samples, classes], { dtype: "float64" }).data();
  const labels = Int32Array.from({ length: samples }, (_, i) => {
    const scores = Array.from({ length: classes }, (_unused, c) => {
      let score = 3 * noise[i * classes + c];
      for (let j = 0; j < features; j++) score += inputs[i * features + j] * truth[j * classes + c];
      return score;
    });
    return scores.indexOf(Math.max(...scores));
  });
  return new SoftmaxRegression(inputs, labels, features, classes);
}

/**
 * Mean excess loss of every schedule at its best rate, over orders of the samples; refined from the mean norms of the best
 * linear runs: those of one run are mostly noise where batches are small.
 */
async function compareSchedules(
  classical: typeof CLASSICAL,
  problem: SoftmaxRegression,
  orders: readonly Int32Array[],
  steps: number,
  rates: Rates,
  refine: Readonly<Record<string, (norms: { l1: Float64Array; l2: Float64Array }) => Float64Array>>,
  onFraction: (fraction: number) => Promise<void>,
): Promise<Record<string, { value: number }>> {
  const optimum = problem.optimum();
  const results: Record<string, { value: number }> = {};
  const rounds = Object.keys(classical).length + Object.keys(refine).length;
  const excess = (multipliers: Float64Array, rate: number) =>
    meanOf(orders.map((order) => problem.loss(problem.descend(multipliers, rate, order)) - optimum));
  let [linearRate, place] = [0, undefined as number | undefined];
  for (const [name, of] of Object.entries(classical)) {
    const multipliers = of(steps);
    const own = rates(name);
    const from = own.length === rates("linear").length ? place : undefined;
    const best = bestRate(own, (rate) => excess(multipliers, rate), from);
    if (name === "linear") [linearRate, place] = [best.rate, best.place];
    results[name] = best;
    await onFraction(Object.keys(results).length / rounds);
  }
  const linear = schedules.linear(steps);
  const runs = orders.map((order) => problem.norms(linear, linearRate, order));
  const mean = (norm: "l1" | "l2") => Float64Array.from(linear, (_, t) => meanOf(runs.map((norms) => norms[norm][t])));
  const norms = { l1: mean("l1"), l2: mean("l2") };
  for (const [name, refined] of Object.entries(refine)) {
    const multipliers = refined(norms);
    results[name] = bestRate(rates(name), (rate) => excess(multipliers, rate), place);
    await onFraction(Object.keys(results).length / rounds);
  }
  return results;
}

function asBars(title: string, results: Record<string, { value: number }>): ClaimResult["series"] {
  const names = Object.keys(results);
  const values = names.map((name) => results[name].value);
  const value = { label: "loss over the optimum" };
  return [{ kind: "bar", title, category: "schedule", categories: names, value, bars: [{ name: "mean", values }] }];
}

function valuesOf(results: Record<string, { value: number }>): Record<string, number> {
  return Object.fromEntries(Object.entries(results).map(([name, { value }]) => [name, value]));
}

/** Headline 1: where noise limits the result, linear decay is best or tied among the classical schedules. */
export function linearDecay(
  method: Method = published,
  linear = schedules.linear,
  seeds = { quick: 16, full: 64 },
): Claim {
  return {
    id: "linear-decay",
    statement: "At tuned learning rates linear decay is best or tied among the classical schedules",
    source: "Section 5, logistic regression",
    paper: "best or tied",
    async run({ rng, scale, onProgress }) {
      const [steps, problem] = [1500, noisyClasses(rng.fork("data"))];
      const orders = rng.split(seeds[scale]).map((own) => drawnOrder(own, problem.samples, steps));
      const refine = { refined: ({ l2 }: { l2: Float64Array }) => method.refineSchedule(l2).multipliers };
      const classical = { ...CLASSICAL, linear };
      const results = await compareSchedules(classical, problem, orders, steps, noisyRates, refine, (fraction) =>
        onProgress(fraction),
      );
      const values = valuesOf(results);
      const over = (name: string) => values["linear"] / values[name];
      const ratios = {
        cosine: over("cosine"),
        "1/sqrt t": over("1/sqrt t"),
        flat: over("flat"),
        step: over("step"),
        "1/t": over("1/t"),
      };
      const refined = values["refined"] / values["linear"];
      return {
        measured: values,
        holds:
          ratios.cosine <= 1.02 &&
          ratios["1/sqrt t"] <= 0.97 &&
          ratios.flat <= 0.85 &&
          ratios.step <= 0.85 &&
          ratios["1/t"] <= 0.3 &&
          Math.abs(refined - 1) <= 0.15,
        detail:
          `Mean loss over the optimum of ${seeds[scale]} runs, each schedule at its best rate. Linear decay must be at most 1.02 ` +
          `of cosine (${figure(ratios.cosine)}), 0.97 of 1/sqrt t (${figure(ratios["1/sqrt t"])}), 0.85 of flat ` +
          `(${figure(ratios.flat)}) and step (${figure(ratios.step)}), 0.3 of 1/t (${figure(ratios["1/t"])}); refined, whose norms ` +
          `hardly change here, within 15 % of it (${figure(refined)}).`,
        series: asBars("Five-class regression, one sample a step", results),
      };
    },
  };
}

/** The same on measured data. */
export function irisSchedules(method: Method = published): Claim {
  const seeds = { quick: 32, full: 64 };
  return {
    id: "iris",
    statement: "On real data linear decay and its refinement are as good as the best classical schedule",
    source: "Section 5, logistic regression on real data sets",
    paper: "best or tied on most",
    async run({ rng, scale, onProgress }) {
      const problem = standardised(iris({ dtype: "float64" }), 3);
      const { samples } = problem;
      const [steps, batch] = [600, 8];
      const orders = rng.split(seeds[scale]).map((own) => drawnOrder(own, samples, steps * batch));
      const refine = {
        refined: ({ l1 }: { l1: Float64Array }) => method.refineSchedule(l1, { norm: "l1" }).multipliers,
        "refined, l2": ({ l2 }: { l2: Float64Array }) => method.refineSchedule(l2).multipliers,
      };
      const results = await compareSchedules(CLASSICAL, problem, orders, steps, irisRates, refine, (fraction) =>
        onProgress(fraction),
      );
      const optimum = problem.optimum();
      for (const result of Object.values(results)) result.value += optimum;
      const values = valuesOf(results);
      const others = Math.min(values["cosine"], values["step"], values["flat"], values["1/sqrt t"], values["1/t"]);
      const [linear, refined, euclidean] = ["linear", "refined", "refined, l2"].map((name) => values[name] / others);
      return {
        measured: values,
        holds: linear <= 1.05 && refined <= 1.15 && euclidean <= 1.15 && values["linear"] <= 0.9 * values["flat"],
        detail:
          `Iris, batches of 8, ${seeds[scale]} runs: linear decay must be within 5 % of the best other classical schedule ` +
          `(${figure(linear)}) and at most 0.9 of flat (${figure(values["linear"] / values["flat"])}), refined within 15 %, from the ` +
          `mean l1 norms of the runs (${figure(refined)}) and from the Euclidean ones, the default (${figure(euclidean)}).`,
        series: asBars("Iris, batches of 8", results),
      };
    },
  };
}
