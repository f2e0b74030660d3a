/** A point on a line of search: `step` along the direction, the value there and its derivative by the step. */
export interface LinePoint {
  /** Length of the step. */
  readonly step: number;
  /** The function there. */
  readonly value: number;
  /** Its derivative by the step. */
  readonly slope: number;
}

/** Value and derivative at step 0; the derivative must be negative. */
export interface LineStart {
  /** The function there. */
  readonly value: number;
  /** Its derivative by the step. */
  readonly slope: number;
}
