import { NonFiniteError, ValueError } from "@offprint/tensor-core";

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

/** @internal @throws NonFiniteError, ValueError unless the function is finite at 0 and falls from there. */
export function requireDescent(owner: string, { value, slope }: LineStart): void {
  if (!(slope < 0)) {
    throw new ValueError(`${owner}: the slope at 0 is ${slope}; give a direction in which the function falls`);
  }
  if (!Number.isFinite(value) || !Number.isFinite(slope)) {
    throw new NonFiniteError(
      `${owner}: at 0 the function is ${value} and its slope ${slope}; begin where both are finite`,
    );
  }
}
