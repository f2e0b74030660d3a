/** Tokens are padded to a multiple of this, so that a compiled function serves prompts of several lengths. */
const LENGTH_STEP = 4;
/** A batch or a prompt is padded to what was seen before, up to this factor. */
const [ROW_SLACK, LENGTH_SLACK] = [1.5, 1.15];

/** Extents of a batch of prompts. */
interface Extents {
  /** Prompts. */
  readonly rows: number;
  /** Tokens of the longest. */
  readonly length: number;
}

/**
 * Chooses the shapes that functions are compiled for: compiling takes longer than many runs, so a batch that is a little
 * smaller than one that was seen is padded to it.
 */
export class PaddedSize {
  private readonly seen: Extents[] = [];

  /** @param longest most tokens that the model takes */
  constructor(private readonly longest: number) {}

  /** Rows and tokens to run with; both at least what was given. */
  fit(rows: number, length: number): Extents {
    const mostRows = Math.max(rows + 1, ROW_SLACK * rows);
    const mostTokens = LENGTH_SLACK * length;
    const fits = (s: Extents): boolean =>
      s.rows >= rows && s.rows <= mostRows && s.length >= length && s.length <= mostTokens;
    const work = (s: Extents): number => s.rows * s.length;
    let best: Extents | undefined;
    for (const s of this.seen) if (fits(s) && (best === undefined || work(s) < work(best))) best = s;
    if (best !== undefined) return best;
    const padded = Math.ceil(length / LENGTH_STEP) * LENGTH_STEP;
    const next = { rows, length: Math.max(length, Math.min(padded, this.longest)) };
    this.seen.push(next);
    return next;
  }
}
