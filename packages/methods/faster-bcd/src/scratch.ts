/** Numbers that stay for the next call. */
const KEPT = 1e6;

/**
 * An array for intermediate results, the same at each call where it is large enough: new large arrays cost page faults and
 * garbage collection, up to a sixth of a lasso's time. It holds anything, and serves until the next call.
 */
export class Scratch {
  #values = new Float64Array(0);

  /** `[length]`. */
  take(length: number): Float64Array {
    if (length > KEPT) return new Float64Array(length);
    if (this.#values.length < length) this.#values = new Float64Array(Math.min(KEPT, 2 * length));
    return this.#values.subarray(0, length);
  }
}
