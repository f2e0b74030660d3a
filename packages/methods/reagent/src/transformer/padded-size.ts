/** Tokens are padded to a multiple of this, so that a compiled function serves prompts of several lengths. */
const LENGTH_STEP = 4;

/**
 * Chooses the shapes that functions are compiled for: compiling takes longer than many runs, so a batch or a prompt
 * that is a little smaller than one that was seen is padded to it.
 */
export class PaddedSize {
  private readonly seen = new Map<number, Set<number>>();

  /** @param longest most tokens that the model takes */
  constructor(private readonly longest: number) {}

  /** Rows and tokens to run with; both at least what was given. */
  fit(rows: number, length: number): { rows: number; length: number } {
    const padded = Math.min(Math.ceil(length / LENGTH_STEP) * LENGTH_STEP, Math.max(this.longest, length));
    const known = this.seen.get(padded) ?? new Set<number>();
    this.seen.set(padded, known);
    let best = Infinity;
    for (const r of known) if (r >= rows && r <= Math.max(rows + 1, 1.5 * rows) && r < best) best = r;
    if (best === Infinity) {
      best = rows;
      known.add(rows);
    }
    return { rows: best, length: padded };
  }
}
