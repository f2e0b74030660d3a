import type { DType } from "../dtype.js";
import type { Equation } from "../graph/builder.js";
import type { CastParams } from "../primitives/elementwise.js";
import { ErrorFunction } from "./error-function.js";
import type { FunctionWriter } from "./function-writer.js";
import { InverseSine } from "./inverse-sine.js";
import { floatInstructions, type ScalarCode } from "./scalar-code.js";
import { elementTypes } from "./values.js";
import { VectorMath } from "./vector-math.js";
import type { Code } from "./vector-terms.js";

/** Lanes of a vector by the dtype of its elements; booleans are masks as wide as the other elements of their loop. */
export type Lanes = "f64x2" | "f32x4" | "i32x4";

/** The lanes of numbers of a dtype. */
export function lanesOf(dtype: DType): Lanes {
  return dtype === "float64" ? "f64x2" : dtype === "float32" ? "f32x4" : "i32x4";
}

const onIntegers: Readonly<Record<string, string>> = {
  maximum: "max_s",
  minimum: "min_s",
  less: "lt_s",
  lessEqual: "le_s",
};
const onlyFloats = new Set(["floor", "ceil", "round", "sqrt", "div"]);
const functions = new Set(["exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus"] as const);
type FunctionName = "exp" | "expm1" | "log" | "log1p" | "tanh" | "sigmoid" | "softplus";

/** An operand of a vector operation. */
export interface VectorOperand {
  readonly push: Code;
  /** Where it is one number in every lane: that. */
  readonly constant?: number;
  /** Whether it is known to be at least 0, or NaN. */
  readonly positive?: boolean;
}

/** Powers up to here lose at most two and a half units of the last place as products. */
const LARGEST_POWER = 6;

const neverNegative = new Set(["abs", "relu", "sqrt", "exp", "sigmoid", "softplus"]);

/** Whether the results of an operation are at least 0, or NaN. */
export function isPositive({ primitive, inputs }: Equation): boolean {
  return neverNegative.has(primitive.name) || (primitive.name === "mul" && inputs[0] === inputs[1]);
}

/** Writes elementwise primitives on vectors of 2 or 4 elements. */
export class VectorCode {
  constructor(
    private readonly w: FunctionWriter,
    private readonly scalar: ScalarCode,
  ) {}

  /** Leaves the result of an elementwise primitive on the stack, of which the first `count` elements are wanted. */
  write(equation: Equation, operands: readonly VectorOperand[], count: number): void {
    const { primitive, params, inputs } = equation;
    const { name } = primitive;
    const { dtype } = inputs[0];
    const [a] = operands;
    const done =
      name === "cast"
        ? this.cast(a.push, dtype, (params as CastParams).dtype)
        : name === "where"
          ? this.select(operands)
          : dtype === "bool"
            ? this.logical(name, operands)
            : this.numeric(equation, lanesOf(dtype), operands, count);
    if (!done) this.laneByLane(equation, operands, count);
  }

  private select([condition, a, b]: readonly VectorOperand[]): boolean {
    if (Object.is(b.constant, 0)) {
      this.push(["v128.and"], a, condition);
      return true;
    }
    this.push(["v128.bitselect"], a, b, condition);
    return true;
  }

  private push(names: readonly string[], ...operands: readonly VectorOperand[]): void {
    for (const { push } of operands) push();
    this.w.op(...names);
  }

  private numeric(equation: Equation, lanes: Lanes, operands: readonly VectorOperand[], count: number): boolean {
    const { w } = this;
    const { name } = equation.primitive;
    const [a, b] = operands;
    const float = lanes !== "i32x4";
    // Against a number, the shorter instruction keeps NaN where the number comes second.
    if (float && (name === "maximum" || name === "minimum") && b.constant !== undefined && b.constant === b.constant) {
      this.push([`${lanes}.${name === "maximum" ? "pmax" : "pmin"}`], a, b);
      return true;
    }
    if (float && (name === "abs" || name === "neg")) {
      // By the bit of the sign: engines make the mask of their own instructions anew each time.
      a.push();
      w.vector(lanes, -0);
      w.op(name === "abs" ? "v128.andnot" : "v128.xor");
      return true;
    }
    if (name in floatInstructions && (float || !onlyFloats.has(name))) {
      const instruction = (!float && onIntegers[name]) || floatInstructions[name];
      this.push([`${lanes}.${instruction}`], ...operands);
      return true;
    }
    const zero = () => w.vector(lanes, 0);
    if (name === "relu") {
      a.push();
      a.push();
      zero();
      w.op(`${lanes}.${float ? "le" : "le_s"}`, "v128.andnot");
      return true;
    }
    if (name === "isNaN" && float) {
      this.push([`${lanes}.ne`], a, a);
      return true;
    }
    if (name === "isFinite" && float) {
      this.push([`${lanes}.sub`], a, a);
      zero();
      w.op(`${lanes}.eq`);
      return true;
    }
    if (name === "sign" && float) {
      // x itself where it is 0 or NaN.
      w.vector(lanes, 1);
      a.push();
      w.vector(lanes, -0);
      w.op("v128.and", "v128.or");
      a.push();
      a.push();
      w.op(`${lanes}.abs`);
      zero();
      w.op(`${lanes}.gt`, "v128.bitselect");
      return true;
    }
    if (name === "pow" && float) return this.power(lanes, a, b);
    if ((name === "sin" || name === "cos") && float) return this.sine(equation, lanes, a, count);
    if ((name === "asin" || name === "acos") && float) {
      new InverseSine(w, lanes)[name](a.push);
      return true;
    }
    if ((name === "erf" || name === "erfc") && float) {
      new ErrorFunction(w, lanes)[name](a.push);
      return true;
    }
    if (name === "logAddExp" && float) {
      new VectorMath(w, lanes).logAddExp(a.push, b.push);
      return true;
    }
    if (float && functions.has(name as FunctionName)) {
      const positive = name === "sigmoid" && a.positive === true;
      new VectorMath(w, lanes)[positive ? "sigmoidOfPositive" : (name as FunctionName)](a.push);
      return true;
    }
    return false;
  }

  /** Large arguments are left to the exact reduction of `Math`, each by itself: others in the vector may be anything. */
  private sine(equation: Equation, lanes: "f64x2" | "f32x4", { push }: VectorOperand, count: number): boolean {
    const { w } = this;
    const math = new VectorMath(w, lanes);
    push();
    const x = w.keep("v128");
    const operand = { push: () => w.get(x) };
    math.sine(operand.push, equation.primitive.name === "cos");
    const result = w.keep("v128");
    math.largeSine(operand.push);
    const large = w.keep("v128");
    w.get(large);
    w.op("v128.any_true");
    w.if(() => {
      this.laneByLane(equation, [operand], count);
      w.get(result);
      w.get(large);
      w.op("v128.bitselect");
      w.set(result);
    });
    w.get(result);
    return true;
  }

  /** Small whole exponents as products, halves as roots. */
  private power(lanes: Lanes, a: VectorOperand, { push, constant = 0 }: VectorOperand): boolean {
    const { w } = this;
    if (constant === -1 || constant === -0.5) {
      w.vector(lanes, 1);
      this.power(lanes, a, { push, constant: -constant });
      w.op(`${lanes}.div`);
      return true;
    }
    if (constant === 0.5) {
      // The powers of -0 and of minus infinity are 0 and infinity.
      w.vector(lanes, Number.POSITIVE_INFINITY);
      this.push([`${lanes}.sqrt`], a);
      w.vector(lanes, 0);
      w.op(`${lanes}.add`);
      a.push();
      w.vector(lanes, Number.NEGATIVE_INFINITY);
      w.op(`${lanes}.eq`, "v128.bitselect");
      return true;
    }
    const whole = Number.isInteger(constant) && constant > 0 && constant <= LARGEST_POWER;
    if (whole) this.product(lanes, a.push, constant);
    return whole;
  }

  /** A vector times itself, `count` factors. */
  private product(lanes: Lanes, push: Code, count: number): void {
    if (count === 1) {
      push();
      return;
    }
    if (count % 2 === 0) {
      this.product(lanes, push, count / 2);
      const half = this.w.keep("v128");
      this.w.get(half);
      this.w.get(half);
    } else {
      this.product(lanes, push, count - 1);
      push();
    }
    this.w.op(`${lanes}.mul`);
  }

  private logical(name: string, operands: readonly VectorOperand[]): boolean {
    const [a, b] = operands;
    switch (name) {
      case "logicalAnd":
        this.push(["v128.and"], a, b);
        return true;
      case "logicalOr":
        this.push(["v128.or"], a, b);
        return true;
      case "logicalXor":
      case "notEqual":
        this.push(["v128.xor"], a, b);
        return true;
      case "equal":
        this.push(["v128.xor", "v128.not"], a, b);
        return true;
      case "logicalNot":
        this.push(["v128.not"], a);
        return true;
      case "less":
        this.push(["v128.andnot"], b, a);
        return true;
      case "lessEqual":
        this.push(["v128.andnot", "v128.not"], a, b);
        return true;
    }
    return false;
  }

  private cast(push: Code, from: DType, to: DType): boolean {
    const { w } = this;
    if (to === "bool" && from !== "bool") {
      push();
      w.vector(lanesOf(from), 0);
      w.op(`${lanesOf(from)}.ne`);
      return true;
    }
    if (from === "bool" && to !== "bool") {
      push();
      w.vector(lanesOf(to), 1);
      w.op("v128.and");
      return true;
    }
    if (from === "int32" && to === "float32") {
      push();
      w.op("f32x4.convert_i32x4_s");
      return true;
    }
    if (from === to) push();
    return from === to;
  }

  /** Takes the vector apart, for what has no vector form. */
  private laneByLane(equation: Equation, operands: readonly VectorOperand[], count: number): void {
    const { w } = this;
    const vectors = operands.map(({ push }) => {
      push();
      return w.keep("v128");
    });
    const to = lanesOf(equation.outputs[0].dtype);
    w.vector(to, 0);
    for (let lane = 0; lane < count; lane++) {
      const elements = vectors.map((vector, i) => {
        const { dtype } = equation.inputs[i];
        w.get(vector);
        w.lane(`${lanesOf(dtype)}.extract_lane`, lane);
        return w.keep(elementTypes[dtype]);
      });
      this.scalar.write(
        equation,
        elements.map((element) => () => w.get(element)),
      );
      w.lane(`${to}.replace_lane`, lane);
    }
  }
}
