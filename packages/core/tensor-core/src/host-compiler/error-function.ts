import { errorFunctionNumbers } from "./error-function-coefficients.js";
import { VectorMath } from "./vector-math.js";
import type { Code } from "./vector-terms.js";

/** The error function of vectors, and what it lacks of 1. */
export class ErrorFunction extends VectorMath {
  /** Up to 1 a series, beyond it 1 less the tail, which is left out where all elements are small. */
  erf(operand: Code): void {
    const { w, lanes } = this;
    const x = this.once(operand);
    const size = this.once(this.abs(x));
    const { head } = errorFunctionNumbers[lanes];
    const square = this.once(this.float("mul", x, x));
    this.float("mul", x, this.polynomial(head, square))();
    const y = w.keep("v128");
    const near = () => w.get(y);
    const far = this.once(this.float("gt", size, this.number(1)));
    far();
    w.op("v128.any_true");
    w.if(() => {
      const beyond = this.withSignOf(this.float("sub", this.number(1), this.tail(size)), x);
      this.choose(far, beyond, near)();
      w.set(y);
    });
    near();
  }

  /** The tail, or 2 less that where x is negative. */
  erfc(operand: Code): void {
    const x = this.once(operand);
    const tail = this.once(this.tail(this.once(this.abs(x))));
    const negative = this.float("lt", x, this.number(0));
    this.choose(negative, this.float("sub", this.number(2), tail), tail)();
  }

  /**
   * erfc(a) = e^(-a^2) tail(t) / (a + middle), a at least 0. The first digits of a have an exact square; what the others
   * add to it, (a - first) (a + first), is taken from the small rest of the exponent, where none of it is lost.
   */
  private tail(size: Code): Code {
    const { middle, tail, vanishes } = errorFunctionNumbers[this.lanes];
    const beyond = this.once(this.float("gt", size, this.number(vanishes)));
    const a = this.once(this.bitwise("andnot", size, beyond));
    const low = this.bits(2n ** BigInt((this.n.mantissaBits + 2) >> 1) - 1n);
    const first = this.once(this.bitwise("andnot", a, low));
    const { n, shifted } = this.nearest(this.float("mul", a, a), -Math.LOG2E);
    const whole = this.reduced(this.float("neg", this.float("mul", first, first)), n);
    const others = this.float("mul", this.float("sub", a, first), this.float("add", a, first));
    const e = this.float("add", this.number(1), this.smallExpm1(this.float("sub", whole, others)));
    const sum = this.once(this.float("add", a, this.number(middle)));
    const t = this.once(this.float("div", this.float("sub", a, this.number(middle)), sum));
    const factor = this.float("div", this.polynomial(tail, t), sum);
    const product = this.timesSmallPower(this.float("mul", e, factor), shifted);
    return this.bitwise("andnot", product, beyond);
  }
}
