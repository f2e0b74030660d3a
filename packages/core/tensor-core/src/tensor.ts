import ndarray from "ndarray";
import { allocate, allocateUnwritten, convert, type DType, SHARED, type TypedArray } from "./dtype.js";
import { TraceError, UnsupportedError, ValueError } from "./errors.js";
import { formatTensor } from "./format.js";
import type { NdArray, NdArrayLike } from "./ndarray-view.js";
import { rowMajorStrides, type Shape, sizeOf } from "./shape.js";
import type { DeviceStorage, HostStorage, Storage } from "./storage.js";
import { copyStrided } from "./strided.js";
import type { TapeRecord } from "./tape.js";

/** Marks tensors across copies of this package, where `instanceof` would fail. */
export const tensorBrand: unique symbol = Symbol.for("@offprint/tensor-core/Tensor") as never;

/** Nested arrays of numbers or booleans, as `toArray` gives and `tensor` takes. */
export type NestedArray = number | boolean | readonly NestedArray[];

/** Nested arrays whose innermost rows are typed arrays of one kind, such as a `Float32Array` for each sample. */
export type NestedRows = readonly (TypedArray | NestedRows)[];

/** Everything that a function of tensors accepts as a tensor. */
export type TensorLike = Tensor | NdArrayLike | TypedArray | NestedArray | NestedRows;

/**
 * An immutable n-dimensional array. Its values are in memory, or stand for a place in a trace, for one example
 * of a batch, or for memory on a device; functions of tensors work on all of them alike.
 */
export class Tensor {
  readonly [tensorBrand] = true;
  /** Extent along each axis; `[]` for a scalar. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: DType;
  /** @internal Replaced only by the same values elsewhere. */
  storage: Storage;
  /** @internal How the value was computed, while a gradient is being taken. */
  readonly record: TapeRecord | null;
  /** @internal Which output of `record` this is. */
  readonly outputIndex: number;
  /** @internal The value in float64, for what comes of plain numbers alone; see `literals.ts`. */
  readonly wide: (() => Tensor) | null;

  /** @internal Use `tensor`, `zeros` and the like. */
  constructor(
    shape: Shape,
    dtype: DType,
    storage: Storage,
    record: TapeRecord | null = null,
    outputIndex = 0,
    wide: (() => Tensor) | null = null,
  ) {
    this.shape = shape;
    this.dtype = dtype;
    this.storage = storage;
    this.record = record;
    this.outputIndex = outputIndex;
    this.wide = wide;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /**
   * The values in row-major order. Shares memory with the tensor where that is possible: never write to it.
   * @throws TraceError while tracing or inside `vmap`; UnsupportedError for a device tensor (`await x.host()` first).
   */
  data(): TypedArray {
    ownStorage(this, "data");
    return contiguousData(this);
  }

  /** The value of a tensor with one element; booleans as 0 and 1. */
  item(): number {
    if (this.size !== 1) {
      throw new ValueError(`item: the tensor has ${this.size} elements, not one; use data() or toArray()`);
    }
    const storage = requireHost(this, "item");
    return storage.data[storage.offset];
  }

  /** The values as nested arrays; a number for a scalar. */
  toArray(): NestedArray {
    const data = contiguousData(this);
    const asBoolean = this.dtype === "bool";
    const strides = rowMajorStrides(this.shape);
    const build = (axis: number, offset: number): NestedArray => {
      if (axis === this.shape.length) return asBoolean ? data[offset] !== 0 : data[offset];
      return Array.from({ length: this.shape[axis] }, (_, i) => build(axis + 1, offset + i * strides[axis]));
    };
    return build(0, 0);
  }

  /** The values as a scijs `ndarray` view, without copying. Never write to it. */
  ndarray(): NdArray {
    const { data, strides, offset } = ownStorage(this, "ndarray");
    return ndarray(data, [...this.shape], [...strides], offset) as unknown as NdArray;
  }

  /** The tensor in memory; downloads a device tensor. */
  async host(): Promise<Tensor> {
    if (this.storage.kind !== "device") return this;
    return hostTensor(await this.storage.download(), this.shape, this.dtype);
  }

  /** Frees the memory of a device tensor; nothing for any other. */
  dispose(): void {
    if (this.storage.kind === "device") this.storage.dispose();
  }

  toString(): string {
    return formatTensor(this);
  }

  /** @internal Printing in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return formatTensor(this);
  }
}

/** Whether a value is a tensor, of whichever copy of this package. */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && tensorBrand in value;
}

/** A tensor over row-major values, which are neither copied nor checked: for backends and readers; see `tensor`. */
export function hostTensor(data: TypedArray, shape: Shape, dtype: DType): Tensor {
  return new Tensor(shape, dtype, { kind: "host", data, strides: rowMajorStrides(shape), offset: 0 });
}

/** A tensor whose values a backend keeps on its device. */
export function deviceTensor(shape: Shape, dtype: DType, storage: DeviceStorage): Tensor {
  return new Tensor(shape, dtype, storage);
}

/** @internal A tensor with one value. */
export function scalarTensor(value: number, dtype: DType): Tensor {
  const data = allocate(dtype, 1);
  data[0] = dtype === "bool" ? (value !== 0 ? 1 : 0) : value;
  return new Tensor([], dtype, { kind: "host", data, strides: [], offset: 0 });
}

/** @internal */
export function requireHost(x: Tensor, operation: string): HostStorage {
  const storage = x.storage;
  switch (storage.kind) {
    case "host":
      return storage;
    case "device":
      throw new UnsupportedError(`${operation}: the tensor is on ${storage.device}; call "await x.host()" first`);
    case "batched":
      throw new TraceError(
        `${operation}: a value stands for a whole batch inside vmap; return it, or branch with where()`,
      );
    case "symbolic":
      throw new TraceError(
        `${operation}: a value is not known while a function is traced; return it, branch with where() or cond(), ` +
          "loop with scan() or whileLoop()",
      );
  }
}

/** @internal Whether the values lie row-major without gaps. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i];
  }
  return true;
}

/** @internal */
export function contiguousData(x: Tensor): TypedArray {
  const { data, strides, offset } = requireHost(x, "data");
  const size = x.size;
  if (isContiguous(x.shape, strides)) {
    return offset === 0 && data.length === size ? data : data.subarray(offset, offset + size);
  }
  // A short one would be part of a buffer that others share, which callers may hand on.
  const short = size <= SHARED;
  const out = short ? new (data.constructor as Float64ArrayConstructor)(size) : allocateUnwritten(x.dtype, size);
  copyStrided(data, offset, strides, x.shape, out);
  return out;
}

/** Storage of which callers may hand the whole buffer on: values that lie in a shared one are taken out. */
function ownStorage(x: Tensor, operation: string): HostStorage {
  const storage = requireHost(x, operation);
  const { data } = storage;
  if (data.byteOffset > 0 && data.buffer.byteLength === SHARED) x.storage = { ...storage, data: data.slice() };
  return x.storage as HostStorage;
}

/** @internal Host values in another element type, row-major. */
export function castData(x: Tensor, dtype: DType): TypedArray {
  const data = contiguousData(x);
  return x.dtype === dtype ? data : convert(data, dtype);
}
