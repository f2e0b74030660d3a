import { byteSize, type DType } from "../dtype.js";
import type { Variable } from "../graph/builder.js";
import { Accumulator, type Place } from "./accumulator.js";
import type { Compilation } from "./compilation.js";
import type { FunctionWriter } from "./function-writer.js";
import {
  gatheredLoads,
  type LoopPlan,
  leavesMasks,
  type Operand,
  type Stream,
  uniformOf,
  vectorWidth,
  type Walk,
  walkOf,
} from "./loop-plan.js";
import { type Element, elementTypes, type Value } from "./values.js";
import { isPositive, lanesOf, VectorCode, type VectorOperand } from "./vector-code.js";

/** A pointer that several streams share: they have one base and one set of strides. */
interface Pointer {
  readonly local: number;
  readonly strides: readonly number[];
}

/** Locals that hold the same element for a whole loop, alone and in every lane. */
interface Repeated {
  readonly scalar: number | undefined;
  readonly vector: number | undefined;
  readonly constant: number | undefined;
}

/** Writes a plan as nested loops, the innermost on vectors where it can be. */
export function writeLoops(c: Compilation, plan: LoopPlan): void {
  c.writer.temporary(() => new LoopNest(c, plan).write());
}

/** Nested loops of one plan. */
export class LoopNest {
  protected readonly w: FunctionWriter;
  protected readonly walk: Walk;
  protected readonly width: 1 | 2 | 4;
  protected readonly inner: number;
  private readonly unroll: number;
  private readonly vectorCode: VectorCode;
  protected readonly pointers = new Map<string, Pointer>();
  private readonly places = new Map<Stream, { pointer: Pointer; offset: number }>();
  private readonly gathered: ReadonlySet<Stream>;
  private readonly repeated = new Map<Value, Repeated>();
  protected readonly accumulators: Accumulator[];
  /** Per reduction the axis from which on all axes are reduced. */
  private readonly depths: number[];

  constructor(
    private readonly c: Compilation,
    protected readonly plan: LoopPlan,
    /** Whether elements of the innermost axis are reduced each by itself, in registers. */
    private readonly columns = false,
  ) {
    this.w = c.writer;
    this.walk = walkOf(plan);
    this.width = vectorWidth(plan, this.walk);
    this.inner = this.walk.shape.length - 1;
    this.gathered = new Set(gatheredLoads(this.walk));
    const work = plan.steps.length + plan.stores.length + 2 * plan.reductions.length;
    this.unroll = this.width === 1 ? 1 : work <= 5 ? 4 : work <= 10 ? 2 : 1;
    this.vectorCode = new VectorCode(this.w, c.scalarCode);
    this.depths = this.walk.reductions.map(({ strides }) => {
      let depth = strides.length;
      while (depth > 0 && strides[depth - 1] === 0) depth--;
      return depth;
    });
    this.accumulators = plan.reductions.map((reduction, k) => {
      const outer = this.walk.reductions[k].strides.slice(0, this.depths[k]).includes(0);
      return new Accumulator(this.w, reduction, outer);
    });
  }

  write(): void {
    const { walk, plan } = this;
    for (const stream of [...walk.loads.values(), ...walk.stores, ...walk.reductions]) this.place(stream);
    for (const operand of this.operands()) this.repeatUniform(operand);
    this.c.note(
      this.describe(),
      [...plan.stores, ...plan.reductions].map(({ view }) => view),
    );
    if (plan.shape.includes(0)) return;
    this.writeAxis(0);
  }

  private operands(): Operand[] {
    const { steps, stores, reductions } = this.plan;
    return [...steps.flatMap((s) => s.operands), ...stores.map((s) => s.source), ...reductions.map((r) => r.source)];
  }

  private describe(): string {
    const { plan, walk, width } = this;
    const names = plan.steps.map((s) => s.equation.primitive.name);
    const reduced = plan.reductions.map((r) => r.combination);
    const copies = names.length + reduced.length === 0 ? ["copy"] : [];
    const vectors = width === 1 ? "" : `, ${width} at a time`;
    return `loop [${walk.shape.join(", ")}]${vectors}: ${[...names, ...reduced, ...copies].join(", ")}`;
  }

  private place(stream: Stream): void {
    const { base, offset } = this.c.locate(stream.view, stream.dtype);
    const { strides } = stream;
    if (strides.every((s) => s === 0)) {
      this.places.set(stream, { pointer: { local: base, strides }, offset });
      return;
    }
    // Where the pointer steps back, an instruction's offset, which has no sign, could lie beyond it.
    const own = strides.some((s) => s < 0);
    const key = `${base} ${strides.join()} ${own ? offset : ""}`;
    let pointer = this.pointers.get(key);
    if (pointer === undefined) {
      this.w.get(base);
      if (own) {
        this.w.i32(offset);
        this.w.op("i32.add");
      }
      pointer = { local: this.w.keep("i32"), strides };
      this.pointers.set(key, pointer);
    }
    this.places.set(stream, { pointer, offset: own ? 0 : offset });
  }

  /** Where a stream is, `delta` elements along the innermost axis ahead. */
  protected at(stream: Stream, delta: number): Place {
    const { pointer, offset } = this.places.get(stream) as { pointer: Pointer; offset: number };
    return { pointer: pointer.local, offset: offset + delta * stream.strides[this.inner] };
  }

  private repeatUniform(operand: Operand): void {
    const element = uniformOf(operand);
    if (element === undefined || this.repeated.has(operand as Value)) return;
    const vector = this.width === 1 ? undefined : this.splat((operand as Value).dtype, () => this.c.push(element));
    this.repeated.set(operand as Value, { scalar: this.scalarLocal(element), vector, constant: element.constant });
  }

  private scalarLocal(element: Element): number {
    if (element.local !== undefined) return element.local;
    this.c.push(element);
    return this.w.keep(element.type);
  }

  /** One element in every lane. */
  private splat(dtype: DType, push: () => void): number {
    const { w } = this;
    if (dtype === "bool") {
      w.i32(0);
      push();
      w.op("i32.sub", "i32x4.splat");
    } else {
      push();
      w.op(`${lanesOf(dtype)}.splat`);
    }
    return w.keep("v128");
  }

  protected writeAxis(axis: number): void {
    const starting = this.accumulators.filter((_, k) => this.depths[k] === axis);
    const vectors = this.width === 1 ? 0 : Math.floor(this.walk.shape[this.inner] / this.width);
    for (const accumulator of starting) accumulator.begin(Math.min(this.unroll, vectors));
    if (axis === this.inner) this.writeInner();
    else {
      const { shape } = this.walk;
      this.w.repeat(shape[axis], () => {
        this.writeAxis(axis + 1);
        for (const { local, strides } of this.pointers.values()) {
          this.w.advance(local, strides[axis] - shape[axis + 1] * strides[axis + 1]);
        }
      });
    }
    for (const accumulator of starting) {
      accumulator.finish(this.at(this.walk.reductions[this.accumulators.indexOf(accumulator)], 0));
    }
  }

  private writeInner(): void {
    const { w, width, unroll, plan } = this;
    const n = this.walk.shape[this.inner];
    this.repeatLoads();
    if (width === 1) {
      w.repeat(n, () => {
        this.writeElement();
        this.step(this.inner, 1);
      });
      return;
    }
    let vectors = Math.floor(n / width);
    let rest = n % width;
    const { gathered } = this;
    const mayOverrun =
      this.inner === 0 && gathered.size === 0 && plan.reductions.length === 0 && plan.stores.every((s) => s.whole);
    if (mayOverrun && rest > 0) {
      vectors++;
      rest = 0;
    }
    const turns = vectors <= 2 ? 0 : Math.floor(vectors / unroll);
    if (turns > 0) {
      w.repeat(turns, () => {
        for (let u = 0; u < unroll; u++) this.writeVector(u);
        this.step(this.inner, unroll * width);
      });
    }
    const left = vectors - turns * unroll;
    for (let u = 0; u < left; u++) this.writeVector(u);
    if (left > 0) this.step(this.inner, left * width);
    if (rest > 0 && !leavesMasks(this.walk)) {
      this.writeVector(0, rest);
      this.step(this.inner, rest);
    } else if (rest > 0) {
      w.repeat(rest, () => {
        this.writeElement();
        this.step(this.inner, 1);
      });
    }
  }

  /** Moves all pointers along an axis. */
  protected step(axis: number, count: number): void {
    for (const { local, strides } of this.pointers.values()) this.w.advance(local, count * strides[axis]);
  }

  /** Reads what stays the same along the innermost axis. */
  protected repeatLoads(): void {
    for (const [value, stream] of this.walk.loads) {
      if (stream.strides[this.inner] !== 0) continue;
      this.loadScalar(value.dtype, this.at(stream, 0));
      const scalar = this.w.keep(elementTypes[value.dtype]);
      const vector = this.width === 1 ? undefined : this.splat(value.dtype, () => this.w.get(scalar));
      this.repeated.set(value, { scalar, vector, constant: undefined });
    }
  }

  private loadScalar(dtype: DType, { pointer, offset }: Place): void {
    this.w.get(pointer);
    this.w.access(dtype === "bool" ? "i32.load8_u" : `${elementTypes[dtype]}.load`, offset);
  }

  private writeElement(): void {
    const { w, plan, walk } = this;
    const locals = new Map<Operand, number>();
    const find = (operand: Operand): number => {
      const known = this.repeated.get(operand as Value)?.scalar ?? locals.get(operand);
      if (known !== undefined) return known;
      this.loadScalar(operand.dtype, this.at(walk.loads.get(operand as Value) as Stream, 0));
      const local = w.keep(elementTypes[operand.dtype]);
      locals.set(operand, local);
      return local;
    };
    for (const { equation, operands } of plan.steps) {
      const found = operands.map(find);
      this.c.scalarCode.write(
        equation,
        found.map((local) => () => w.get(local)),
      );
      locals.set(equation.outputs[0], w.keep(elementTypes[equation.outputs[0].dtype]));
    }
    // A store may overwrite what was read for the last time.
    const reduced = plan.reductions.map(({ source }) => find(source));
    plan.stores.forEach(({ source }, k) => {
      const local = find(source);
      const { pointer, offset } = this.at(walk.stores[k], 0);
      w.get(pointer);
      w.get(local);
      w.access(source.dtype === "bool" ? "i32.store8" : `${elementTypes[source.dtype]}.store`, offset);
    });
    this.accumulators.forEach((accumulator, k) => {
      const local = reduced[k];
      if (this.depths[k] <= this.inner) accumulator.addScalar(local);
      else accumulator.addScalarInMemory(local, this.at(walk.reductions[k], 0));
    });
  }

  /** The `turn`-th vector from the pointers; only its first `count` elements are stored and reduced. */
  protected writeVector(turn: number, count: number = this.width): void {
    const { w, plan, walk, width } = this;
    const delta = turn * width;
    const locals = new Map<Operand, number>();
    const find = (operand: Operand): number => {
      const known = this.repeated.get(operand as Value)?.vector ?? locals.get(operand);
      if (known !== undefined) return known;
      const stream = walk.loads.get(operand as Value) as Stream;
      if (this.gathered.has(stream)) this.gatherVector(stream, delta, count);
      else this.loadVector(operand.dtype, this.at(stream, delta));
      const local = w.keep("v128");
      locals.set(operand, local);
      return local;
    };
    const positive = new Set<Operand>();
    for (const { equation, operands } of plan.steps) {
      const found = operands.map((operand): VectorOperand => {
        const local = find(operand);
        const { constant } = this.repeated.get(operand as Value) ?? {};
        return { push: () => w.get(local), constant, positive: positive.has(operand) };
      });
      if (isPositive(equation)) positive.add(equation.outputs[0]);
      this.vectorCode.write(equation, found, count);
      locals.set(equation.outputs[0] as Variable, w.keep("v128"));
    }
    const reduced = plan.reductions.map(({ source }) => find(source));
    plan.stores.forEach(({ source }, k) => {
      const local = find(source);
      const { pointer, offset } = this.at(walk.stores[k], delta);
      if (source.dtype !== "bool") w.storeElements(pointer, local, byteSize(source.dtype), count, offset);
      else this.storeMask(local, { pointer, offset });
    });
    this.accumulators.forEach((accumulator, k) => {
      const local = reduced[k];
      const within = this.columns || this.depths[k] <= this.inner;
      if (count === width || this.columns) {
        if (within) accumulator.addVector(local, turn);
        else accumulator.addVectorInMemory(local, this.at(walk.reductions[k], delta));
        return;
      }
      const { dtype } = accumulator.reduction;
      for (let lane = 0; lane < count; lane++) {
        w.get(local);
        w.lane(`${lanesOf(dtype)}.extract_lane`, lane);
        const element = w.keep(elementTypes[dtype]);
        if (within) accumulator.addScalar(element);
        else accumulator.addScalarInMemory(element, this.at(walk.reductions[k], delta + lane));
      }
    });
  }

  /** The first `count` elements of a vector that lie apart; the others, which may lie beyond all memory, are 0. */
  private gatherVector(stream: Stream, delta: number, count: number): void {
    const { w } = this;
    const bits = byteSize(stream.dtype) * 8;
    const { pointer, offset } = this.at(stream, delta);
    for (let lane = 0; lane < count; lane++) w.get(pointer);
    w.access(`v128.load${bits}_zero`, offset);
    for (let lane = 1; lane < count; lane++) {
      w.laneAccess(`v128.load${bits}_lane`, lane, offset + lane * stream.strides[this.inner]);
    }
  }

  /** Booleans become masks of the width of the loop's other elements. */
  private loadVector(dtype: DType, { pointer, offset }: Place): void {
    const { w } = this;
    w.get(pointer);
    if (dtype !== "bool") w.access("v128.load", offset);
    else if (this.width === 4) {
      w.access("v128.load32_zero", offset);
      w.op("i16x8.extend_low_i8x16_u", "i32x4.extend_low_i16x8_u", "i32x4.neg");
    } else {
      w.access("v128.load16_splat", offset);
      w.op("i16x8.extend_low_i8x16_u", "i32x4.extend_low_i16x8_u", "i64x2.extend_low_i32x4_u", "i64x2.neg");
    }
  }

  /** A mask becomes booleans. */
  private storeMask(local: number, { pointer, offset }: Place): void {
    const { w } = this;
    w.get(pointer);
    w.get(local);
    w.vector("i32x4", 1);
    w.op("v128.and");
    const packed = w.keep("v128");
    w.get(packed);
    w.get(packed);
    const step = 16 / this.width;
    w.shuffle(Array.from({ length: 16 }, (_, i) => (i % this.width) * step));
    w.laneAccess(this.width === 4 ? "v128.store32_lane" : "v128.store16_lane", 0, offset);
  }
}
