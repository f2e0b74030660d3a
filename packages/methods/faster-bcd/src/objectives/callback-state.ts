import { isTensor, NonFiniteError, ShapeError, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "../block-objective.js";
import { keptNumber, keptVectorOrNone } from "../memory.js";
import type { SmoothMemory, SmoothState } from "../smooth-state.js";

/** An objective that is given by callbacks only: every step calls them anew. */
export class CallbackState implements SmoothState {
  value: number;
  readonly blockHessian?: (block: Int32Array) => Float64Array;
  #gradient: Float64Array | undefined;
  readonly #trial: Float64Array;
  #block: Int32Array = new Int32Array(0);
  #d: Float64Array = new Float64Array(0);
  /** The value at the last trial, and its step. */
  #tried: { alpha: number; value: number } | undefined;

  constructor(
    private readonly objective: BlockObjective,
    readonly x: Float64Array,
    memory?: SmoothMemory,
  ) {
    this.#trial = x.slice();
    this.value = memory ? keptNumber(memory, "value") : this.#valueAt(x);
    if (memory) this.#gradient = keptVectorOrNone(memory, "gradient", x.length);
    const { blockHessian } = objective;
    if (blockHessian) {
      this.blockHessian = (block) =>
        numbersFrom("blockHessian", blockHessian.call(objective, x, block), block.length ** 2);
    }
  }

  save(): SmoothMemory {
    return { value: this.value, gradient: this.#gradient?.slice() ?? null };
  }

  refresh(): void {
    this.value = this.#valueAt(this.x);
    this.#gradient = undefined;
  }

  #valueAt(x: Float64Array): number {
    const value = this.objective.value(x);
    if (typeof value !== "number")
      throw new ValueError(`the objective's value gave ${nameOf(value)}; it must give a number`);
    if (Number.isNaN(value))
      throw new NonFiniteError("the objective's value is NaN; it must be a number (Infinity outside its domain)");
    return value;
  }

  gradient(): Float64Array {
    this.#gradient ??= numbersFrom("gradient", this.objective.gradient(this.x), this.x.length);
    return this.#gradient;
  }

  blockGradient(block: Int32Array, out: Float64Array): void {
    if (this.#gradient === undefined && this.objective.blockGradient) {
      out.set(numbersFrom("blockGradient", this.objective.blockGradient(this.x, block), block.length));
      return;
    }
    const all = this.gradient();
    for (let k = 0; k < block.length; k++) out[k] = all[block[k]];
  }

  aim(block: Int32Array, d: Float64Array): void {
    this.#block = block;
    this.#d = d;
    this.#tried = undefined;
  }

  change(alpha: number): number {
    if (this.#tried?.alpha !== alpha) {
      this.#trial.set(this.x);
      for (let k = 0; k < this.#block.length; k++) this.#trial[this.#block[k]] += alpha * this.#d[k];
      this.#tried = { alpha, value: this.#valueAt(this.#trial) };
    }
    return this.#tried.value - this.value;
  }

  commit(alpha: number): void {
    this.change(alpha);
    for (let k = 0; k < this.#block.length; k++) this.x[this.#block[k]] += alpha * this.#d[k];
    this.value = (this.#tried as { value: number }).value;
    this.#gradient = undefined;
    this.#tried = undefined;
  }
}

/** What is neither a number nor an array. */
function nameOf(given: unknown): string {
  if (isTensor(given)) return "a tensor";
  return given instanceof Promise ? "a promise" : typeof given === "object" ? "an object" : String(given);
}

/** @internal What a callback gave, checked. */
export function numbersFrom(name: string, given: ArrayLike<number>, length: number): Float64Array {
  if (given?.length !== length) {
    const found = given?.length === undefined ? nameOf(given) : `${given.length} numbers`;
    throw new ShapeError(`the objective's ${name} gave ${found}; it must give an array of ${length}`);
  }
  const values = given instanceof Float64Array ? given : Float64Array.from(given);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new NonFiniteError(
        `the objective's ${name} holds ${values[i]} at position ${i}; it must be finite where the solver goes`,
      );
    }
  }
  return values;
}
