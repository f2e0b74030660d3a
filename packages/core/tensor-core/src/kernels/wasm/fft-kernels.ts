import type { FloatArray } from "../arrays.js";

/** Arrays seen as `[outer, n, inner]`, transformed along the middle axis. */
export interface AxisLayout {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
}

/** A memory in which transforms are made, with room for tables. */
export interface FftRoom {
  readonly memory: WebAssembly.Memory;
  /** The address of so many bytes that stay, a multiple of 16; undefined where there is no room. */
  allocate(bytes: number): number | undefined;
}

/** The passes of one length: radices of 2 to 5, and the numbers that they multiply by. */
export interface FftPlan {
  readonly n: number;
  readonly radices: readonly number[];
  /** cos and sin, pass by pass; see assembly/fft/stages.ts. */
  readonly twiddles: Float64Array;
}

type Kernel = (...numbers: number[]) => void;

interface Exports {
  readonly complex_32: Kernel;
  readonly complex_64: Kernel;
  readonly realOf_32: Kernel;
  readonly realOf_64: Kernel;
  readonly realFrom_32: Kernel;
  readonly realFrom_64: Kernel;
}

/** Which transform: of complex numbers, of real ones, and real ones from half of their terms. */
export type FftKind = "complex" | "realOf" | "realFrom";

const TWIDDLES = 256;
/** Points worked on at a time: four blocks of them stay in the cache. */
const BLOCK_POINTS = 1024;

/** The transforms of WebAssembly in one memory. */
export class FftKernels {
  private readonly exports: Exports;
  private readonly plans = new Map<number, number>();
  private work = 0;
  private workBytes = 0;

  constructor(
    module: WebAssembly.Module,
    private readonly room: FftRoom,
  ) {
    this.exports = new WebAssembly.Instance(module, { env: { memory: room.memory } }).exports as unknown as Exports;
  }

  /**
   * Transforms arrays at addresses; false where there is no room for it.
   * @param wide whether elements are float64
   * @param addresses of real and imaginary parts given, then of those to be written; `realOf` has one part given,
   * `realFrom` one to be written
   * @param last the factor of `complex`, the number of terms of `realOf`
   */
  run(
    kind: FftKind,
    wide: boolean,
    addresses: readonly number[],
    layout: AxisLayout,
    plan: FftPlan,
    last: number,
  ): boolean {
    const { outer, n, inner } = layout;
    const lanes = kind === "complex" ? outer * inner : Math.ceil((outer * inner) / 2);
    const width = 2 * Math.max(1, Math.min(Math.floor(BLOCK_POINTS / n / 2), Math.ceil(lanes / 2)));
    const table = this.planAddress(plan);
    if (table === undefined || !this.reserve(4 * 8 * n * width)) return false;
    const kernel = this.exports[`${kind}_${wide ? 64 : 32}`];
    if (kind === "realFrom") kernel(...addresses, outer, n, inner, table, this.work, width);
    else kernel(...addresses, outer, n, inner, last, table, this.work, width);
    return true;
  }

  private reserve(bytes: number): boolean {
    if (bytes <= this.workBytes) return true;
    const size = Math.max(4 * 8 * BLOCK_POINTS, 2 * bytes);
    const address = this.room.allocate(size);
    if (address === undefined) return false;
    this.work = address;
    this.workBytes = size;
    return true;
  }

  private planAddress({ n, radices, twiddles }: FftPlan): number | undefined {
    const known = this.plans.get(n);
    if (known !== undefined) return known;
    const address = this.room.allocate(TWIDDLES + twiddles.byteLength);
    if (address === undefined) return undefined;
    const { buffer } = this.room.memory;
    new Int32Array(buffer, address, 1 + radices.length).set([radices.length, ...radices]);
    new Float64Array(buffer, address + TWIDDLES, twiddles.length).set(twiddles);
    this.plans.set(n, address);
    return address;
  }
}

/** Elements of an array that lie in the memory at a time. */
const CHUNK = 1 << 15;
const PAGE = 65536;

/** A memory of its own, through which arrays of JavaScript go in parts. */
export class FftRuntime {
  private readonly room = growingRoom();
  private readonly kernels: FftKernels;
  private ports = 0;
  private portBytes = 0;

  constructor(module: WebAssembly.Module) {
    this.kernels = new FftKernels(module, this.room);
  }

  /** Transforms arrays `[outer, from, inner]` into arrays `[outer, to, inner]`; `last` as for {@link FftKernels.run}. */
  run(
    kind: FftKind,
    given: readonly FloatArray[],
    written: readonly FloatArray[],
    layout: AxisLayout,
    rows: { readonly from: number; readonly to: number },
    plan: FftPlan,
    last: number,
  ): void {
    const { outer, n, inner } = layout;
    const most = Math.max(rows.from, rows.to);
    const columns = Math.max(1, Math.min(inner, Math.floor(CHUNK / most)));
    const groups = columns === inner ? Math.max(1, Math.min(outer, Math.floor(CHUNK / (most * inner)))) : 1;
    const wide = given[0] instanceof Float64Array;
    const size = Math.ceil((groups * most * columns * (wide ? 8 : 4)) / 16) * 16;
    if (4 * size > this.portBytes) {
      this.portBytes = 4 * size;
      this.ports = this.room.allocate(this.portBytes);
    }
    const addresses = [...given, ...written].map((_, i) => this.ports + i * size);
    for (let group = 0; group < outer; group += groups) {
      const count = Math.min(groups, outer - group);
      for (let column = 0; column < inner; column += columns) {
        const width = Math.min(columns, inner - column);
        const place = (array: FloatArray, address: number, length: number, inwards: boolean) =>
          this.move(array, address, { group, count, column, width, inner, length }, inwards);
        given.forEach((array, i) => place(array, addresses[i], rows.from, true));
        this.kernels.run(kind, wide, addresses, { outer: count, n, inner: width }, plan, last);
        written.forEach((array, i) => place(array, addresses[given.length + i], rows.to, false));
      }
    }
  }

  /** Copies a part of an array in or out. */
  private move(array: FloatArray, address: number, part: Part, inwards: boolean): void {
    const { group, count, column, width, inner, length } = part;
    const { buffer } = this.room.memory;
    const Floats = array instanceof Float64Array ? Float64Array : Float32Array;
    const view = new Floats(buffer, address, count * length * width);
    const copy = (at: number, from: number, size: number) => {
      if (inwards) view.set(array.subarray(from, from + size), at);
      else array.set(view.subarray(at, at + size), from);
    };
    if (width === inner) copy(0, group * length * inner, view.length);
    else for (let k = 0; k < length; k++) copy(k * width, (group * length + k) * inner + column, width);
  }
}

interface Part {
  readonly group: number;
  readonly count: number;
  readonly column: number;
  readonly width: number;
  readonly inner: number;
  readonly length: number;
}

/** A memory that grows with what is asked of it, after 64 MB: pages that are not touched take no room, growing detaches. */
function growingRoom(): { readonly memory: WebAssembly.Memory; allocate(bytes: number): number } {
  const memory = new WebAssembly.Memory({ initial: 1000 });
  let top = 16;
  return {
    memory,
    allocate(bytes) {
      const address = top;
      top += Math.ceil(bytes / 16) * 16;
      const missing = top - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      return address;
    },
  };
}
