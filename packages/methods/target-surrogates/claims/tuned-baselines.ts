import type { Scale } from "@offprint/claims";
import { type BaselineOptions, baselines, linearModel, losses, type RateSchedule } from "../src/index.js";
import type { Method } from "./method.js";
import { average, type LogisticProblem } from "./problems.js";

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

async function marksOf(race: Race, run: (shared: any) => Promise<unknown>): Promise<Marks> {
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
    },
  });
  return marks.map((mark) => (Number.isFinite(mark) ? mark : Number.POSITIVE_INFINITY)) as [number, number];
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

/** Learning rates of a baseline: `2^low ... 2^high`, or a list. */
type Rates = readonly [low: number, high: number] | readonly number[];

interface Tuned {
  readonly name: string;
  readonly method: keyof typeof baselines;
  readonly schedule?: RateSchedule;
  /** All powers of two that are tried, and those around the best ones of several seeds. */
  readonly full: Rates;
  readonly near: Rates;
}

/** What the claims call the baselines, with the rates to choose from. */
export type Grids = readonly Tuned[];

function powers([low, high]: Rates): number[] {
  return Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i));
}

/** Each baseline with the best of its rates, chosen anew for each mark. */
export async function raceBaselines(race: Race, grids: Grids, scale: Scale): Promise<Record<string, Marks>> {
  const { x, y } = race.problem;
  const { oracle } = losses.logistic(y);
  const best: Record<string, Marks> = {};
  for (const { name, method, schedule, full, near } of grids) {
    const chosen = scale === "full" ? full : near;
    const rates = method === "sls" ? chosen : powers(chosen);
    let marks: Marks = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const learningRate of rates) {
      const options: Partial<BaselineOptions> = { learningRate, ...(schedule && { schedule }) };
      const found = await marksOf(race, (shared) =>
        baselines[method](linearModel(x.shape[1]), { x }, oracle, { ...shared, ...options }),
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
      [0, 1].map((at) => average(runs.map((run) => run[name][at]))) as unknown as Marks,
    ]),
  );
}
