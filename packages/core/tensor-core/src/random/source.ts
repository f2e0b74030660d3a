import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";
import { requireObject } from "../arguments.js";
import { log } from "./elementary.js";
import { mix, type State } from "./seeding.js";

const TWO_POW_32 = 4294967296;

/**
 * A stream of random words and the scalars closest to them. The words are those of xoroshiro128+, whose low bits
 * are linear over GF(2), passed through a bijective mixing that hides it.
 */
export class Source {
  private generator: JumpableRandomGenerator;

  constructor(state: State) {
    requireObject("Rng", "the state", state, "that of another, or take random.rng(seed)");
    this.generator = xoroshiro128plusFromState(state);
  }

  get state(): State {
    return this.generator.getState() as unknown as State;
  }

  set state(state: State) {
    this.generator = xoroshiro128plusFromState(state);
  }

  /** A signed 32-bit integer. */
  word(): number {
    return mix(this.generator.next());
  }

  /** Uniform on [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = this.word() >>> 5;
    const low = this.word() >>> 6;
    return (high * 67108864 + low) * 2 ** -53;
  }

  /** Uniform on the open interval (0, 1), symmetric about 1/2: an odd multiple of 2^-53. */
  openUniform(): number {
    const high = this.word() >>> 6;
    const low = this.word() >>> 6;
    return (high * 67108864 + low + 0.5) * 2 ** -52;
  }

  /** Exponential of rate 1. */
  exponential(): number {
    return -log(this.openUniform());
  }

  /**
   * Uniform on 0, ..., n - 1 without bias, 1 <= n <= 2^32: Lemire, "Fast random integer generation in an interval",
   * ACM Trans. Model. Comput. Simul. 29 (2019).
   */
  below(n: number): number {
    if (n === TWO_POW_32) return this.word() >>> 0;
    const nHigh = n >>> 16;
    const nLow = n & 0xffff;
    for (;;) {
      const x = this.word() >>> 0;
      // x n = upper 2^32 + lower, in halves since the product has up to 64 bits
      const partial = (x & 0xffff) * nLow;
      const middle = (x >>> 16) * nLow + (partial >>> 16);
      const cross = (x & 0xffff) * nHigh + (middle & 0xffff);
      const lower = (cross & 0xffff) * 65536 + (partial & 0xffff);
      if (lower >= n || lower >= (TWO_POW_32 - n) % n) return (x >>> 16) * nHigh + (middle >>> 16) + (cross >>> 16);
    }
  }
}
