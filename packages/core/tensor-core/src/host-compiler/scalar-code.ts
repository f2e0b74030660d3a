import type { DType } from "../dtype.js";
import type { Equation } from "../graph/builder.js";
import type { CastParams } from "../primitives/elementwise.js";
import type { FunctionWriter } from "./function-writer.js";
import type { ModuleWriter } from "./module-writer.js";
import { type ElementType, elementTypes } from "./values.js";

/** Code that leaves one operand on the stack. */
export type Push = () => void;

/** Names of primitives that are one instruction in both float types, on single elements and on vectors. */
export const floatInstructions: Readonly<Record<string, string>> = {
  neg: "neg",
  abs: "abs",
  floor: "floor",
  ceil: "ceil",
  round: "nearest",
  sqrt: "sqrt",
  add: "add",
  sub: "sub",
  mul: "mul",
  div: "div",
  maximum: "max",
  minimum: "min",
  equal: "eq",
  notEqual: "ne",
  less: "lt",
  lessEqual: "le",
};

const integerInstructions: Readonly<Record<string, string>> = {
  add: "i32.add",
  sub: "i32.sub",
  mul: "i32.mul",
  equal: "i32.eq",
  notEqual: "i32.ne",
  less: "i32.lt_s",
  lessEqual: "i32.le_s",
  logicalAnd: "i32.and",
  logicalOr: "i32.or",
  logicalXor: "i32.xor",
  logicalNot: "i32.eqz",
};

/** Writes elementwise primitives on single elements. */
export class ScalarCode {
  constructor(
    private readonly w: FunctionWriter,
    private readonly module: ModuleWriter,
  ) {}

  /** Leaves the result of an elementwise primitive on the stack. */
  write(equation: Equation, operands: readonly Push[]): void {
    const { primitive, params, inputs, outputs } = equation;
    const { dtype } = inputs[0];
    const type = elementTypes[dtype];
    if (primitive.name === "cast") this.cast(operands[0], dtype, (params as CastParams).dtype);
    else if (primitive.name === "where") {
      for (const i of [1, 2, 0]) operands[i]();
      this.w.op("select");
    } else {
      const done = type === "i32" ? this.integer(primitive.name, operands) : this.float(primitive.name, type, operands);
      if (!done) this.imported(equation, operands, outputs[0].dtype);
    }
  }

  private float(name: string, t: "f32" | "f64", operands: readonly Push[]): boolean {
    const { w } = this;
    const [a, b] = operands;
    const instruction = floatInstructions[name];
    if (instruction !== undefined) {
      for (const push of operands) push();
      w.op(`${t}.${instruction}`);
      return true;
    }
    switch (name) {
      case "sign":
        w.constant(t, 1);
        a();
        w.op(`${t}.copysign`);
        a();
        a();
        w.op(`${t}.abs`);
        w.constant(t, 0);
        w.op(`${t}.gt`, "select");
        return true;
      case "relu":
        w.constant(t, 0);
        a();
        a();
        w.constant(t, 0);
        w.op(`${t}.le`, "select");
        return true;
      case "isNaN":
        a();
        a();
        w.op(`${t}.ne`);
        return true;
      case "isFinite":
        a();
        a();
        w.op(`${t}.sub`);
        w.constant(t, 0);
        w.op(`${t}.eq`);
        return true;
      case "pow":
        this.power(t, a, b);
        return true;
      case "sigmoid":
        this.sigmoid(t, a);
        return true;
    }
    return false;
  }

  /** 1 / (1 + e^-x), or e^x / (1 + e^x) where x is negative. */
  private sigmoid(t: "f32" | "f64", a: Push): void {
    const { w } = this;
    this.asDouble(t, a);
    const x = w.keep("f64");
    w.get(x);
    w.op("f64.abs", "f64.neg");
    w.call(this.module.import(Math.exp, ["f64"], ["f64"]));
    const e = w.keep("f64");
    w.f64(1);
    w.get(e);
    w.get(x);
    w.f64(0);
    w.op("f64.ge", "select");
    w.f64(1);
    w.get(e);
    w.op("f64.add", "f64.div");
    if (t === "f32") w.op("f32.demote_f64");
  }

  /** JavaScript gives NaN for 1 to the power NaN and for 1 or -1 to an infinite power; IEEE 754 gives 1. */
  private power(t: "f32" | "f64", a: Push, b: Push): void {
    const { w } = this;
    this.asDouble(t, a);
    const base = w.keep("f64");
    this.asDouble(t, b);
    const exponent = w.keep("f64");
    w.f64(1);
    w.get(base);
    w.get(exponent);
    w.call(this.module.import(Math.pow, ["f64", "f64"], ["f64"]));
    w.get(base);
    w.f64(1);
    w.op("f64.eq");
    w.get(base);
    w.f64(-1);
    w.op("f64.eq");
    w.get(exponent);
    w.op("f64.abs");
    w.f64(Number.POSITIVE_INFINITY);
    w.op("f64.eq", "i32.and", "i32.or", "select");
    if (t === "f32") w.op("f32.demote_f64");
  }

  private integer(name: string, operands: readonly Push[]): boolean {
    const { w } = this;
    const [a, b] = operands;
    const instruction = integerInstructions[name];
    if (instruction !== undefined) {
      for (const push of operands) push();
      w.op(instruction);
      return true;
    }
    const choose = (x: Push, y: Push, test: string, limit: Push) => {
      x();
      y();
      x();
      limit();
      w.op(test, "select");
    };
    const zero = () => w.i32(0);
    const negative = () => {
      w.i32(0);
      a();
      w.op("i32.sub");
    };
    switch (name) {
      case "neg":
        negative();
        return true;
      case "abs":
        choose(a, negative, "i32.ge_s", zero);
        return true;
      case "relu":
        choose(a, zero, "i32.gt_s", zero);
        return true;
      case "maximum":
        choose(a, b, "i32.gt_s", b);
        return true;
      case "minimum":
        choose(a, b, "i32.lt_s", b);
        return true;
      case "sign":
        a();
        w.i32(0);
        w.op("i32.gt_s");
        a();
        w.i32(0);
        w.op("i32.lt_s", "i32.sub");
        return true;
      case "isNaN":
        w.i32(0);
        return true;
      case "isFinite":
        w.i32(1);
        return true;
    }
    return false;
  }

  /** A call of the primitive's own scalar function. */
  private imported(equation: Equation, operands: readonly Push[], to: DType): void {
    const { primitive, params, inputs } = equation;
    const types = inputs.map(({ dtype }): ElementType => (elementTypes[dtype] === "i32" ? "i32" : "f64"));
    const f = primitive.scalar?.(params, inputs[0].dtype) as (...x: number[]) => number;
    operands.forEach((push, i) => {
      if (elementTypes[inputs[i].dtype] === "i32") push();
      else this.asDouble(elementTypes[inputs[i].dtype] as "f32" | "f64", push);
    });
    const result = elementTypes[to];
    this.w.call(this.module.import(f, types, [result === "i32" ? "i32" : "f64"]));
    if (result === "f32") this.w.op("f32.demote_f64");
  }

  private asDouble(t: "f32" | "f64", push: Push): void {
    push();
    if (t === "f32") this.w.op("f64.promote_f32");
  }

  private cast(push: Push, from: DType, to: DType): void {
    const { w } = this;
    const [source, target] = [elementTypes[from], elementTypes[to]];
    push();
    if (from === to) return;
    if (to === "bool") {
      w.constant(source, 0);
      w.op(`${source}.ne`);
    } else if (to === "int32") {
      if (from === "bool") return;
      if (source === "f32") w.op("f64.promote_f32");
      w.call(this.module.shared("toInt32", toInt32));
    } else if (source === "i32") w.op(`${target}.convert_i32_s`);
    else w.op(to === "float32" ? "f32.demote_f64" : "f64.promote_f32");
  }
}

/** Truncation modulo 2^32, as typed arrays do it; what does not fit 63 bits goes through JavaScript. */
function toInt32(module: ModuleWriter, w: FunctionWriter): void {
  w.get(0);
  w.op("f64.abs");
  w.f64(2 ** 63);
  w.op("f64.lt");
  w.if(
    () => {
      w.get(0);
      w.truncateToI64();
      w.op("i32.wrap_i64");
      w.return();
    },
    () => {
      w.get(0);
      w.call(module.import(toInteger, ["f64"], ["i32"]));
      w.return();
    },
  );
  w.op("unreachable");
}
toInt32.parameters = ["f64"] as const;
toInt32.results = ["i32"] as const;

function toInteger(x: number): number {
  return x | 0;
}
