import { DTypeError } from "./errors.js";

/** Element type of a tensor. */
export type DType = "float32" | "float64" | "int32" | "bool";

/** The typed arrays that hold the four element types; `bool` is stored as bytes 0 and 1. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

/** @internal Bytes of a buffer that small arrays share: to make and free a buffer takes longer than to fill it. */
export const SHARED = 8192;
let shared = new ArrayBuffer(0);
let used = 0;

/** A zero-filled typed array of `size` elements; small ones are parts of a buffer that they share. */
export function allocate(dtype: DType, size: number): TypedArray {
  const constructor = constructors[dtype];
  if (constructor === undefined) requireKnownDType("tensor", dtype);
  const bytes = size * constructor.BYTES_PER_ELEMENT;
  // Engines keep arrays of up to 64 bytes among their objects, without a buffer.
  if (bytes <= 64 || bytes > SHARED / 4) return new constructor(size);
  if (used + bytes > shared.byteLength) {
    shared = new ArrayBuffer(SHARED);
    used = 8; // what lies in a shared buffer never begins at 0: see Tensor.data
  }
  const array = new constructor(shared, used, size);
  used += (bytes + 7) & -8;
  return array;
}

/** Throws for what is not a dtype, as callers without types may pass. */
export function requireKnownDType(operation: string, dtype: DType): void {
  if (!Object.hasOwn(constructors, dtype)) {
    throw new DTypeError(`${operation}: there is no dtype "${dtype}"; use ${Object.keys(constructors).join(", ")}`);
  }
}

/** From this many bytes on, writing zeros into fresh memory costs more than asking for it. */
const LARGE = 1 << 16;

/**
 * glibc's `malloc` asks the system for every large array anew, and pays a page fault for each 4 kB of it, until a block
 * has been freed that was mapped by itself: from then on it keeps blocks of up to that size, and free memory of twice it
 * (mallopt(3), "dynamic mmap threshold"; no block above 32 MiB counts). So one such block is asked for and dropped. It
 * is never written, hence never real. Without it two thirds of the time of `exp` of a million elements are page faults.
 */
const KEPT_BLOCK = 32 * 1024 * 1024 - 8192;
let keepsBlocks = false;

/**
 * A typed array for a kernel that writes every element. Node can give memory as it is, without zeros, which saves a
 * third of the time of adding large tensors; elsewhere the array is zero-filled.
 */
export function allocateUnwritten(dtype: DType, size: number): TypedArray {
  const construct = constructors[dtype];
  const bytes = size * construct.BYTES_PER_ELEMENT;
  const node = (globalThis as { Buffer?: { allocUnsafeSlow?(bytes: number): Uint8Array } }).Buffer;
  if (bytes < LARGE || node?.allocUnsafeSlow === undefined) return allocate(dtype, size);
  if (!keepsBlocks) {
    keepsBlocks = true;
    node.allocUnsafeSlow(KEPT_BLOCK);
  }
  const memory = node.allocUnsafeSlow(bytes);
  return new construct(memory.buffer as ArrayBuffer, memory.byteOffset, size);
}

/** Copies any numeric array into the storage type of `dtype`; bool becomes 0 or 1. */
export function convert(values: ArrayLike<number>, dtype: DType): TypedArray {
  requireKnownDType("tensor", dtype);
  if (dtype !== "bool") return new constructors[dtype](values);
  const out = new Uint8Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i] !== 0 ? 1 : 0;
  return out;
}

/** Bytes of one element. */
export function byteSize(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** The dtype of a typed array's elements, or undefined where tensors have none for it. */
export function dtypeOfArray(array: ArrayBufferView): DType | undefined {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Uint8Array) return "bool";
  return undefined;
}

const rank: Record<DType, number> = { bool: 0, int32: 1, float32: 2, float64: 3 };

/** The wider of two element types: bool < int32 < float32 < float64. */
export function promote(a: DType, b: DType): DType {
  return rank[a] >= rank[b] ? a : b;
}

/** Throws unless `dtype` is one of `allowed`. */
export function requireDType(operation: string, dtype: DType, allowed: readonly DType[]): void {
  if (!allowed.includes(dtype)) {
    throw new DTypeError(`${operation}: dtype ${dtype} is not supported; cast to ${allowed.join(" or ")} first`);
  }
}
