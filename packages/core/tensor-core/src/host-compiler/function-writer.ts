import { Bytes } from "./bytes.js";
import { accesses, laneAccesses, laneOpcodes, opcodes, VECTOR } from "./instructions.js";

/** Types of values of a function. */
export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";

/** How types are written in a binary. */
export const typeCodes: Readonly<Record<WasmType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** What a call names: a function whose index is known when the module is complete. */
export interface Callee {
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
}

const VOID = 0x40;

/** Writes one function, instruction by instruction; instructions take their operands from the stack. */
export class FunctionWriter implements Callee {
  /** Locals after the parameters. */
  readonly locals: WasmType[] = [];
  /** Calls, whose targets are filled in when the module is complete. */
  readonly calls: { readonly at: number; readonly callee: Callee }[] = [];
  readonly code = new Bytes();

  constructor(
    readonly parameters: readonly WasmType[],
    readonly results: readonly WasmType[],
  ) {}

  /** Locals that nothing uses any more. */
  private readonly free: Record<WasmType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  /** Locals taken since the outermost `temporary` began. */
  private taken: [WasmType, number][] | undefined;

  /** A local variable, whose value is whatever it was. */
  local(type: WasmType): number {
    const local = this.free[type].pop() ?? this.parameters.length + this.locals.push(type) - 1;
    this.taken?.push([type, local]);
    return local;
  }

  /** Writes code whose locals are not used after it: others may take them. */
  temporary(body: () => void): void {
    const outer = this.taken;
    this.taken = [];
    body();
    for (const [type, local] of this.taken) this.free[type].push(local);
    this.taken = outer;
  }

  get(local: number): void {
    this.code.byte(0x20);
    this.code.unsigned(local);
  }

  set(local: number): void {
    this.code.byte(0x21);
    this.code.unsigned(local);
  }

  tee(local: number): void {
    this.code.byte(0x22);
    this.code.unsigned(local);
  }

  /** Takes the value on the stack into a new local. */
  keep(type: WasmType): number {
    const local = this.local(type);
    this.set(local);
    return local;
  }

  global(index: number): void {
    this.code.byte(0x23);
    this.code.unsigned(index);
  }

  i32(value: number): void {
    this.code.byte(0x41);
    this.code.signed(value);
  }

  f32(value: number): void {
    this.code.byte(0x43);
    this.code.float32(value);
  }

  f64(value: number): void {
    this.code.byte(0x44);
    this.code.float64(value);
  }

  /** A number of the given type. */
  constant(type: "i32" | "f32" | "f64", value: number): void {
    this[type](value);
  }

  /** A vector with the same number in every lane. */
  vector(lanes: "f64x2" | "f32x4" | "i32x4", value: number): void {
    this.opcode(VECTOR + 0x0c);
    for (let i = 0; i < (lanes === "f64x2" ? 2 : 4); i++) {
      if (lanes === "f64x2") this.code.float64(value);
      else if (lanes === "f32x4") this.code.float32(value);
      else for (let k = 0; k < 4; k++) this.code.byte((value >> (8 * k)) & 0xff);
    }
  }

  /** A vector of two equal 64-bit patterns. */
  vectorBits(value: bigint): void {
    this.opcode(VECTOR + 0x0c);
    this.code.bits64(value);
    this.code.bits64(value);
  }

  /** Instructions without immediates, by name. */
  op(...names: readonly string[]): void {
    for (const name of names) {
      const opcode = opcodes.get(name);
      if (opcode === undefined) throw new Error(`there is no instruction ${name}`);
      this.opcode(opcode);
    }
  }

  /** A load or store at a constant distance from the address on the stack. */
  access(name: string, offset = 0): void {
    const [opcode, alignment] = accesses[name];
    this.opcode(opcode);
    this.code.unsigned(alignment);
    this.code.unsigned(offset);
  }

  /** A load or store of one lane. */
  laneAccess(name: string, lane: number, offset = 0): void {
    const [opcode, alignment] = laneAccesses[name];
    this.opcode(opcode);
    this.code.unsigned(alignment);
    this.code.unsigned(offset);
    this.code.byte(lane);
  }

  /** Writes the first `count` elements of so many bytes of the vector in a local. */
  storeElements(pointer: number, vector: number, bytes: number, count: number, offset = 0): void {
    if (count * bytes === 16) {
      this.get(pointer);
      this.get(vector);
      this.access("v128.store", offset);
      return;
    }
    for (let lane = 0; lane < count; lane++) {
      this.get(pointer);
      this.get(vector);
      this.laneAccess(bytes === 4 ? "v128.store32_lane" : "v128.store64_lane", lane, offset + bytes * lane);
    }
  }

  /** An instruction that names a lane. */
  lane(name: string, lane: number): void {
    this.opcode(laneOpcodes[name]);
    this.code.byte(lane);
  }

  /** The bytes of two vectors in a new order. */
  shuffle(order: readonly number[]): void {
    this.opcode(VECTOR + 0x0d);
    for (const byte of order) this.code.byte(byte);
  }

  /** A 64-bit integer from a float64, the nearest where it is too large. */
  truncateToI64(): void {
    this.code.byte(0xfc);
    this.code.unsigned(6);
  }

  /** Copies memory: destination, source, bytes. */
  memoryCopy(): void {
    for (const byte of [0xfc, 10, 0, 0]) this.code.byte(byte);
  }

  /** Fills memory: destination, byte, count. */
  memoryFill(): void {
    for (const byte of [0xfc, 11, 0]) this.code.byte(byte);
  }

  call(callee: Callee): void {
    this.code.byte(0x10);
    this.calls.push({ at: this.code.length, callee });
    this.code.padded(0);
  }

  /** A block that `branch` leaves at its end. */
  block(body: () => void): void {
    this.structure(0x02, body);
  }

  /** A block that `branch` repeats from its start. */
  loop(body: () => void): void {
    this.structure(0x03, body);
  }

  /** A branch on the condition on the stack. */
  if(yes: () => void, no?: () => void): void {
    this.code.byte(0x04);
    this.code.byte(VOID);
    yes();
    if (no !== undefined) {
      this.code.byte(0x05);
      no();
    }
    this.code.byte(0x0b);
  }

  private structure(opcode: number, body: () => void): void {
    this.code.byte(opcode);
    this.code.byte(VOID);
    body();
    this.code.byte(0x0b);
  }

  /** Goes to the block or loop `depth` levels out. */
  branch(depth: number): void {
    this.code.byte(0x0c);
    this.code.unsigned(depth);
  }

  /** The same where the value on the stack is not 0. */
  branchIf(depth: number): void {
    this.code.byte(0x0d);
    this.code.unsigned(depth);
  }

  return(): void {
    this.code.byte(0x0f);
  }

  /** Repeats `body` a constant number of times, at least once. */
  repeat(count: number, body: () => void): void {
    if (count === 1) {
      body();
      return;
    }
    const left = this.local("i32");
    this.i32(count);
    this.set(left);
    this.loop(() => {
      body();
      this.get(left);
      this.i32(-1);
      this.op("i32.add");
      this.tee(left);
      this.branchIf(0);
    });
  }

  /** Nested loops of constant counts, at least 1, that move pointers along; afterwards these are where they were. */
  walk(
    counts: readonly number[],
    moves: readonly { readonly pointer: number; readonly steps: readonly number[] }[],
    body: () => void,
    axis = 0,
  ): void {
    if (axis === counts.length) {
      body();
      return;
    }
    this.repeat(counts[axis], () => {
      this.walk(counts, moves, body, axis + 1);
      for (const { pointer, steps } of moves) this.advance(pointer, steps[axis]);
    });
    for (const { pointer, steps } of moves) this.advance(pointer, -counts[axis] * steps[axis]);
  }

  /** Adds a constant to a local. */
  advance(local: number, by: number): void {
    if (by === 0) return;
    this.get(local);
    this.i32(by);
    this.op("i32.add");
    this.set(local);
  }

  private opcode(opcode: number): void {
    if (opcode >= VECTOR) {
      this.code.byte(0xfd);
      this.code.unsigned(opcode - VECTOR);
    } else this.code.byte(opcode);
  }
}
