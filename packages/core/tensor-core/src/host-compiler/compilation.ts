import { byteSize, type DType, type TypedArray } from "../dtype.js";
import { Variable } from "../graph/builder.js";
import { Graph } from "../graph/graph.js";
import { rowMajorStrides, type Shape, sizeOf } from "../shape.js";
import type { HostStorage } from "../storage.js";
import { contiguousData, isContiguous, type Tensor } from "../tensor.js";
import type { MemoryReference } from "./call-out.js";
import { Destinations } from "./destinations.js";
import { FunctionWriter } from "./function-writer.js";
import { Groups } from "./groups.js";
import { lower } from "./lower.js";
import { ARENA, ModuleWriter } from "./module-writer.js";
import { ScalarCode } from "./scalar-code.js";
import { Arena, type Base, type Buffer, type Element, elementTypes, offsets, Value, type View } from "./values.js";

/** Tensors of at most so many elements are kept in locals, element by element. */
const SMALL = 16;
/** Functions with more locals are long enough. Engines allow 50,000. */
const MANY_LOCALS = 8000;
/** From so many bytes on inputs and results lie where each call says, so that they can stay there between calls. */
export const MOVABLE_BYTES = 4096;

/** Values that are written into the arena before the first call. */
export interface ArenaConstant {
  readonly address: number;
  readonly data: TypedArray;
}

/** A part of the program that is run as a whole; loops are called until they return 0. */
export interface Part {
  readonly kind: "code" | "loop";
  readonly name: string;
}

/** The state of compiling one graph: what is written so far, where every live variable is. */
export class Compilation {
  readonly module = new ModuleWriter();
  readonly arena = new Arena();
  readonly constants: ArenaConstant[] = [];
  readonly parts: Part[] = [];
  /** The memory, for functions of the host that the module calls. */
  readonly memory: MemoryReference = { memory: undefined };
  readonly groups: Groups = new Groups(this);
  /** Where results of the body that is written belong. */
  readonly destinations = new Destinations({
    viewOf: (variable) => this.values.get(variable)?.view,
    usesOf: (variable) => this.usesOf(variable),
  });
  /** By the slots of results: those of arguments in whose place they may be written. */
  readonly replaceable = new Map<number, readonly number[]>();
  /** Whether a call may end in an error, with arguments as they were. */
  mayFail = false;
  /** Lines about what was compiled. */
  readonly notes: string[] = [];
  /** The function that is being written. */
  writer!: FunctionWriter;
  scalarCode!: ScalarCode;
  /** How many loops and branches surround what is being written. */
  depth = 0;
  /** Where the addresses of inputs and results given at each call lie in the arena. */
  readonly slotTable: Buffer;

  private arenaLocal = 0;
  private slotLocals: number[] = [];
  private readonly values = new Map<Variable, Value>();
  private readonly constantValues = new Map<Variable, Value>();
  private readonly uses = new Map<Variable, number>();
  private readonly resultSlots = new Map<Variable, Buffer>();
  private undo: (() => void)[] = [];
  private computed: Map<string, Element>[] = [];

  /** @param small the largest number of elements that are kept in locals; another one than usual is for tests. */
  constructor(
    readonly slotCount: number,
    readonly small = SMALL,
  ) {
    this.slotTable = this.arena.allocate(4 * slotCount);
    this.openFunction([], []);
  }

  /** Starts a function; what locals held before is not known in it. */
  openFunction(parameters: readonly "i32"[], results: readonly "i32"[]): void {
    const w = new FunctionWriter(parameters, results);
    this.writer = w;
    this.scalarCode = new ScalarCode(w, this.module);
    this.computed = [new Map()];
    w.global(ARENA);
    this.arenaLocal = w.keep("i32");
    this.slotLocals = Array.from({ length: this.slotCount }, (_, slot) => {
      w.get(this.arenaLocal);
      w.access("i32.load", this.slotTable.address + 4 * slot);
      return w.keep("i32");
    });
  }

  /** Ends the function as a part of the program. */
  closeFunction(kind: Part["kind"]): void {
    const name = String(this.parts.length);
    this.module.add(this.writer, name);
    this.parts.push({ kind, name });
  }

  /** Adds a line about the program, with the places where results are left. */
  note(line: string, results: readonly View[] = []): void {
    const places = results.map(({ buffer: { base, address } }) =>
      base.kind === "arena" ? String(address) : base.kind === "slot" ? `movable ${base.slot}` : "a part of a stack",
    );
    const arrow = places.length === 0 ? "" : ` -> ${[...new Set(places)].join(", ")}`;
    this.notes.push("  ".repeat(this.depth) + line + arrow);
  }

  /** Compiles the operations of a graph whose inputs and constants are defined. */
  writeGraph(graph: Graph): void {
    for (const equation of graph.equations) {
      if (this.depth === 0 && this.writer.locals.length > MANY_LOCALS) this.splitFunction();
      lower(this, equation);
    }
  }

  /** Whether the function that is written has so many locals that no more should be taken for single elements. */
  get crowded(): boolean {
    return this.writer.locals.length > 2 * MANY_LOCALS;
  }

  /** Goes on in a further function: engines limit the locals and the length of one. */
  private splitFunction(): void {
    this.groups.writeAll();
    this.spill();
    this.closeFunction("code");
    this.openFunction([], []);
  }

  /** Takes up the variables of a graph: how often each is used, and its constants. */
  enter(graph: Graph): void {
    const use = (v: Variable) => this.uses.set(v, (this.uses.get(v) ?? 0) + 1);
    for (const e of graph.equations) for (const v of e.inputs) use(v);
    for (const v of graph.outputs) use(v);
    for (const { variable } of graph.constants)
      this.define(variable, this.share(this.constantValues.get(variable) as Value));
  }

  /** Lays out the constants of a graph and of the graphs in it, before anything else may use their memory. */
  reserve(graph: Graph): void {
    for (const { variable, value } of graph.constants) {
      if (!this.constantValues.has(variable)) this.constantValues.set(variable, this.constant(value));
    }
    for (const { primitive, params } of graph.equations) {
      if (!primitive.opaque) continue;
      for (const inner of Object.values(params as object)) if (inner instanceof Graph) this.reserve(inner);
    }
  }

  /** Gives the inputs of a graph the values that are known outside of it. */
  bind(variables: readonly Variable[], values: readonly Value[]): void {
    variables.forEach((v, i) => {
      this.define(v, this.share(values[i]));
    });
  }

  /** Whether all elements of a variable are known to be one. */
  isUniform(variable: Variable): boolean {
    return this.values.get(variable)?.uniform !== undefined;
  }

  /** A further variable, used once, and where it is, if it is there. */
  introduce(shape: Shape, dtype: DType, view?: View): Variable {
    const variable = new Variable(-1, shape, dtype);
    this.uses.set(variable, 1);
    if (view !== undefined) this.define(variable, new Value(shape, dtype, { view }));
    return variable;
  }

  /** How often a variable is still used. */
  usesOf(variable: Variable): number {
    return this.uses.get(variable) ?? 0;
  }

  /** Says where a variable is. */
  define(variable: Variable, value: Value): void {
    if (this.usesOf(variable) === 0) this.drop(value);
    else this.values.set(variable, value);
  }

  /** Where a variable is; a group that still has to compute it is written first. */
  find(variable: Variable): Value {
    this.groups.require(variable);
    const value = this.values.get(variable);
    if (value === undefined) throw new Error(`variable %${variable.id} is not there`);
    return value;
  }

  /** One use less of a variable; after the last its memory is free. */
  release(variable: Variable): void {
    const left = this.usesOf(variable) - 1;
    this.uses.set(variable, left);
    if (left > 0) return;
    const value = this.values.get(variable);
    this.values.delete(variable);
    if (value !== undefined) this.drop(value);
  }

  /** The memory of a variable where this is its last use and no other value lies there, so that it may be overwritten. */
  ownPlace(variable: Variable): View | undefined {
    const { view, uniform, elements, shape } = this.find(variable);
    if (view === undefined || uniform !== undefined || elements !== undefined) return undefined;
    if (this.usesOf(variable) !== 1) return undefined;
    const { base, references, loops } = view.buffer;
    const alone = base.kind === "arena" && references === 1 + loops;
    return alone && view.offset === 0 && isContiguous(shape, view.strides) ? view : undefined;
  }

  /** Takes the memory of a variable over, which has none any more. */
  takePlace(variable: Variable): View | undefined {
    const place = this.ownPlace(variable);
    if (place !== undefined) {
      const { shape, dtype } = variable;
      this.values.set(variable, new Value(shape, dtype, { uniform: this.known(dtype, 0) }));
    }
    return place;
  }

  /** The same memory for another value. */
  shareView(view: View): View {
    view.buffer.references++;
    return view;
  }

  /** The same value for another owner. */
  share(value: Value): Value {
    if (value.view !== undefined) this.shareView(value.view);
    return new Value(value.shape, value.dtype, value);
  }

  drop(value: Value): void {
    if (value.view !== undefined) this.arena.release(value.view.buffer);
  }

  /** Makes large results lie where each call says. */
  placeResult(variable: Variable, slot: number): void {
    const bytes = sizeOf(variable.shape) * byteSize(variable.dtype);
    this.resultSlots.set(variable, { base: { kind: "slot", slot }, address: 0, bytes, references: 1, loops: 0 });
  }

  /** Row-major memory for a variable, where nothing lies. */
  allocate(variable: Variable): View {
    const home = this.destinations.freeHome(variable);
    if (home !== undefined) return this.shareView(home);
    const placed = this.resultSlots.get(variable);
    if (placed !== undefined) {
      this.resultSlots.delete(variable);
      return { buffer: placed, offset: 0, strides: rowMajorStrides(variable.shape) };
    }
    return this.allocateFor(variable.shape, variable.dtype);
  }

  /** New row-major memory. */
  allocateFor(shape: Shape, dtype: DType): View {
    const buffer = this.arena.allocate(sizeOf(shape) * byteSize(dtype));
    return { buffer, offset: 0, strides: rowMajorStrides(shape) };
  }

  /** The local that an address counts from. */
  baseLocal(base: Base): number {
    if (base.kind === "arena") return this.arenaLocal;
    return base.kind === "slot" ? this.slotLocals[base.slot] : base.local;
  }

  /** The first element of a view: a local with an address, and bytes to add to it. */
  locate({ buffer, offset }: View, dtype: DType): { base: number; offset: number } {
    return { base: this.baseLocal(buffer.base), offset: buffer.address + offset * byteSize(dtype) };
  }

  /** Leaves the address of a view's first element on the stack. */
  pushAddress(view: View, dtype: DType): void {
    const { base, offset } = this.locate(view, dtype);
    this.writer.get(base);
    if (offset === 0) return;
    this.writer.i32(offset);
    this.writer.op("i32.add");
  }

  /** Leaves an element on the stack. */
  push(element: Element): void {
    if (element.local !== undefined) this.writer.get(element.local);
    else this.writer.constant(element.type, element.constant as number);
  }

  /** Takes what is on the stack as an element. */
  take(dtype: DType): Element {
    const type = elementTypes[dtype];
    return { type, local: this.writer.keep(type) };
  }

  /** A known number as an element. */
  known(dtype: DType, constant: number): Element {
    return { type: elementTypes[dtype], constant };
  }

  /** All elements of a value in locals; loaded where they are in memory only. */
  elements(value: Value): readonly Element[] {
    if (value.elements !== undefined) return value.elements;
    if (value.uniform !== undefined) return new Array<Element>(value.size).fill(value.uniform);
    const view = value.view as View;
    const loaded = new Map<number, Element>();
    const elements = offsets(value.shape, view.strides).map((offset) => {
      let element = loaded.get(offset);
      if (element === undefined) {
        const place = this.locate({ ...view, offset: view.offset + offset }, value.dtype);
        this.writer.get(place.base);
        this.load(value.dtype, place.offset);
        element = this.take(value.dtype);
        loaded.set(offset, element);
      }
      return element;
    });
    value.elements = elements;
    this.undo.push(() => {
      value.elements = undefined;
    });
    return elements;
  }

  private load(dtype: DType, offset: number): void {
    this.writer.access(dtype === "bool" ? "i32.load8_u" : `${elementTypes[dtype]}.load`, offset);
  }

  /** The one element of a value of size 1. */
  element(value: Value): Element {
    return value.uniform ?? this.elements(value)[0];
  }

  /** A value's place in memory; written there where it is in locals only. */
  view(value: Value): View {
    if (value.view !== undefined) return value.view;
    const { uniform, dtype, shape } = value;
    const view = uniform === undefined ? this.allocateFor(shape, dtype) : this.allocateFor([], dtype);
    this.store(view, dtype, uniform === undefined ? (value.elements as readonly Element[]) : [uniform]);
    value.view = uniform === undefined ? view : { ...view, strides: shape.map(() => 0) };
    this.undo.push(() => {
      this.arena.release(view.buffer);
      value.view = undefined;
    });
    return value.view;
  }

  /** Writes elements one after the other. */
  store(view: View, dtype: DType, elements: readonly Element[]): void {
    const { base, offset } = this.locate(view, dtype);
    elements.forEach((element, i) => {
      this.writer.get(base);
      this.push(element);
      const name = dtype === "bool" ? "i32.store8" : `${elementTypes[dtype]}.store`;
      this.writer.access(name, offset + i * byteSize(dtype));
    });
  }

  /** Writes code that may not be run, or run again: what it finds out about places is forgotten after it. */
  scope(body: () => void): void {
    const outer = this.undo;
    this.undo = [];
    this.computed.push(new Map());
    this.depth++;
    body();
    this.depth--;
    this.computed.pop();
    for (const forget of this.undo.reverse()) forget();
    this.undo = outer;
  }

  /** Writes all that is known in locals only to memory, and forgets locals: a function ends. */
  spill(): void {
    for (const value of this.values.values()) {
      const kept = value.uniform?.constant !== undefined || value.elements?.every((e) => e.constant !== undefined);
      if (kept) continue;
      this.view(value);
    }
    for (const value of this.values.values()) {
      if (value.uniform?.local !== undefined) value.uniform = undefined;
      if (value.elements?.some((e) => e.local !== undefined)) value.elements = undefined;
    }
    this.undo = [];
  }

  /** The element known under a name of its computation, or computes it. */
  once(key: string, compute: () => Element): Element {
    for (const known of this.computed) {
      const element = known.get(key);
      if (element !== undefined) return element;
    }
    const element = compute();
    (this.computed.at(-1) as Map<string, Element>).set(key, element);
    return element;
  }

  private constant(tensor: Tensor): Value {
    const { shape, dtype } = tensor;
    const { data, strides, offset } = tensor.storage as HostStorage;
    const size = sizeOf(shape);
    if (size <= this.small) {
      const elements = Array.from(contiguousData(tensor), (x) => this.known(dtype, x));
      return new Value(shape, dtype, { elements });
    }
    if (strides.every((s, axis) => s === 0 || shape[axis] === 1)) {
      return new Value(shape, dtype, { uniform: this.known(dtype, data[offset]) });
    }
    const view = this.allocateFor(shape, dtype);
    this.constants.push({ address: view.buffer.address, data: contiguousData(tensor) });
    return new Value(shape, dtype, { view });
  }
}
