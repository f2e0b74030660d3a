/**
 * @internal Two lines around each of many functions of one variable, `[batch, n]` row-major: `ls v + li <= f(v) <= us v + ui`
 * for v in its interval; and what the variable and the value are in size.
 */
export interface Lines {
  readonly us: Float64Array;
  readonly ui: Float64Array;
  readonly ls: Float64Array;
  readonly li: Float64Array;
  /** Largest |v|. */
  readonly argument: Float64Array;
  /** Values of f lie between these. */
  readonly lo: Float64Array;
  readonly hi: Float64Array;
}

/** @internal */
export function emptyLines(size: number): Lines {
  const zeros = () => new Float64Array(size);
  return { us: zeros(), ui: zeros(), ls: zeros(), li: zeros(), argument: zeros(), lo: zeros(), hi: zeros() };
}
