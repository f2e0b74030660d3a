import { type ClaimContext, memo } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import {
  type DesignMode,
  type DnaLandscape,
  dnaLandscape,
  judgeDesigns,
  loadExampleModel,
  ntkModel,
  type Pooling,
} from "../src/index.js";
import type { Method } from "./method.js";

/** Landscapes that the shipped models know. */
export const PROBLEMS = [0, 1, 2, 3] as const;

/** Rows of the tables of the claims that share runs. */
export const SHARED_ROWS = 2000;

/** How much is designed. */
export interface Size {
  /** Landscapes, of {@link PROBLEMS}. */
  readonly problems: number;
  /** Designs on each. */
  readonly designs: number;
  /** Steps of each. */
  readonly steps: number;
}

/** The size at a scale: the paper's 128 designs and 100 steps are `full`. */
export function sizeAt({ scale }: Pick<ClaimContext, "scale">, quick: Partial<Size> = {}): Size {
  return scale === "full"
    ? { problems: 4, designs: 128, steps: 100 }
    : { problems: 4, designs: 24, steps: 50, ...quick };
}

/** One landscape with the weights that decide it; drawn once. */
export const landscape = memo((_: ClaimContext, k: number): DnaLandscape => dnaLandscape({ seed: k }));

/** What a run is made on: "untrained" is the model of the same size that has read nothing, "ntk" no model at all. */
export interface Setting {
  /** Which landscape. */
  readonly k: number;
  /** Rows of the table. */
  readonly rows: number;
  /** Features of a sequence. */
  readonly pool: Pooling;
  /** Default `trained`. */
  readonly model?: "trained" | "untrained" | "ntk";
  /** Default 1e-6. */
  readonly ridge?: number;
}

const keyOf = ({ k, rows, pool, model = "trained", ridge = 1e-6 }: Setting) => [k, rows, pool, model, ridge];

/** The fit of a table; the same for all claims. */
export const fitted = memo(
  async (context: ClaimContext, method: Method, setting: Setting) => {
    const { k, rows, pool, model: kind = "trained", ridge = 1e-6 } = setting;
    const land = await landscape(context, k);
    const table = land.table(rows, random.rng(`${context.seed}/table/${k}/${rows}`));
    const model =
      kind === "ntk" ? ntkModel() : await loadExampleModel({ landscape: k, pool, untrained: kind === "untrained" });
    return { land, model, fit: method.fitTable(table, model, { ridge, seed: context.seed }) };
  },
  (method, setting) => [method.fitTable, ...keyOf(setting)],
);

/** Medians, for a mode or a fixed gamma, of the true scores of designs and of what they began with, over the designs of one run. */
export const designed = memo(
  async (
    context: ClaimContext,
    method: Method,
    setting: Setting,
    mode: DesignMode | number,
    { designs, steps }: Pick<Size, "designs" | "steps">,
  ) => {
    const { land, fit } = await fitted(context, method, setting);
    const { signal, seed } = context;
    const { sequences, starts } = await method.designWith(fit, {
      ...(typeof mode === "number" ? { mode: "bdi", balance: mode } : { mode }),
      steps,
      starts: designs,
      seed,
      signal,
    });
    // Scores of landscapes go from 0 to 1.
    const middle = (designs: readonly string[]) => judgeDesigns(designs, land.score, [0, 1]).median;
    return { median: middle(sequences), start: middle(starts) };
  },
  (method, setting, mode, { designs, steps }) => [method.designWith, ...keyOf(setting), mode, designs, steps],
);

/** The mean of values. */
export function average(values: ArrayLike<number>): number {
  return Array.from(values).reduce((a, b) => a + b, 0) / values.length;
}
