/** Tokens are padded to a multiple of this, so that a compiled function serves prompts of several lengths. */
const LENGTH_STEP = 4;
/** Padding costs as much as compiling a function once it has computed about this many tokens. */
const COMPILING = 20_000;

/** Extents of a batch of prompts. */
interface Extents {
  /** Prompts. */
  readonly rows: number;
  /** Tokens of the longest. */
  readonly length: number;
}

/**
 * Chooses the shapes that functions are compiled for. Compiling takes as long as many runs, so a batch is padded to a
 * shape that was compiled before, until all the padding has cost as much as compiling.
 */
export class PaddedSize {
  private readonly compiled: Extents[] = [];
  private wasted = 0;

  /** @param longest most tokens that the model takes */
  constructor(private readonly longest: number) {}

  /** Rows and tokens to run with; both at least what was given. */
  fit(rows: number, length: number): Extents {
    const padded = Math.min(Math.ceil(length / LENGTH_STEP) * LENGTH_STEP, this.longest);
    const own: Extents = { rows, length: Math.max(length, padded) };
    const work = (s: Extents): number => s.rows * s.length;
    let best: Extents | undefined;
    for (const s of this.compiled) {
      if (s.rows >= rows && s.length >= length && (best === undefined || work(s) < work(best))) best = s;
    }
    if (best !== undefined) {
      this.wasted += Math.max(0, work(best) - work(own));
      if (this.wasted <= COMPILING) return best;
      this.wasted = 0;
    }
    this.compiled.push(own);
    return own;
  }
}
