import { meanOf, type Scale } from "@offprint/claims";
import type { Tensor } from "@offprint/tensor-core";
import { baselines, linearModel, losses, type RateSchedule } from "../src/index.js";
import type { Method } from "./method.js";
import type { LogisticProblem } from "./problems.js";

/** What a run is judged by: distances from the optimum on all data, after one pass and at the end. */
export type Marks = readonly [first: number, last: number];

/** The setting of a comparison at equal expensive calls. */
export interface Race {
  /** The data. */
  readonly problem: LogisticProblem;
  /** Batch size. */
  readonly batch: number;
  /** Passes over the data. */
  readonly passes: number;
  /** Seed of the order of the batches. */
  readonly seed: number;
}

interface Run {
  readonly params: Tensor;
}

/** Options of a run of the race; parameters are looked at as they would be saved. */
interface RaceOptions {
  readonly batch: number;
  readonly seed: number;
  readonly steps: number;
  readonly checkpoint: {
    readonly every: number;
    readonly save: (state: { readonly iterations: number; readonly inner: Run }) => void;
  };
}

async function marksOf(race: Race, run: (options: RaceOptions) => Promise<Run>): Promise<Marks> {
  const { problem, batch, passes, seed } = race;
  const every = Math.floor(problem.x.shape[0] / batch);
  const distance = ({ params }: Run) => problem.loss(params.data()) - problem.optimum;
  let first = Number.POSITIVE_INFINITY;
  const save: RaceOptions["checkpoint"]["save"] = ({ iterations, inner }) => {
    if (iterations === every) first = distance(inner);
  };
  const last = distance(await run({ batch, seed, steps: every * passes, checkpoint: { every, save } }));
  return [first, last];
}

/** Surrogates, untuned: eta_0 = 1/L with m line-searched inner steps. */
export function raceSurrogates(
  method: Method,
  race: Race,
  m: number,
  schedule: RateSchedule = "exponential",
): Promise<Marks> {
  const { x, y } = race.problem;
  return marksOf(race, (options) =>
    method.sso(linearModel(x.shape[1]), { x }, losses.logistic(y).oracle, {
      ...options,
      eta: 4,
      schedule,
      inner: { steps: m },
    }),
  );
}

function powers(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i));
}

type Baseline = (problem: LogisticProblem, options: RaceOptions & { readonly learningRate: number }) => Promise<Run>;

const adam: Baseline = ({ x, y }, options) =>
  baselines.adam(linearModel(x.shape[1]), { x }, losses.logistic(y).oracle, options);

const adagrad: Baseline = ({ x, y }, options) =>
  baselines.adagrad(linearModel(x.shape[1]), { x }, losses.logistic(y).oracle, options);

const lineSearch: Baseline = ({ x, y }, options) =>
  baselines.sls(linearModel(x.shape[1]), { x }, losses.logistic(y).oracle, options);

const descent =
  (schedule: RateSchedule): Baseline =>
  ({ x, y }, options) =>
    baselines.sgd(linearModel(x.shape[1]), { x }, losses.logistic(y).oracle, { ...options, schedule });

/** Baselines with the learning rates that each may choose from, the same at every scale. */
const TUNED: readonly (readonly [name: string, run: Baseline, rates: readonly number[]])[] = [
  ["Adam", adam, powers(-9, 3)],
  ["AdaGrad", adagrad, powers(-6, 7)],
  ["SGD", descent("constant"), powers(-4, 9)],
  ["SGD, 1/sqrt", descent("sqrt"), powers(-4, 9)],
  ["SGD, exponential", descent("exponential"), powers(-4, 9)],
  ["line search", lineSearch, [1, 10, 100]],
];

/**
 * The best marks over a grid of rates, each mark with its own. A full run tries all; a quick one goes from the middle up
 * and down until three rates in a row better neither mark.
 */
async function tuned(rates: readonly number[], scale: Scale, run: (rate: number) => Promise<Marks>): Promise<Marks> {
  const middle = Math.floor(rates.length / 2);
  let best = await run(rates[middle]);
  for (const direction of [1, -1]) {
    let inVain = 0;
    for (let k = middle + direction; k in rates && (scale === "full" || inVain < 3); k += direction) {
      const found = await run(rates[k]);
      inVain = found[0] < best[0] || found[1] < best[1] ? 0 : inVain + 1;
      best = [Math.min(best[0], found[0]), Math.min(best[1], found[1])];
    }
  }
  return best;
}

/** Each baseline with the best of its rates, chosen anew for each mark. */
export async function raceBaselines(race: Race, scale: Scale): Promise<Record<string, Marks>> {
  const best: Record<string, Marks> = {};
  for (const [name, run, rates] of TUNED) {
    best[name] = await tuned(rates, scale, (learningRate) =>
      marksOf(race, (options) => run(race.problem, { ...options, learningRate })),
    );
  }
  return best;
}

/** Means over runs, by name. */
export function meanMarks(runs: readonly Readonly<Record<string, Marks>>[]): Record<string, Marks> {
  return Object.fromEntries(
    Object.keys(runs[0]).map((name) => [
      name,
      [0, 1].map((at) => meanOf(runs.map((run) => run[name][at]))) as unknown as Marks,
    ]),
  );
}
