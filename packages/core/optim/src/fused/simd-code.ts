/** Element type of the lanes of a vector: four float32 or two float64. */
export type Lane = "float32" | "float64";

/** Opcodes of WebAssembly's 128-bit SIMD instructions, by lane where they have one. */
const opcodes = {
  load: 0x00,
  store: 0x0b,
  constant: 0x0c,
  and: 0x4e,
  or: 0x50,
  not: 0x4d,
  select: 0x52,
} as const;

const laneOpcodes = {
  splat: { float32: 0x13, float64: 0x14 },
  abs: { float32: 0xe0, float64: 0xec },
  neg: { float32: 0xe1, float64: 0xed },
  sqrt: { float32: 0xe3, float64: 0xef },
  add: { float32: 0xe4, float64: 0xf0 },
  sub: { float32: 0xe5, float64: 0xf1 },
  mul: { float32: 0xe6, float64: 0xf2 },
  div: { float32: 0xe7, float64: 0xf3 },
  min: { float32: 0xe8, float64: 0xf4 },
  max: { float32: 0xe9, float64: 0xf5 },
  equal: { float32: 0x41, float64: 0x47 },
  notEqual: { float32: 0x42, float64: 0x48 },
  less: { float32: 0x43, float64: 0x49 },
  lessEqual: { float32: 0x45, float64: 0x4b },
  nearest: { float32: 0x6a, float64: 0x94 },
  shiftInteger: { float32: 0xab, float64: 0xcb },
  addInteger: { float32: 0xae, float64: 0xce },
} as const;

/** Names of instructions that take and give vectors. */
export type LaneOperation = Exclude<keyof typeof laneOpcodes, "splat"> | "and" | "or" | "not" | "select";

const F32 = 0x7d;
const F64 = 0x7c;
const I32 = 0x7f;
const V128 = 0x7b;
const SIMD = 0xfd;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/**
 * Writes one WebAssembly function that walks over arrays in memory, 16 bytes at a time. Its parameters are the number of
 * bytes to walk over and `scalars` numbers.
 */
export class SimdCode {
  private readonly before: number[] = [];
  private readonly body: number[] = [];
  private readonly constants = new Map<string, number>();
  private target = this.before;
  private vectors = 0;

  constructor(
    readonly lane: Lane,
    private readonly scalars: number,
  ) {}

  /** A new vector variable. */
  variable(): number {
    // Parameters come first, then the offset.
    return this.scalars + 2 + this.vectors++;
  }

  private get offset(): number {
    return this.scalars + 1;
  }

  /** From here on the code is repeated for every 16 bytes. */
  beginLoop(): void {
    this.target = this.body;
  }

  /** Pushes a variable. */
  get(variable: number): this {
    this.target.push(0x20, ...unsigned(variable));
    return this;
  }

  /** Pops into a variable. */
  set(variable: number): this {
    this.target.push(0x21, ...unsigned(variable));
    return this;
  }

  /** An instruction on what was pushed. */
  op(name: LaneOperation): this {
    const code =
      name in laneOpcodes ? laneOpcodes[name as keyof typeof laneOpcodes][this.lane] : opcodes[name as "and"];
    this.target.push(SIMD, ...unsigned(code));
    return this;
  }

  /** Pushes a number in every lane. It is made once, before the loop. */
  constant(value: number): this {
    const key = Object.is(value, -0) ? "-0" : String(value);
    let variable = this.constants.get(key);
    if (variable === undefined) {
      variable = this.variable();
      this.constants.set(key, variable);
      const lanes = this.lane === "float32" ? new Float32Array(4).fill(value) : new Float64Array(2).fill(value);
      this.before.push(SIMD, opcodes.constant, ...new Uint8Array(lanes.buffer), 0x21, ...unsigned(variable));
    }
    return this.get(variable);
  }

  /** Pushes parameter `index` in every lane. */
  splat(index: number): this {
    this.get(index + 1);
    this.target.push(SIMD, laneOpcodes.splat[this.lane]);
    return this;
  }

  /** Shifts what was pushed, seen as integers, to the left. */
  shift(bits: number): this {
    this.target.push(0x41, ...signed(bits));
    return this.op("shiftInteger");
  }

  /** Pushes the present 16 bytes of the array at `address`. */
  load(address: number): this {
    this.get(this.offset);
    this.target.push(SIMD, opcodes.load, 4, ...unsigned(address));
    return this;
  }

  /** Stores a variable to the present 16 bytes of the array at `address`. */
  store(address: number, variable: number): this {
    this.get(this.offset).get(variable);
    this.target.push(SIMD, opcodes.store, 4, ...unsigned(address));
    return this;
  }

  /** The bytes of a module that imports `m.m`, a memory, and exports the function as `f`. */
  module(): Uint8Array<ArrayBuffer> {
    const number = this.lane === "float32" ? F32 : F64;
    const parameters = [I32, ...new Array<number>(this.scalars).fill(number)];
    const next = [0x20, ...unsigned(this.offset), 0x41, 16, 0x6a, 0x22, ...unsigned(this.offset)];
    const code = [
      ...[2, 1, I32, ...unsigned(this.vectors), V128],
      ...this.before,
      ...[0x03, 0x40],
      ...this.body,
      ...next,
      // while (offset < end)
      ...[0x20, 0, 0x49, 0x0d, 0, 0x0b],
      0x0b,
    ];
    return Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, [1, 0x60, ...unsigned(parameters.length), ...parameters, 0]),
      ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 0]),
      ...section(3, [1, 0]),
      ...section(7, [1, 1, 0x66, 0, 0]),
      ...section(10, [1, ...unsigned(code.length), ...code]),
    ]);
  }
}
