import { requireObject } from "@offprint/tensor-core";
/** How often each derivative was evaluated, on one batch each. */
export interface OracleCounts {
  /** Gradients of `upper` in x. */
  readonly gradXF: number;
  /** Gradients of `upper` in y. */
  readonly gradYF: number;
  /** Gradients of `upper` in both, in one pass. */
  readonly gradsF: number;
  /** Gradients of `lower` in x. */
  readonly gradXG: number;
  /** Gradients of `lower` in y. */
  readonly gradYG: number;
  /** Products with the second derivatives of `lower` in y. */
  readonly hvpYY: number;
  /** Products with the mixed second derivatives of `lower`. */
  readonly mixedXY: number;
  /** Both products, in one pass. */
  readonly productsG: number;
}

/** The derivatives that are counted. */
export type OracleName = keyof OracleCounts;

const names: readonly OracleName[] = [
  ...(["gradXF", "gradYF", "gradsF", "gradXG", "gradYG", "hvpYY", "mixedXY", "productsG"] as const),
];

/** Nothing was evaluated. */
export function noCounts(): OracleCounts {
  return { gradXF: 0, gradYF: 0, gradsF: 0, gradXG: 0, gradYG: 0, hvpYY: 0, mixedXY: 0, productsG: 0 };
}

/** The sum of counts, `b` taken `times` times. */
export function addCounts(a: OracleCounts, b: OracleCounts, times = 1): OracleCounts {
  requireObject("addCounts", "a", a, "OracleCounts");
  requireObject("addCounts", "b", b, "OracleCounts");
  const sum: Record<OracleName, number> = { ...a };
  for (const name of names) sum[name] += times * b[name];
  return sum;
}

/** Counts what is called while it runs. */
export class OracleCounter {
  private tally = noCounts();

  /** One more evaluation. */
  count(name: OracleName): void {
    this.tally = { ...this.tally, [name]: this.tally[name] + 1 };
  }

  /** Begins again at nothing. */
  reset(): void {
    this.tally = noCounts();
  }

  /** The evaluations so far. */
  get counts(): OracleCounts {
    return this.tally;
  }
}
