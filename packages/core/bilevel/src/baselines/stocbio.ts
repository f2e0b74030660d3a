import { linalg, mul, random, requireInteger, type Tensor } from "@offprint/tensor-core";
import {
  type BilevelResult,
  type BilevelRunOptions,
  checkBilevelOptions,
  type Rate,
  rateTensors,
  runBilevel,
} from "../bilevel-run.js";
import { compiledPhase } from "../compiled-phase.js";
import { type DescentOptions, descentOptionNames, descentRates, lowerDescent, refinementBy } from "../lower-descent.js";
import { addCounts } from "../oracle-counts.js";
import type { BilevelProblem } from "../problem.js";
import { VectorProblem } from "../vector-problem.js";
import { minus, plus } from "../vector-steps.js";

/** What StocBiO and TTSA keep beside x and y: nothing. */
export type NothingKept = Record<string, never>;

/** Options of {@link stocBiO} and {@link ttsa}. */
export interface SeriesOptions<X, Y> extends DescentOptions, BilevelRunOptions<X, Y, NothingKept> {
  /** The series' step, > 0. Default `lowerStepSize`. */
  readonly linearStepSize?: Rate;
  /** Factors of the Neumann series at most, Q. Default 20. */
  readonly terms?: number;
}

/** Options of {@link stocBiO}. */
export interface StocBiOOptions<X, Y> extends SeriesOptions<X, Y> {
  /** Steps on y in each iteration, T. Default 3. */
  readonly lowerSteps?: number;
}

const names = [...descentOptionNames, "linearStepSize", "terms"];

/**
 * StocBiO (Ji, Yang and Liang 2021): in each iteration T steps on y, then a step on x along `grad_x F - J v` with
 * `v = step sum_(q=0..Q) prod_(j=1..q) (I - step H_j) grad_y F`, a fresh batch for each factor.
 * @throws NonFiniteError, with the last good state, where it diverges; ValueError for options out of range.
 */
export async function stocBiO<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  options: StocBiOOptions<X, Y>,
): Promise<BilevelResult<X, Y, NothingKept>> {
  checkBilevelOptions("stocBiO", options, [...names, "lowerSteps"]);
  const { lowerSteps = 3, terms = 20 } = options;
  requireInteger("stocBiO", "lowerSteps", lowerSteps, 1);
  return alternate("stocBiO", problem, options, lowerSteps, () => ({ factors: terms, of: "sum", weight: 1 }));
}

/**
 * TTSA (Hong, Wai, Wang and Yang 2020), two time scales: in each iteration one step on y and one on x, with
 * `v = Q step prod_(j=1..Q') (I - step H_j) grad_y F` for one random `Q'` below Q. Its step of x must be much smaller than
 * that of y.
 * @throws NonFiniteError, with the last good state, where it diverges; ValueError for options out of range.
 */
export async function ttsa<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  options: SeriesOptions<X, Y>,
): Promise<BilevelResult<X, Y, NothingKept>> {
  checkBilevelOptions("ttsa", options, names);
  const { seed = 0, terms = 20 } = options;
  return alternate("ttsa", problem, options, 1, (iteration) => {
    const factors = random.rng(`${seed}/factors/${iteration}`).randint([], { high: terms }).item();
    return { factors, of: "product", weight: terms };
  });
}

/** An estimate of `H^-1 b`: `weight step` times the product of the factors with b, or the sum of all such products. */
interface Estimate {
  readonly factors: number;
  readonly of: "sum" | "product";
  readonly weight: number;
}

/** Steps on y, then one on x with an estimate made of random factors. */
async function alternate<X, Y, U, L>(
  owner: string,
  problem: BilevelProblem<X, Y, U, L>,
  options: SeriesOptions<X, Y>,
  lowerSteps: number,
  estimateOf: (iteration: number) => Estimate,
): Promise<BilevelResult<X, Y, NothingKept>> {
  const { terms = 20, linearStepSize = options.lowerStepSize, refinementSteps = 0 } = options;
  requireInteger(owner, "terms", terms, 1);
  requireInteger(owner, "refinementSteps", refinementSteps, 0);
  const { upperStep, lowerStep } = descentRates(owner, options);
  const linearStep = rateTensors(owner, "linearStepSize", linearStepSize);
  const vectors = new VectorProblem(owner, problem);
  const descend = lowerDescent(vectors);
  const gradients = compiledPhase(vectors, "series: gradients", (d, x: Tensor, y: Tensor, batch: U) =>
    d.gradsF(x, y, batch),
  );
  const factor = compiledPhase(
    vectors,
    "series: factor",
    (d, x: Tensor, y: Tensor, { p, sum }: Series, step: Tensor, batch: L) => {
      const next = minus(p, step, d.hvpYY(x, y, p, batch));
      return { p: next, sum: plus(sum, 1, next) };
    },
  );
  const ascend = compiledPhase(
    vectors,
    "series: ascend",
    (d, x: Tensor, y: Tensor, gradX: Tensor, v: Tensor, steps: { upper: Tensor; series: Tensor }, batch: L) => {
      const direction = minus(gradX, steps.series, d.mixedXY(x, y, v, batch));
      return { x: vectors.projectX(minus(x, steps.upper, direction)), norm: linalg.norm(direction) };
    },
  );
  return runBilevel<X, Y, U, L, NothingKept>(
    vectors,
    {
      begin: () => ({}),
      refinement: refinementBy(descend, refinementSteps, lowerStep(1)),
      iterate(point, iteration, draw) {
        const { x } = point;
        let { y } = point;
        for (let t = 0; t < lowerSteps; t++) y = descend(x, y, lowerStep(iteration), draw.lower());
        const right = gradients(x, y, draw.upper());
        const { factors, of, weight } = estimateOf(iteration);
        const step = linearStep(iteration);
        let series: Series = { p: right.y, sum: right.y };
        for (let q = 0; q < factors; q++) series = factor(x, y, series, step, draw.lower());
        const v = of === "sum" ? series.sum : series.p;
        const steps = { upper: upperStep(iteration), series: weight === 1 ? step : mul(step, weight) };
        const moved = ascend(x, y, right.x, v, steps, draw.lower());
        const spent = addCounts(addCounts(gradients.cost, ascend.cost), descend.cost, lowerSteps);
        const cost = factors === 0 ? spent : addCounts(spent, factor.cost, factors);
        return { x: moved.x, y, extra: {}, hypergradientNorm: moved.norm, cost };
      },
    },
    options,
  );
}

interface Series {
  readonly p: Tensor;
  readonly sum: Tensor;
}
