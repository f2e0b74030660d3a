import { meanOf, type Scale } from "@offprint/claims";
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

/** @param toTheEnd whether the run goes on after the first mark. */
async function marksOf(race: Race, run: (shared: any) => Promise<unknown>, toTheEnd = true): Promise<Marks> {
  const { problem, batch, passes, seed } = race;
  const perPass = Math.floor(problem.x.shape[0] / batch);
  const steps = perPass * passes;
  const marks: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  await run({
    batch,
    seed,
    steps,
    onProgress: ({ step }: { step: number }, params: any) => {
      const at = [perPass - 1, steps - 1].indexOf(step);
      if (at >= 0) marks[at] = problem.loss(params.data()) - problem.optimum;
      return at === 0 && !toTheEnd ? "stop" : undefined;
    },
  });
  return marks;
}

/** Surrogates, untuned: eta_0 = 1/L with m line-searched inner steps. */
export function raceSurrogates(
  method: Method,
  race: Race,
  m: number,
  schedule: RateSchedule = "exponential",
): Promise<Marks> {
  const { x, y } = race.problem;
  return marksOf(race, (shared) =>
    method.sso(linearModel(x.shape[1]), { x }, losses.logistic(y).oracle, {
      ...shared,
      eta: 4,
      schedule,
      inner: { steps: m },
    }),
  );
}

/** A baseline with its learning rates. */
interface Tuned {
  /** What the claims call it. */
  readonly name: string;
  readonly method: keyof typeof baselines;
  readonly schedule?: RateSchedule;
  /** All rates. */
  readonly rates: readonly number[];
  /** Those that were best after one pass, and at the end, in 16 runs and more: a quick run tries these only. */
  readonly near: readonly [first: readonly number[], last: readonly number[]];
}

function powers(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i));
}

type Near = readonly [first: readonly number[], last: readonly number[]];

/** Baselines and rates; `near` holds exponents of 2, for the line search its first steps. */
export function tunedBaselines(
  near: {
    readonly [name in "adagrad" | "adam" | "exponential" | "sgd" | "sls" | "sqrt"]: Near;
  },
): readonly Tuned[] {
  const exponents = ([first, last]: Near): Near => [first.map((e) => 2 ** e), last.map((e) => 2 ** e)];
  return [
    { name: "Adam", method: "adam", rates: powers(-9, 3), near: exponents(near.adam) },
    { name: "AdaGrad", method: "adagrad", rates: powers(-6, 7), near: exponents(near.adagrad) },
    { name: "SGD", method: "sgd", rates: powers(-4, 9), near: exponents(near.sgd) },
    { name: "SGD, 1/sqrt", method: "sgd", schedule: "sqrt", rates: powers(-4, 9), near: exponents(near.sqrt) },
    {
      name: "SGD, exponential",
      method: "sgd",
      schedule: "exponential",
      rates: powers(-4, 9),
      near: exponents(near.exponential),
    },
    { name: "line search", method: "sls", rates: [1, 10, 100], near: near.sls },
  ];
}

/** Each baseline with the best of its rates, chosen anew for each mark. */
export async function raceBaselines(race: Race, tuned: readonly Tuned[], scale: Scale): Promise<Record<string, Marks>> {
  const { x, y } = race.problem;
  const { oracle } = losses.logistic(y);
  const best: Record<string, Marks> = {};
  for (const { name, method, schedule, rates, near } of tuned) {
    const [first, last] = scale === "full" ? [rates, rates] : near;
    let marks: Marks = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const learningRate of new Set([...first, ...last])) {
      const found = await marksOf(
        race,
        (shared) =>
          baselines[method](linearModel(x.shape[1]), { x }, oracle, {
            ...shared,
            learningRate,
            ...(schedule && { schedule }),
          }),
        last.includes(learningRate),
      );
      marks = [Math.min(marks[0], found[0]), Math.min(marks[1], found[1])];
    }
    best[name] = marks;
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
