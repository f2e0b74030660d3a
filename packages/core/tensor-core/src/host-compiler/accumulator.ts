import { byteSize } from "../dtype.js";
import type { FunctionWriter } from "./function-writer.js";
import type { Combination, Reduction } from "./loop-plan.js";
import { type ElementType, elementTypes } from "./values.js";
import { lanesOf } from "./vector-code.js";

/** Where a reduction's result lies now. */
export interface Place {
  readonly pointer: number;
  readonly offset: number;
}

const identities: Readonly<Record<Combination, number>> = {
  sum: 0,
  prod: 1,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
};

/** What a reduction starts from. */
export function identityOf({ combination, dtype }: Reduction): number {
  if (dtype === "bool") return combination === "max" ? 0 : 1;
  if (dtype === "int32" && combination === "max") return -2147483648;
  if (dtype === "int32" && combination === "min") return 2147483647;
  return identities[combination];
}

/** Instructions that combine two numbers, or two vectors. */
const instructions: Readonly<Record<Combination, string>> = { sum: "add", prod: "mul", max: "max", min: "min" };

/** Combines elements in locals, or in memory where the innermost axis is kept. Float sums are carried in float64. */
export class Accumulator {
  /** The type in which elements are combined. */
  readonly type: ElementType;
  private readonly doubled: boolean;
  private scalar = -1;
  private vectors: number[] = [];

  constructor(
    private readonly w: FunctionWriter,
    readonly reduction: Reduction,
    /** Whether results already in memory are to be joined. */
    private readonly joins: boolean,
  ) {
    const { dtype, combination } = reduction;
    this.doubled = dtype === "float32" && (combination === "sum" || combination === "prod");
    this.type = this.doubled ? "f64" : elementTypes[dtype];
  }

  private combineScalars(): void {
    const { w } = this;
    const { combination, dtype } = this.reduction;
    if (dtype === "bool") w.op(combination === "max" ? "i32.or" : "i32.and");
    else if (dtype === "int32" && (combination === "max" || combination === "min")) {
      const b = w.keep("i32");
      const a = w.keep("i32");
      for (const x of [a, b, a, b]) w.get(x);
      w.op(combination === "max" ? "i32.gt_s" : "i32.lt_s", "select");
    } else w.op(`${this.type}.${instructions[combination]}`);
  }

  private combineVectors(): void {
    const { combination, dtype } = this.reduction;
    if (dtype === "bool") this.w.op(combination === "max" ? "v128.or" : "v128.and");
    else if (dtype === "int32") this.w.op(`i32x4.${instructions[combination]}${combination === "sum" ? "" : "_s"}`);
    else this.w.op(`${this.doubled ? "f64x2" : lanesOf(dtype)}.${instructions[combination]}`);
  }

  /** Starts anew. `count` vectors are combined in turn, which hides the latency of additions; 0 for none. */
  begin(count: number): void {
    const { w } = this;
    const identity = identityOf(this.reduction);
    this.scalar = w.local(this.type);
    w.constant(this.type, identity);
    w.set(this.scalar);
    this.vectors = Array.from({ length: count * (this.doubled ? 2 : 1) }, () => w.local("v128"));
    for (const vector of this.vectors) {
      if (this.reduction.dtype === "bool") w.vector("i32x4", identity === 0 ? 0 : -1);
      else w.vector(this.doubled ? "f64x2" : lanesOf(this.reduction.dtype), identity);
      w.set(vector);
    }
  }

  /** Joins the element in a local. */
  addScalar(element: number): void {
    const { w } = this;
    w.get(this.scalar);
    this.pushDoubled(element);
    this.combineScalars();
    w.set(this.scalar);
  }

  /** Joins the vector in a local to the `turn`-th running vector. */
  addVector(vector: number, turn: number): void {
    const { w } = this;
    const halves = this.doubled ? 2 : 1;
    const running = (turn * halves) % this.vectors.length;
    for (let half = 0; half < halves; half++) {
      w.get(this.vectors[running + half]);
      this.pushHalf(vector, half);
      this.combineVectors();
      w.set(this.vectors[running + half]);
    }
  }

  /** Joins the element in a local to the one in memory. */
  addScalarInMemory(element: number, { pointer, offset }: Place): void {
    const { w } = this;
    w.get(pointer);
    w.get(pointer);
    this.load(offset);
    this.pushDoubled(element);
    this.combineScalars();
    this.store(offset);
  }

  /** Joins the vector in a local to the one in memory. */
  addVectorInMemory(vector: number, { pointer, offset }: Place): void {
    const { w } = this;
    for (let half = 0; half < (this.doubled ? 2 : 1); half++) {
      w.get(pointer);
      w.get(pointer);
      w.access("v128.load", offset + 16 * half);
      this.pushHalf(vector, half);
      this.combineVectors();
      w.access("v128.store", offset + 16 * half);
    }
  }

  /** Writes the result. */
  finish({ pointer, offset }: Place): void {
    const { w } = this;
    w.get(pointer);
    this.pushTotal();
    if (this.joins) {
      w.get(pointer);
      this.load(offset);
      this.combineScalars();
    }
    if (this.type === "f64" && this.reduction.viewDType === "float32") w.op("f32.demote_f64");
    this.store(offset);
  }

  /** Writes running vectors as the results of as many elements side by side, of which the first `count` are wanted. */
  finishColumns({ pointer, offset }: Place, count: number): void {
    const { w, doubled, vectors } = this;
    const bytes = byteSize(this.reduction.dtype);
    const width = 16 / bytes;
    for (let first = 0, turn = 0; first < count; first += width, turn++) {
      let vector = vectors[turn];
      if (doubled) {
        for (const half of [0, 1]) {
          w.get(vectors[2 * turn + half]);
          w.op("f32x4.demote_f64x2_zero");
        }
        w.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
        vector = w.keep("v128");
      }
      w.storeElements(pointer, vector, bytes, Math.min(width, count - first), offset + first * bytes);
    }
  }

  private load(offset: number): void {
    const { viewDType } = this.reduction;
    this.w.access(viewDType === "bool" ? "i32.load8_u" : `${elementTypes[viewDType]}.load`, offset);
  }

  private store(offset: number): void {
    const { viewDType } = this.reduction;
    this.w.access(viewDType === "bool" ? "i32.store8" : `${elementTypes[viewDType]}.store`, offset);
  }

  private pushDoubled(element: number): void {
    this.w.get(element);
    if (this.doubled) this.w.op("f64.promote_f32");
  }

  /** The vector, or two of its four elements as float64. */
  private pushHalf(vector: number, half: number): void {
    const { w } = this;
    w.get(vector);
    if (!this.doubled) return;
    if (half === 1) {
      w.get(vector);
      w.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
    }
    w.op("f64x2.promote_low_f32x4");
  }

  private pushTotal(): void {
    const { w } = this;
    const { dtype, combination } = this.reduction;
    w.get(this.scalar);
    if (this.vectors.length === 0) return;
    w.get(this.vectors[0]);
    for (const vector of this.vectors.slice(1)) {
      w.get(vector);
      this.combineVectors();
    }
    const all = w.keep("v128");
    if (dtype === "bool") {
      w.get(all);
      if (combination === "min") w.op("v128.not");
      w.op("v128.any_true");
      if (combination === "min") w.op("i32.eqz");
      this.combineScalars();
      return;
    }
    const lanes = this.doubled ? "f64x2" : lanesOf(dtype);
    for (let lane = 0; lane < (lanes === "f64x2" ? 2 : 4); lane++) {
      w.get(all);
      w.lane(`${lanes}.extract_lane`, lane);
      this.combineScalars();
    }
  }
}
