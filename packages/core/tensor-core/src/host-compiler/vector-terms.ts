import type { FunctionWriter } from "./function-writer.js";

/** Code that leaves one vector on the stack. */
export type Code = () => void;

/** Terms that functions of vectors of one element type are made of. */
export abstract class VectorTerms {
  /** Integers as wide as the elements. */
  protected readonly integers: "i64x2" | "i32x4";

  constructor(
    protected readonly w: FunctionWriter,
    readonly lanes: "f64x2" | "f32x4",
  ) {
    this.integers = lanes === "f64x2" ? "i64x2" : "i32x4";
  }

  protected number(value: number): Code {
    return () => this.w.vector(this.lanes, value);
  }

  protected bits(value: bigint): Code {
    return () => this.w.vectorBits(this.lanes === "f64x2" ? value : value | (value << 32n));
  }

  protected float(name: string, ...operands: readonly Code[]): Code {
    return this.apply(`${this.lanes}.${name}`, operands);
  }

  protected integer(name: string, ...operands: readonly Code[]): Code {
    return this.apply(`${this.integers}.${name}`, operands);
  }

  protected bitwise(name: string, ...operands: readonly Code[]): Code {
    return this.apply(`v128.${name}`, operands);
  }

  protected apply(instruction: string, operands: readonly Code[]): Code {
    return () => {
      for (const operand of operands) operand();
      this.w.op(instruction);
    };
  }

  protected shifted(name: "shl" | "shr_u", x: Code, by: number): Code {
    return () => {
      x();
      this.w.i32(by);
      this.w.op(`${this.integers}.${name}`);
    };
  }

  /** Computes a value once, for several uses. */
  protected once(code: Code): Code {
    code();
    const local = this.w.keep("v128");
    return () => this.w.get(local);
  }

  /** |x|, by the bit of the sign: engines make the mask of their own instruction anew each time. */
  protected abs(x: Code): Code {
    return this.bitwise("andnot", x, this.number(-0));
  }

  /** Where the mask is set a, else b. */
  protected choose(mask: Code, a: Code, b: Code): Code {
    return this.bitwise("bitselect", a, b, mask);
  }

  /** A value that is not negative, or has the sign of x already where it is not 0, with the sign of x. */
  protected withSignOf(value: Code, x: Code): Code {
    return this.bitwise("or", value, this.bitwise("and", x, this.number(-0)));
  }

  /** Ascending coefficients, two at a time: half as long a chain as Horner's. */
  protected polynomial(coefficients: readonly number[], x: Code): Code {
    const square = this.once(this.float("mul", x, x));
    const pair = (i: number): Code => {
      const low = this.number(coefficients[i]);
      return i + 1 < coefficients.length
        ? this.float("add", low, this.float("mul", this.number(coefficients[i + 1]), x))
        : low;
    };
    let sum = pair((coefficients.length - 1) & ~1);
    for (let i = ((coefficients.length - 1) & ~1) - 2; i >= 0; i -= 2) {
      sum = this.float("add", pair(i), this.float("mul", square, sum));
    }
    return sum;
  }
}
