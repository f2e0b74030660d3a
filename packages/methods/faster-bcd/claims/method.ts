import { type BcdOptions, type BcdProblem, type BcdResult, bcd } from "../src/index.js";

/** What a claim is about; tests put a baseline or a broken variant in its place. */
export type Method = (problem: BcdProblem, options: BcdOptions) => Promise<BcdResult>;

/** The solver itself. */
export const published: Method = bcd;

/** Curves of F - F* over the iterations of some runs. */
export function gapCurves(runs: readonly { name: string; result: BcdResult; fStar: number }[]) {
  return runs.map(({ name, result, fStar }) => ({
    name,
    x: result.history.map(({ iteration }) => iteration),
    y: result.history.map(({ objective }) => objective - fStar),
  }));
}
