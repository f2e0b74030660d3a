import { FormatError } from "../errors.js";
import { requireInteger } from "../option-checks.js";
import { DiscreteDraws } from "./discrete-draws.js";
import { hashWords, type State, stateOfSeed, textWords } from "./seeding.js";

/** A generator as plain data, for files and checkpoints. */
export interface RngState {
  /** The algorithm. */
  readonly generator: "xoroshiro128+";
  /** Of this description. */
  readonly version: 1;
  /** Four signed 32-bit words. */
  readonly state: readonly number[];
}

/**
 * A seeded stream of random numbers, equal on every platform, engine and release with the same major version. Every
 * method advances the stream. Make one with `rng(seed)`; give parts of a program their own with `split` or `fork`.
 * Samples are host tensors: inside a traced function they become constants, so pass them in as arguments instead.
 */
export class Rng extends DiscreteDraws {
  /** `n` generators with unrelated streams; advances this one. */
  split(n: number): Rng[] {
    requireInteger("split", "n", n, 0, 2147483647);
    const key = [0x73706c74, this.source.word(), this.source.word(), this.source.word(), this.source.word(), 0];
    return Array.from({ length: n }, (_, i) => {
      key[5] = i;
      return new Rng(hashWords(key));
    });
  }

  /**
   * A generator that depends on the label and on where this one stands, without advancing it: parts of a program
   * that take their randomness by name don't disturb each other when one is added.
   */
  fork(label: string | number): Rng {
    return new Rng(hashWords([0x666f726b, ...this.source.state, ...stateOfSeed(label), ...textWords(typeof label)]));
  }

  /** A generator that will give the same numbers as this one from here on. */
  clone(): Rng {
    return new Rng(this.source.state);
  }

  /** The generator as plain data; `Rng.fromJSON` continues bit for bit. */
  toJSON(): RngState {
    return { generator: "xoroshiro128+", version: 1, state: [...this.source.state] };
  }

  /**
   * The generator that `toJSON` described.
   * @throws FormatError for anything else.
   */
  static fromJSON(json: unknown): Rng {
    const { generator, version, state } = (json ?? {}) as Partial<RngState>;
    const valid =
      generator === "xoroshiro128+" &&
      version === 1 &&
      Array.isArray(state) &&
      state.length === 4 &&
      state.every((word) => Number.isInteger(word) && word === (word | 0)) &&
      state.some((word) => word !== 0);
    if (!valid) {
      throw new FormatError("Rng.fromJSON: this is not the state of a generator; give what toJSON returned, unchanged");
    }
    return new Rng(state as unknown as State);
  }
}

/**
 * A generator for a seed: any finite number or any text.
 * @throws ValueError for NaN or an infinite seed.
 * @example rng(42).normal([2, 3], { std: 0.1 })
 */
export function rng(seed: number | string): Rng {
  return new Rng(stateOfSeed(seed));
}
