import { meanOf } from "@offprint/claims";
import { NonFiniteError } from "@offprint/tensor-core";
import { type Comparison, judged, type Settings, type Watched } from "./comparison.js";
import type { Method } from "./method.js";
import { tunings } from "./tunings.js";

/** Learning rates that are tried for every variant of every model, CGS and baselines alike. */
export const triedRates = [1e-3, 2e-3, 5e-3, 1e-2, 2e-2] as const;

/** Errors of a model's variant after training with each of the rates. */
export interface Tuning {
  /** The claim's name. */
  readonly claim: string;
  readonly model: string;
  readonly variant: string;
  /** `[rates]` mean square over the variance, averaged over draws that no claim judges; null where training diverged. */
  readonly errors: readonly (number | null)[];
}

/** Trains every variant of a model with every rate, on the same draws. */
export async function tune(
  context: Watched,
  method: Method,
  comparison: Comparison,
  model: string,
  draws: number,
): Promise<Tuning[]> {
  const { id, models, draw } = comparison;
  const keys = Array.from({ length: draws }, (_, i) => `tuning/${id}/${i}`);
  const data = keys.map((key) => draw(key, context.scale));
  const found: Tuning[] = [];
  for (const variant of Object.keys(models(method, context.scale)[model])) {
    const errors: (number | null)[] = [];
    for (const learningRate of triedRates) {
      try {
        const each: number[] = [];
        for (const [i, key] of keys.entries()) {
          const settings = { variant, learningRate };
          each.push((await judged(context, method, comparison, model, settings, data[i], key)).error);
        }
        errors.push(Number(meanOf(each).toPrecision(4)));
      } catch (error) {
        if (!(error instanceof NonFiniteError)) throw error;
        errors.push(null);
      }
    }
    found.push({ claim: id, model, variant, errors });
  }
  return found;
}

/**
 * The variant and the rate with the least error.
 * @throws Error where the table has none for the model
 */
export function best(table: readonly Tuning[], claim: string, model: string): Settings {
  let least = Number.POSITIVE_INFINITY;
  let chosen: Settings | undefined;
  for (const row of table) {
    if (row.claim !== claim || row.model !== model) continue;
    for (const [k, error] of row.errors.entries()) {
      if (error === null || error >= least) continue;
      least = error;
      chosen = { variant: row.variant, learningRate: triedRates[k] };
    }
  }
  if (chosen === undefined) throw new Error(`${claim}: ${model} is not tuned; run claims/tune.mjs`);
  return chosen;
}

/** Settings of a model: at the scale `quick` those that `tune.mjs` has found, else of a search of one draw, made here. */
export async function settingsOf(
  context: Watched,
  method: Method,
  comparison: Comparison,
  model: string,
): Promise<Settings> {
  const table = context.scale === "quick" ? tunings : await tune(context, method, comparison, model, 1);
  return best(table, comparison.id, model);
}
