import { type Code, VectorTerms } from "./vector-terms.js";

/** Ascending coefficients of (asin(x) / x - 1) / x^2 in x^2 up to 1/4: Chebyshev fits, below the rounding of the type. */
const tails: Readonly<Record<"f64x2" | "f32x4", readonly number[]>> = {
  f64x2: [
    0.1666666666666665, 0.07500000000020764, 0.044642857103423646, 0.03038194736709848, 0.02237204763174451,
    0.017355259955786323, 0.013929652902326633, 0.011875494382636922, 0.0078029494773533175, 0.01603551434914882,
    -0.010749050339697808, 0.028169218060881414,
  ],
  f32x4: [0.16666666, 0.07500094, 0.044599403, 0.031100662, 0.017149238, 0.033690847],
};

/** pi / 2, and what its rounding lost. */
const halfPi: Readonly<Record<"f64x2" | "f32x4", readonly [high: number, low: number]>> = {
  f64x2: [1.5707963267948966, 6.123233995736766e-17],
  f32x4: [1.5707963705062866, -4.371139000186243e-8],
};

/**
 * asin and acos of vectors: up to 1/2 by the series of asin, beyond by asin(x) = pi / 2 - 2 asin(sqrt((1 - x) / 2)), whose
 * argument is exact but for its root.
 */
export class InverseSine extends VectorTerms {
  asin(operand: Code): void {
    const { x, far, y } = this.reduced(operand);
    const turned = this.float("sub", this.high(1), this.float("sub", this.float("add", y, y), this.low(1)));
    this.withSignOf(this.choose(far, turned, y), x)();
  }

  acos(operand: Code): void {
    const { x, far, y } = this.reduced(operand);
    const twice = this.once(this.float("add", y, y));
    const near = this.float("sub", this.high(1), this.float("sub", this.withSignOf(y, x), this.low(1)));
    const below = this.float("sub", this.high(2), this.float("sub", twice, this.low(2)));
    const beyond = this.choose(this.float("lt", x, this.number(0)), below, twice);
    this.choose(far, beyond, near)();
  }

  /** Whether |x| is above 1/2, and asin of |x|, or of sqrt((1 - |x|) / 2). */
  private reduced(operand: Code): { x: Code; far: Code; y: Code } {
    const x = this.once(operand);
    const size = this.once(this.abs(x));
    const far = this.once(this.float("gt", size, this.number(0.5)));
    const rest = this.float("mul", this.float("sub", this.number(1), size), this.number(0.5));
    const z = this.once(this.choose(far, rest, this.float("mul", x, x)));
    const t = this.once(this.choose(far, this.float("sqrt", z), size));
    const cubic = this.float("mul", this.float("mul", t, z), this.polynomial(tails[this.lanes], z));
    return { x, far, y: this.once(this.float("add", t, cubic)) };
  }

  private high(times: number): Code {
    return this.number(times * halfPi[this.lanes][0]);
  }

  private low(times: number): Code {
    return this.number(times * halfPi[this.lanes][1]);
  }
}
