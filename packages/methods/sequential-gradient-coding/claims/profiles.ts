import { type ClaimContext, memo } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import { drawDelays, gilbertElliott, type SchemeTime, type SelectableKind, type Simulation } from "../src/index.js";
import type { Method } from "./method.js";

/** Delays of slow bursts, as the sheet of the experiment has them. */
export function profile(seed: string, workers: number, rounds: number, slowing: number): number[][] {
  const rng = random.rng(seed);
  return drawDelays(rng, gilbertElliott(rng, { workers, rounds, slowing, recovery: 0.8 }));
}

/** A matrix of delays on which every scheme was run with the parameters that another one had chosen. */
export interface Evaluation {
  readonly choices: readonly SchemeTime[];
  readonly total: Readonly<Record<SelectableKind, number>>;
  /** Totals on this and two further matrices: waiting for few, and for all. */
  readonly waitingForFew: Readonly<Record<SelectableKind, number>>;
  readonly waitingForAll: Readonly<Record<SelectableKind, number>>;
  readonly run: Readonly<Record<SelectableKind, Simulation>>;
}

const workers = 64;
const jobs = 100;
/** Time of a full gradient. */
const alpha = 16;

async function evaluations(context: ClaimContext, method: Method): Promise<Evaluation[]> {
  const { seed, scale } = context;
  const found: Evaluation[] = [];
  for (let k = 0; k < 3; k++) {
    const chosenOn = profile(`${seed}/chosen on ${k}`, workers, 112, 0.02);
    const delays = profile(`${seed}/evaluated on ${k}`, workers, 112, 0.02);
    const further = [1, 2].map((more) => profile(`${seed}/evaluated on ${k}, ${more}`, workers, 112, 0.02));
    const maxLambda = scale === "full" ? 24 : 12;
    const { choices } = await method.selectParameters(chosenOn, { jobs, alpha, maxBurst: 2, maxWindow: 7, maxLambda });
    const entries = choices.map((choice) => {
      const scheme = method.makeScheme(workers, choice);
      const run = method.simulate(scheme, delays, { jobs, alpha });
      let [few, all] = [0, 0];
      for (const matrix of [delays, ...further]) {
        few += method.simulate(scheme, matrix, { jobs, alpha }).total;
        all += method.simulate(scheme, matrix, { jobs, alpha, waitOut: "all" }).total;
      }
      return [choice.kind, { run, few, all }] as const;
    });
    const of = <T>(pick: (each: (typeof entries)[number][1]) => T) =>
      Object.fromEntries(entries.map(([kind, each]) => [kind, pick(each)])) as Record<SelectableKind, T>;
    found.push({
      choices,
      total: of(({ run }) => run.total),
      waitingForFew: of(({ few }) => few),
      waitingForAll: of(({ all }) => all),
      run: of(({ run }) => run),
    });
    await context.onProgress((k + 1) / 3);
  }
  return found;
}

/** Runs of 64 workers and 100 jobs on three matrices of delays. */
export const chosenSchemes = memo(evaluations);
