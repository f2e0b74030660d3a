import type { CgState, RelaxationMatrix } from "../relaxation.js";
import type { WasmRuntime } from "./runtime.js";

const DOUBLE = 8;

/** Bytes of a matrix, and of `vectors` vectors and `numbers` numbers beside it. */
function bytesOf(a: RelaxationMatrix, vectors: number, numbers: number): number {
  const n = a.diagonal.length;
  return (a.values.length + (1 + vectors) * n + numbers) * DOUBLE + (a.indices.length + 2 * n + 1) * 4;
}

/** Places a matrix and the vectors around it: float64 first, so that everything is aligned. */
class Placement {
  readonly pointers: { indptr: number; at: number; indices: number; values: number; d: number };
  private readonly buffer: ArrayBuffer;
  private next: number;

  constructor(a: RelaxationMatrix, base: number, buffer: ArrayBuffer) {
    this.buffer = buffer;
    this.next = base;
    const values = this.put(a.values);
    const d = this.put(a.diagonal);
    const integers = this.next;
    const indptr = this.next;
    const at = indptr + a.indptr.length * 4;
    const indices = at + a.at.length * 4;
    new Int32Array(buffer, indptr, a.indptr.length).set(a.indptr);
    new Int32Array(buffer, at, a.at.length).set(a.at);
    new Int32Array(buffer, indices, a.indices.length).set(a.indices);
    this.next = indices + a.indices.length * 4;
    if ((this.next - integers) % DOUBLE !== 0) this.next += 4;
    this.pointers = { indptr, at, indices, values, d };
  }

  room(length: number): number {
    const pointer = this.next;
    this.next += length * DOUBLE;
    return pointer;
  }

  put(values: Float64Array): number {
    const pointer = this.room(values.length);
    new Float64Array(this.buffer, pointer, values.length).set(values);
    return pointer;
  }

  view(pointer: number, length: number): Float64Array {
    return new Float64Array(this.buffer, pointer, length);
  }
}

/** See `relax` in ../relaxation.ts. */
export function wasmRelax(
  runtime: WasmRuntime,
  a: RelaxationMatrix,
  b: Float64Array,
  x: Float64Array,
  omega: number,
  symmetric: boolean,
  relative: number,
  absolute: number,
  limit: number,
): Float64Array {
  const n = x.length;
  return runtime.withMemory(bytesOf(a, 5, limit + 2), (kernels, base, buffer) => {
    const memory = new Placement(a, base, buffer);
    const { indptr, at, indices, values, d } = memory.pointers;
    const pointerB = memory.put(b);
    const pointerX = memory.put(x);
    const [u, w, norms] = [memory.room(n), memory.room(n), memory.room(limit + 1)];
    const v = symmetric ? memory.room(n) : 0;
    // biome-ignore format: addresses and numbers as the kernel takes them
    const sweeps = kernels.relax(
      n, indptr, at, indices, values, d, pointerB, pointerX, u, v, w, omega, relative, absolute, limit, norms,
    );
    x.set(memory.view(pointerX, n));
    return memory.view(norms, sweeps + 1).slice();
  });
}

/** See `sparseCg` in ../relaxation.ts. */
export function wasmSparseCg(
  runtime: WasmRuntime,
  a: RelaxationMatrix,
  b: Float64Array,
  state: CgState,
  omega: number,
  upperFirst: boolean,
  threshold: number,
  limit: number,
): Float64Array {
  const n = b.length;
  return runtime.withMemory(bytesOf(a, 7, limit + 3), (kernels, base, buffer) => {
    const memory = new Placement(a, base, buffer);
    const { indptr, at, indices, values, d } = memory.pointers;
    const pointerB = memory.put(b);
    const [x, r, p] = [memory.put(state.x), memory.put(state.r), memory.put(state.p)];
    const [q, z, w, norms] = [memory.room(n), memory.room(n), memory.room(n), memory.room(limit + 1)];
    const rho = memory.put(Float64Array.of(state.rho));
    // biome-ignore format: addresses and numbers as the kernel takes them
    const count = kernels.sparseCg(
      n, indptr, at, indices, values, d, pointerB, x, r, p, q, z, w, omega, upperFirst ? 1 : 0, threshold, limit, norms, rho,
    );
    state.x.set(memory.view(x, n));
    state.r.set(memory.view(r, n));
    state.p.set(memory.view(p, n));
    state.rho = memory.view(rho, 1)[0]!;
    return memory.view(norms, count + 1).slice();
  });
}
