import type { FloatArray } from "../arrays.js";
import type { BinaryName } from "../binary.js";
import type { MapName } from "../map.js";
import { wasmBase64 } from "./wasm-bytes.js";

/** Reductions of a contiguous run to one number. */
export type Reduction = "sum" | "max" | "min";

/** The kernels that exist for float32 and float64 under one name; pointers and counts are plain numbers. */
export type Operations = Record<MapName, (p: number, n: number) => number> &
  Record<BinaryName, (a: number, b: number, n: number) => void> &
  Record<Reduction, (p: number, n: number) => number> & {
    mapAny(which: number, p: number, n: number): void;
    gemv(rows: number, columns: number, a: number, columnMajor: number, x: number, y: number): void;
    gemm(
      rows: number,
      columns: number,
      depth: number,
      a: number,
      aRow: number,
      aColumn: number,
      b: number,
      bRow: number,
      bColumn: number,
      c: number,
      cStride: number,
    ): void;
  };

/** The kernels that compute in float64 only, and the memory; see assembly/ for the meaning of the arguments. */
export interface WasmKernels {
  heapBase(): number;
  cholesky(n: number, a: number): number;
  choleskyInverse(n: number, l: number, x: number): void;
  eigh(n: number, a: number, d: number, z: number, work: number): number;
  jacobiRows(n: number, columns: number, r: number, j: number, norms: number): number;
  lu(rows: number, columns: number, a: number, order: number): number;
  relax(
    n: number,
    indptr: number,
    at: number,
    indices: number,
    values: number,
    d: number,
    b: number,
    x: number,
    u: number,
    v: number,
    w: number,
    omega: number,
    relative: number,
    absolute: number,
    limit: number,
    norms: number,
  ): number;
  sparseCg(
    n: number,
    indptr: number,
    at: number,
    indices: number,
    values: number,
    d: number,
    b: number,
    x: number,
    r: number,
    p: number,
    q: number,
    z: number,
    w: number,
    omega: number,
    upperFirst: number,
    threshold: number,
    limit: number,
    norms: number,
    rho: number,
  ): number;
  narrow(values: number, n: number): void;
  normals(state: number, tables: number, out: number, n: number): void;
  qr(rows: number, columns: number, a: number, q: number, work: number): void;
  triangularSolve(
    n: number,
    columns: number,
    a: number,
    aRow: number,
    aColumn: number,
    b: number,
    lower: number,
    unit: number,
  ): void;
}

const PAGE = 65536;
/**
 * Every instance has so much memory; pages that are not touched take no room. A memory that grew would detach its buffer,
 * and V8 makes loops over typed arrays a third slower for good once any buffer of the process has been detached.
 */
const KEPT_BYTES = 1000 * PAGE;
/** One chunk of an elementwise kernel: two of them stay in the second-level cache. */
const CHUNK_BYTES = 32 * 1024;

/** The binary that is written as base64. */
export function decodeModule(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Compiles the kernels at once; throws where SIMD is missing or the page forbids it. */
export function compileSync(): WebAssembly.Module {
  return new WebAssembly.Module(decodeModule(wasmBase64));
}

/** Compiles the kernels without blocking. */
export function compileAsync(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(decodeModule(wasmBase64));
}

/** The exports that end in `suffix`, under their names without it. */
function operationsOf(exports: WebAssembly.Exports, suffix: string): Operations {
  const found = Object.entries(exports).filter(([name]) => name.endsWith(suffix));
  return Object.fromEntries(found.map(([name, f]) => [name.slice(0, -suffix.length), f])) as unknown as Operations;
}

/** What one element type needs: its kernels, and two typed views of `CHUNK_BYTES` each at the start of the memory. */
export interface Lane<A extends FloatArray> {
  readonly operations: Operations;
  /** Elements of a chunk. */
  readonly size: number;
  readonly first: A;
  readonly second: A;
  readonly firstPointer: number;
  readonly secondPointer: number;
}

/** An instance of the kernels with its memory, of which every call uses as much as it needs from the same base on. */
export class WasmRuntime {
  readonly #module: WebAssembly.Module;
  #memory!: WebAssembly.Memory;
  #kernels!: WasmKernels;
  #base = 0;
  #operations32!: Operations;
  #operations64!: Operations;
  #lane32!: Lane<Float32Array>;
  #lane64!: Lane<Float64Array>;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#instantiate();
  }

  #instantiate(bytes = KEPT_BYTES): void {
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
    const { exports } = new WebAssembly.Instance(this.#module, { env: { memory: this.#memory } });
    this.#kernels = exports as unknown as WasmKernels;
    this.#operations32 = operationsOf(exports, "_32");
    this.#operations64 = operationsOf(exports, "_64");
    this.#base = (this.#kernels.heapBase() + 63) & ~63;
    this.#viewLanes();
  }

  #viewLanes(): void {
    const { buffer } = this.#memory;
    const pointers = { firstPointer: this.#base, secondPointer: this.#base + CHUNK_BYTES };
    const lane = <A extends FloatArray>(
      operations: Operations,
      make: new (b: ArrayBuffer, p: number, n: number) => A,
      size: number,
    ): Lane<A> => ({
      operations,
      size,
      first: new make(buffer, pointers.firstPointer, size),
      second: new make(buffer, pointers.secondPointer, size),
      ...pointers,
    });
    this.#lane32 = lane(this.#operations32, Float32Array, CHUNK_BYTES / 4);
    this.#lane64 = lane(this.#operations64, Float64Array, CHUNK_BYTES / 8);
  }

  /** Kernels and chunks for the element type of `model`. */
  lane<A extends FloatArray>(model: A): Lane<A> {
    return (model instanceof Float32Array ? this.#lane32 : this.#lane64) as unknown as Lane<A>;
  }

  /** Size of the memory now, in bytes. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Runs a kernel that needs `bytes` of memory: `use` receives the kernels, the first address and the buffer, which it
   * must not keep. Where that is more than is kept, it has an instance of its own.
   */
  withMemory<R>(bytes: number, use: (kernels: WasmKernels, base: number, buffer: ArrayBuffer) => R): R {
    const needed = this.#base + bytes;
    if (needed > KEPT_BYTES) this.#instantiate(needed);
    try {
      return use(this.#kernels, this.#base, this.#memory.buffer);
    } finally {
      if (needed > KEPT_BYTES) this.#instantiate();
    }
  }
}
