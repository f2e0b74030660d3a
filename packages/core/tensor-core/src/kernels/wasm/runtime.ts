import type { FloatArray } from "../arrays.js";
import type { BinaryName } from "../binary.js";
import type { MapName } from "../map.js";
import { wasmBase64 } from "./wasm-bytes.js";

type Bits = 32 | 64;
type Gemm = (
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
) => void;

/** What the module exports; pointers and counts are plain numbers. See assembly/ for their meaning. */
export type WasmKernels = Record<`${MapName}_${Bits}`, (p: number, n: number) => number> &
  Record<`${BinaryName}_${Bits}`, (a: number, b: number, n: number) => void> &
  Record<`mapAny_${Bits}`, (which: number, p: number, n: number) => void> &
  Record<`sum_${Bits}`, (p: number, n: number) => number> &
  Record<`gemm_${Bits}`, Gemm> & {
    readonly memory: WebAssembly.Memory;
    heapBase(): number;
    cholesky(n: number, a: number): number;
    eigh(n: number, a: number, d: number, z: number, work: number): number;
    jacobiRows(n: number, columns: number, r: number, j: number, norms: number): number;
    lu(rows: number, columns: number, a: number, order: number): number;
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
  };

const PAGE = 65536;
/** Memory above this is given back after the call that needed it: it only shrinks with its instance. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** One chunk of an elementwise kernel: two of them stay in the second-level cache. */
const CHUNK_BYTES = 32 * 1024;

function decode(): Uint8Array<ArrayBuffer> {
  const text = atob(wasmBase64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Compiles the kernels at once; throws where SIMD is missing or the page forbids it. */
export function compileSync(): WebAssembly.Module {
  return new WebAssembly.Module(decode());
}

/** Compiles the kernels without blocking. */
export function compileAsync(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(decode());
}

/** Two typed views of `CHUNK_BYTES` each at the start of the memory, and where they lie. */
export interface Chunks<A extends FloatArray> {
  readonly size: number;
  readonly first: A;
  readonly second: A;
  readonly firstPointer: number;
  readonly secondPointer: number;
}

/** An instance of the kernels with its memory, of which every call uses as much as it needs from the same base on. */
export class WasmRuntime {
  readonly #module: WebAssembly.Module;
  #kernels!: WasmKernels;
  #base = 0;
  #chunks32!: Chunks<Float32Array>;
  #chunks64!: Chunks<Float64Array>;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#instantiate();
  }

  #instantiate(): void {
    this.#kernels = new WebAssembly.Instance(this.#module).exports as unknown as WasmKernels;
    this.#base = (this.#kernels.heapBase() + 63) & ~63;
    this.#grow(2 * CHUNK_BYTES);
    this.#viewChunks();
  }

  #grow(bytes: number): boolean {
    const { memory } = this.#kernels;
    const missing = this.#base + bytes - memory.buffer.byteLength;
    if (missing <= 0) return false;
    memory.grow(Math.ceil(missing / PAGE));
    return true;
  }

  /** Growing the memory detaches its buffer, and the views with it. */
  #viewChunks(): void {
    const { buffer } = this.#kernels.memory;
    const pointers = { firstPointer: this.#base, secondPointer: this.#base + CHUNK_BYTES };
    const view = <A extends FloatArray>(make: new (b: ArrayBuffer, p: number, n: number) => A, size: number) => ({
      size,
      first: new make(buffer, pointers.firstPointer, size),
      second: new make(buffer, pointers.secondPointer, size),
      ...pointers,
    });
    this.#chunks32 = view(Float32Array, CHUNK_BYTES / 4);
    this.#chunks64 = view(Float64Array, CHUNK_BYTES / 8);
  }

  get kernels(): WasmKernels {
    return this.#kernels;
  }

  /** The two chunks, viewed as the type of `model`. */
  chunks<A extends FloatArray>(model: A): Chunks<A> {
    return (model instanceof Float32Array ? this.#chunks32 : this.#chunks64) as unknown as Chunks<A>;
  }

  /** Size of the memory now, in bytes. */
  get memoryBytes(): number {
    return this.#kernels.memory.buffer.byteLength;
  }

  /**
   * Runs a kernel that needs `bytes` of memory: `use` receives the kernels, the first address and the buffer, which it
   * must not keep. What it needs beyond the kept size is released afterwards.
   */
  withMemory<R>(bytes: number, use: (kernels: WasmKernels, base: number, buffer: ArrayBuffer) => R): R {
    if (this.#grow(bytes)) this.#viewChunks();
    try {
      return use(this.#kernels, this.#base, this.#kernels.memory.buffer);
    } finally {
      if (this.memoryBytes > KEPT_BYTES) this.#instantiate();
    }
  }
}
