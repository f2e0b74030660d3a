/*
 * The vector functions of assembly/exponential.ts and assembly/logarithm.ts, written inside compiled loops. See there
 * for where the formulas come from; the coefficients are those of assembly/coefficients.ts.
 */
import type { FunctionWriter } from "./function-writer.js";
import { type Code, VectorTerms } from "./vector-terms.js";

interface Numbers {
  readonly mantissaBits: number;
  readonly bias: bigint;
  /** Adding it rounds to an integer, which is left in the low bits. */
  readonly rounder: number;
  readonly rounderBits: bigint;
  readonly ln2: readonly [high: number, low: number];
  readonly exp: readonly number[];
  readonly log: readonly number[];
  /** Up to here the result of exp is a normal number. */
  readonly expNormal: number;
  readonly expHighest: number;
  readonly expLowest: number;
  /** f coth(f ln 2 / 2) in f^2, for |f| up to 1/2; from test/fixtures/make_hyperbolic_cotangent.py. */
  readonly coth: readonly number[];
  readonly minNormal: number;
  readonly liftExponent: number;
  readonly mantissa: bigint;
  readonly rootHalf: bigint;
  readonly aboveRootHalf: bigint;
  readonly integerExponent: bigint;
  /** pi / 2 in three parts, so that the first products with whole numbers up to `trigLimit` pi / 2 are exact. */
  readonly halfPi: readonly [high: number, middle: number, low: number];
  readonly sin: readonly number[];
  readonly cos: readonly number[];
  /** Up to here sin and cos are computed in vectors. */
  readonly trigLimit: number;
}

const numbers: Readonly<Record<"f64x2" | "f32x4", Numbers>> = {
  f64x2: {
    mantissaBits: 52,
    bias: 1023n,
    rounder: 6755399441055744,
    rounderBits: 0x4338000000000000n,
    ln2: [0.6931471805592082, 7.371002565167799e-13],
    exp: [
      0.5000000000000001, 0.16666666666666669, 0.041666666666624066, 0.008333333333330056, 0.0013888888917245787,
      0.0001984126986307828, 2.4801521246131495e-5, 2.7557268421682613e-6, 2.7620112139572367e-7, 2.510040371657669e-8,
    ],
    log: [
      0.666666666666667, 0.3999999999989924, 0.2857142862609589, 0.2222221111514416, 0.18182890556695602,
      0.1533167403016786, 0.1461703754879165,
    ],
    expNormal: 708,
    expHighest: 710,
    expLowest: -746,
    coth: [
      2.8853900817779268, 0.11552453009332359, -0.0009250684777171969, 1.058218849598565e-5, -1.2710218573971208e-7,
      1.528143212846976e-9,
    ],
    minNormal: 2 ** -1022,
    liftExponent: -54,
    mantissa: 0x000fffffffffffffn,
    rootHalf: 0x3fe6a09e00000000n,
    aboveRootHalf: 0x00095f6200000000n,
    integerExponent: 0x4330000000000000n,
    halfPi: [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21],
    sin: [
      -0.16666666666666666, 0.008333333333330946, -0.000198412698367542, 2.7557316100283695e-6, -2.5051131372218632e-8,
      1.5918095236696272e-10,
    ],
    cos: [
      0.041666666666666664, -0.0013888888888887395, 2.480158729876295e-5, -2.755731727031051e-7, 2.087614597263508e-9,
      -1.1382611119025631e-11,
    ],
    trigLimit: 1048576,
  },
  f32x4: {
    mantissaBits: 23,
    bias: 127n,
    rounder: 12582912,
    rounderBits: 0x4b400000n,
    ln2: [0.69311523, 3.1946183e-5],
    exp: [0.5, 0.16666576, 0.041666556, 0.00836319, 0.0013926198],
    log: [0.66666687, 0.3998877, 0.295804],
    expNormal: 87,
    expHighest: 89,
    expLowest: -104,
    coth: [2.88539, 0.11552416, -0.00092111196],
    minNormal: 2 ** -126,
    liftExponent: -25,
    mantissa: 0x007fffffn,
    rootHalf: 0x3f3504f3n,
    aboveRootHalf: 0x004afb0dn,
    integerExponent: 0x4b000000n,
    halfPi: [1.5703125, 0.0004837513, 7.54979e-8],
    sin: [-0.16666664, 0.008332748, -0.0001958783],
    cos: [0.041666664, -0.0013888302, 2.454788e-5],
    trigLimit: 4096,
  },
};

/** Writes functions of vectors of one element type; each method leaves its result on the stack. */
export class VectorMath extends VectorTerms {
  protected readonly n: Numbers;

  constructor(w: FunctionWriter, lanes: "f64x2" | "f32x4") {
    super(w, lanes);
    this.n = numbers[lanes];
  }

  /** x times a factor, rounded; and the same + the rounder. */
  protected nearest(x: Code, factor = Math.LOG2E): { readonly n: Code; readonly shifted: Code } {
    const rounder = this.number(this.n.rounder);
    const shifted = this.once(this.float("add", this.float("mul", x, this.number(factor)), rounder));
    return { n: this.once(this.float("sub", shifted, rounder)), shifted };
  }

  /** x - n ln 2. */
  protected reduced(x: Code, n: Code): Code {
    const [high, low] = this.n.ln2;
    const first = this.float("sub", x, this.float("mul", n, this.number(high)));
    return this.float("sub", first, this.float("mul", n, this.number(low)));
  }

  /** e^r - 1 for |r| up to ln 2 / 2, a little more at most. */
  protected smallExpm1(operand: Code): Code {
    const r = this.once(operand);
    const tail = this.polynomial(this.n.exp, r);
    return this.float("add", r, this.float("mul", this.float("mul", r, r), tail));
  }

  /** e^r - 1 for r = x - n ln 2. */
  private reducedExpm1(x: Code, n: Code): Code {
    return this.smallExpm1(this.reduced(x, n));
  }

  /** 2^n from n + the rounder. */
  private power(shifted: Code): Code {
    return this.shifted("shl", this.integer("add", shifted, this.bits(this.n.bias)), this.n.mantissaBits);
  }

  /**
   * e^x over the whole range: the power of two is applied in two halves, so that subnormal results round once. Where the
   * result is 0 it is put there: a product that rounds to 0 takes the processor a hundred times as long as another.
   */
  exp(x: Code): void {
    this.expOf(this.once(x))();
  }

  private expOf(x: Code): Code {
    const { bias, rounderBits, expHighest, expLowest, mantissaBits } = this.n;
    const vanishes = this.once(this.float("lt", x, this.number(expLowest)));
    const upper = this.float("pmin", x, this.number(expHighest));
    const clamped = this.once(this.bitwise("andnot", upper, vanishes));
    const { n, shifted } = this.nearest(clamped);
    const y = this.once(this.float("add", this.number(1), this.reducedExpm1(clamped, n)));
    // n and both biases are the exponents of the halves together.
    const both = this.once(this.integer("sub", shifted, this.bits(rounderBits - 2n * bias)));
    const half = this.once(this.shifted("shr_u", both, 1));
    const powers = [half, this.integer("sub", both, half)].map((e) => this.shifted("shl", e, mantissaBits));
    const product = this.float("mul", this.float("mul", y, powers[0]), powers[1]);
    return this.bitwise("andnot", product, vanishes);
  }

  /** e^x - 1 as twice its half, whose power of two is finite wherever the result is; near 0 it is x. */
  expm1(operand: Code): void {
    const { bias, expHighest, expNormal, mantissaBits } = this.n;
    const x = this.once(operand);
    const below = this.float("pmin", x, this.number(expHighest));
    const inside = this.once(this.float("pmax", below, this.number(-expNormal)));
    const { n, shifted } = this.nearest(inside);
    const y = this.reducedExpm1(inside, n);
    const half = this.once(this.shifted("shl", this.integer("add", shifted, this.bits(bias - 1n)), mantissaBits));
    const rest = this.float("mul", half, y);
    const sum = this.once(this.float("add", this.float("sub", half, this.number(0.5)), rest));
    const tiny = this.float("lt", this.abs(x), this.number(2 ** -60));
    this.choose(tiny, x, this.float("add", sum, sum))();
  }

  /** (e^2x - 1) / (e^2x + 1) on |x|; from 22 on it is 1. */
  tanh(operand: Code): void {
    const x = this.once(operand);
    const twice = this.once(this.float("pmin", this.abs(this.float("add", x, x)), this.number(44)));
    const { n, shifted } = this.nearest(twice);
    const y = this.reducedExpm1(twice, n);
    const scale = this.once(this.power(shifted));
    const rest = this.float("mul", scale, y);
    const e = this.once(this.float("add", this.float("sub", scale, this.number(1)), rest));
    this.withSignOf(this.float("div", e, this.float("add", e, this.number(2))), x)();
  }

  /** e^x for x at most 0. */
  private expOfNegative(x: Code): Code {
    const clamped = this.once(this.float("pmax", x, this.number(this.n.expLowest)));
    const { n, shifted } = this.nearest(clamped);
    return this.timesSmallPower(this.float("add", this.number(1), this.reducedExpm1(clamped, n)), shifted);
  }

  /** y 2^n from n + the rounder, for n at most 0: one product rounds the result where it is subnormal. */
  protected timesSmallPower(y: Code, shifted: Code): Code {
    const { bias, liftExponent, mantissaBits } = this.n;
    const lifted = this.integer("add", shifted, this.bits(bias - BigInt(liftExponent)));
    const product = this.float("mul", y, this.shifted("shl", lifted, mantissaBits));
    return this.float("mul", product, this.number(2 ** liftExponent));
  }

  /**
   * 1 / (1 + e^-x) for x at least 0. Of e^-x = 2^n 2^f the second power is (q + f) / (q - f) with q = f coth(f ln 2 / 2),
   * which is even in f: half as many terms as 2^f has, and one division for both. Beside the 1 the rounding of x log2 e,
   * at most x half-units of the power, is below a quarter of a half-unit, so that no second product is needed.
   */
  sigmoidOfPositive(operand: Code): void {
    const { bias, coth, expNormal, mantissaBits } = this.n;
    // With the bias of exponents in it, so that one shift makes the power.
    const rounder = this.n.rounder + Number(bias);
    const inside = this.float("pmin", operand, this.number(expNormal));
    const t = this.once(this.float("mul", inside, this.number(-Math.LOG2E)));
    const shifted = this.once(this.float("add", t, this.number(rounder)));
    const f = this.once(this.float("sub", t, this.float("sub", shifted, this.number(rounder))));
    const q = this.once(this.polynomial(coth, this.once(this.float("mul", f, f))));
    const below = this.once(this.float("sub", q, f));
    const power = this.shifted("shl", shifted, mantissaBits);
    const above = this.float("mul", power, this.float("add", q, f));
    this.float("div", below, this.float("add", below, above))();
  }

  /** 1 / (1 + e^-x) from e^-|x|, so that neither side overflows or cancels. */
  sigmoid(operand: Code): void {
    const x = this.once(operand);
    const e = this.once(this.expOfNegative(this.bitwise("or", x, this.number(-0))));
    const top = this.choose(this.float("ge", x, this.number(0)), this.number(1), e);
    this.float("div", top, this.float("add", this.number(1), e))();
  }

  /** ln(1 + e^x), as what is above 0 of x and ln(1 + e^-|x|). */
  softplus(operand: Code): void {
    const x = this.once(operand);
    this.float("add", this.float("pmax", x, this.number(0)), this.logOfOneAndExp(x))();
  }

  /** ln(e^a + e^b); equal infinities have the difference 0. */
  logAddExp(first: Code, second: Code): void {
    const [a, b] = [this.once(first), this.once(second)];
    const apart = this.once(this.bitwise("andnot", this.float("sub", a, b), this.float("eq", a, b)));
    this.float("add", this.float("max", a, b), this.logOfOneAndExp(apart))();
  }

  /** ln(1 + e) for e = e^-|x|: where e is large, ln 2 + ln(1 + (e - 1) / 2), so that nothing is lost beside the 1. */
  private logOfOneAndExp(x: Code): Code {
    const e = this.once(this.expOfNegative(this.bitwise("or", x, this.number(-0))));
    const large = this.once(this.float("gt", e, this.number(Math.SQRT2 - 1)));
    const half = this.float("mul", this.float("sub", e, this.number(1)), this.number(0.5));
    return this.logNearOne(
      this.once(this.choose(large, half, e)),
      this.once(this.bitwise("and", large, this.number(1))),
    );
  }

  /** Which elements are too large for `sine`, as a mask. */
  largeSine(x: Code): void {
    this.float("gt", this.abs(x), this.number(this.n.trigLimit))();
  }

  /** sin x, or cos x as sin(x + pi / 2), where |x| is at most `trigLimit`. */
  sine(operand: Code, cosine: boolean): void {
    const { halfPi, sin, cos } = this.n;
    const x = this.once(operand);
    const { n, shifted } = this.nearest(x, 2 / Math.PI);
    let reduced = x;
    for (const part of halfPi) reduced = this.float("sub", reduced, this.float("mul", n, this.number(part)));
    const r = this.once(reduced);
    const z = this.once(this.float("mul", r, r));
    const cubic = this.float("mul", this.float("mul", r, z), this.polynomial(sin, z));
    const s = this.once(this.float("add", r, cubic));
    const half = this.once(this.float("mul", this.number(0.5), z));
    const whole = this.once(this.float("sub", this.number(1), half));
    const lost = this.float("sub", this.float("sub", this.number(1), whole), half);
    const quartic = this.float("mul", this.float("mul", z, z), this.polynomial(cos, z));
    const c = this.once(this.float("add", whole, this.float("add", lost, quartic)));
    // Every other quarter turn is a cosine; of every four the last two have the other sign.
    const turns = this.once(cosine ? this.integer("add", shifted, this.whole(1)) : shifted);
    const even = this.integer("eq", this.bitwise("and", turns, this.whole(1)), this.whole(0));
    const signs = this.shifted("shl", this.bitwise("and", turns, this.whole(2)), this.lanes === "f64x2" ? 62 : 30);
    const y = this.bitwise("xor", this.choose(even, s, c), signs);
    // sin(-0) = -0
    if (cosine) y();
    else this.choose(this.float("eq", x, this.number(0)), x, y)();
  }

  /** A small whole number in every lane. */
  private whole(value: number): Code {
    return this.bits(BigInt(value));
  }

  /** ln x over the whole range. */
  log(x: Code): void {
    this.logOf(this.once(x))();
  }

  private logOf(x: Code): Code {
    const { minNormal, liftExponent } = this.n;
    const tiny = this.once(this.float("lt", x, this.number(minNormal)));
    const lifted = this.choose(tiny, this.float("mul", x, this.number(2 ** -liftExponent)), x);
    const y = this.once(this.logNormal(lifted, this.bitwise("and", tiny, this.number(liftExponent))));
    const infinite = this.number(Number.POSITIVE_INFINITY);
    const positive = this.once(this.float("gt", x, this.number(0)));
    const finite = this.bitwise("and", positive, this.float("lt", x, infinite));
    const zero = this.float("eq", x, this.number(0));
    const atMostZero = this.choose(zero, this.number(Number.NEGATIVE_INFINITY), this.number(Number.NaN));
    return this.choose(finite, y, this.choose(positive, x, atMostZero));
  }

  private logNormal(x: Code, extra: Code): Code {
    const { aboveRootHalf, bias, integerExponent, mantissa, rootHalf, mantissaBits } = this.n;
    const moved = this.once(this.integer("add", x, this.bits(aboveRootHalf)));
    const biased = this.bitwise("or", this.shifted("shr_u", moved, mantissaBits), this.bits(integerExponent));
    const k = this.once(
      this.float("add", this.float("sub", biased, this.number(2 ** mantissaBits + Number(bias))), extra),
    );
    const m = this.integer("add", this.bitwise("and", moved, this.bits(mantissa)), this.bits(rootHalf));
    return this.logNearOne(this.once(this.float("sub", m, this.number(1))), k);
  }

  /** k ln 2 + ln(1 + f) for 1 + f between the roots of 1/2 and 2. */
  private logNearOne(f: Code, k: Code): Code {
    const { ln2 } = this.n;
    const s = this.once(this.float("div", f, this.float("add", this.number(2), f)));
    const z = this.once(this.float("mul", s, s));
    const tail = this.float("mul", this.polynomial(this.n.log, z), z);
    const square = this.once(this.float("mul", this.number(0.5), this.float("mul", f, f)));
    const small = this.float(
      "add",
      this.float("mul", s, this.float("add", square, tail)),
      this.float("mul", k, this.number(ln2[1])),
    );
    return this.float(
      "sub",
      this.float("mul", k, this.number(ln2[0])),
      this.float("sub", this.float("sub", square, small), f),
    );
  }

  /** ln(1 + x): what rounding 1 + x lost is carried through to first order. */
  log1p(operand: Code): void {
    const x = this.once(operand);
    const u = this.once(this.float("add", this.number(1), x));
    const y = this.once(this.logOf(u));
    const lost = this.float("div", this.float("sub", x, this.float("sub", u, this.number(1))), u);
    const near = this.once(this.withSignOf(this.float("add", y, lost), x));
    const normal = this.bitwise(
      "and",
      this.float("ge", u, this.number(this.n.minNormal)),
      this.float("lt", u, this.number(Number.POSITIVE_INFINITY)),
    );
    this.choose(normal, near, y)();
  }
}
