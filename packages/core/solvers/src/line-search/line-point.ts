/** A point on a line of search: `step` along the direction, the value there and its derivative by the step. */
export interface LinePoint {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

/** Value and derivative at step 0; the derivative must be negative. */
export interface LineStart {
  readonly value: number;
  readonly slope: number;
}
