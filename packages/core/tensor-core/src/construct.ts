import { checkOptions } from "./check-options.js";
import { allocate, convert, type DType, dtypeOfArray, type TypedArray } from "./dtype.js";
import { DTypeError, ShapeError, ValueError } from "./errors.js";
import { literal } from "./literals.js";
import { cast } from "./ops/elementwise.js";
import { reshape } from "./ops/movement.js";
import { formatShape, rowMajorStrides, type Shape, sizeOf, validateShape } from "./shape.js";
import { hostTensor, isTensor, scalarTensor, Tensor, type TensorLike } from "./tensor.js";

/** Options of `tensor`. */
export interface TensorOptions {
  /** Element type. Default: that of a typed array; float32 for numbers, bool for booleans. */
  dtype?: DType;
  /** Shape of the values, which are read in row-major order. Default: the shape of the data. */
  shape?: Shape;
}

const TENSOR_OPTIONS = ["dtype", "shape"];

/**
 * A tensor from numbers, nested arrays, a typed array, an `ndarray` or another tensor. Typed arrays and ndarrays of
 * the right element type are shared, not copied: do not write to them afterwards.
 * @throws ShapeError for ragged nesting or a shape of another size; DTypeError for a typed array without a dtype.
 * @example tensor([[1, 2], [3, 4]], { dtype: "float64" })
 */
export function tensor(data: TensorLike, options: TensorOptions = {}): Tensor {
  checkOptions("tensor", options, TENSOR_OPTIONS);
  const x = fromData(data, options.dtype);
  if (options.shape === undefined) return x;
  if (x.storage.kind !== "host") return reshape(x, options.shape);
  validateShape("tensor", options.shape);
  if (sizeOf(options.shape) !== x.size) {
    throw new ShapeError(
      `tensor: ${x.size} values do not fill shape ${formatShape(options.shape)}, which holds ${sizeOf(options.shape)}`,
    );
  }
  return hostTensor(x.data(), [...options.shape], x.dtype);
}

/** `x` as a tensor; tensors pass through unchanged, and a plain number stays weakly typed unless a dtype is given. */
export function asTensor(x: TensorLike, dtype?: DType): Tensor {
  if (typeof x === "number" && dtype === undefined) return literal(x);
  if (isTensor(x) && (dtype === undefined || dtype === x.dtype)) return x;
  return fromData(x, dtype);
}

/** A tensor filled with `value`. Takes no memory per element. */
export function full(shape: Shape, value: number | boolean, dtype?: DType): Tensor {
  validateShape("full", shape);
  const type = dtype ?? (typeof value === "boolean" ? "bool" : "float32");
  const data = allocate(type, 1);
  data[0] = type === "bool" ? (value ? 1 : 0) : Number(value);
  return new Tensor([...shape], type, { kind: "host", data, strides: shape.map(() => 0), offset: 0 });
}

/** A tensor of zeros; float32 unless told otherwise. */
export function zeros(shape: Shape, dtype: DType = "float32"): Tensor {
  return full(shape, 0, dtype);
}

/** A tensor of ones; float32 unless told otherwise. */
export function ones(shape: Shape, dtype: DType = "float32"): Tensor {
  return full(shape, 1, dtype);
}

/** Zeros of the shape and dtype of `x`. */
export function zerosLike(x: { readonly shape: Shape; readonly dtype: DType }): Tensor {
  requireSpec("zerosLike", x);
  return full(x.shape, 0, x.dtype);
}

/** Ones of the shape and dtype of `x`. */
export function onesLike(x: { readonly shape: Shape; readonly dtype: DType }): Tensor {
  requireSpec("onesLike", x);
  return full(x.shape, 1, x.dtype);
}

function requireSpec(operation: string, x: { readonly shape: Shape } | undefined): void {
  if (typeof x !== "object" || x === null || !Array.isArray(x.shape)) {
    throw new DTypeError(`${operation}: give a tensor, or an object with a shape and a dtype`);
  }
}

/** The numbers `start, start + step, ...` below `stop`; int32 for integers, float32 otherwise, unless told. */
export function arange(start: number, stop?: number, step = 1, dtype?: DType): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    throw new ValueError(`arange: start ${from}, stop ${to}, step ${step}: all must be finite and the step not 0`);
  }
  const count = Math.max(0, Math.ceil((to - from) / step));
  const type = dtype ?? ([from, to, step].every(Number.isInteger) ? "int32" : "float32");
  const data = allocate(type, count);
  for (let i = 0; i < count; i++) data[i] = from + i * step;
  return hostTensor(data, [count], type);
}

/** `count` evenly spaced numbers from `start` to `stop`, both included; float32 unless told otherwise. */
export function linspace(start: number, stop: number, count: number, dtype: "float32" | "float64" = "float32"): Tensor {
  if (!Number.isInteger(count) || count < 0) throw new ValueError(`linspace: count is ${count}; give an integer >= 0`);
  const data = allocate(dtype, count);
  for (let i = 0; i < count; i++) data[i] = count === 1 ? start : start + ((stop - start) * i) / (count - 1);
  if (count > 1) data[count - 1] = stop;
  return hostTensor(data, [count], dtype);
}

/** The matrix with ones on the main diagonal; float32 unless told otherwise. */
export function eye(rows: number, columns = rows, dtype: DType = "float32"): Tensor {
  validateShape("eye", [rows, columns]);
  const data = allocate(dtype, rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = 1;
  return hostTensor(data, [rows, columns], dtype);
}

function fromData(data: TensorLike, dtype: DType | undefined): Tensor {
  if (isTensor(data)) {
    return dtype === undefined ? data : cast(data, dtype);
  }
  if (typeof data === "number") return scalarTensor(data, dtype ?? "float32");
  if (typeof data === "boolean") return scalarTensor(data ? 1 : 0, dtype ?? "bool");
  if (ArrayBuffer.isView(data)) return fromTypedArray(data as TypedArray, [(data as TypedArray).length], dtype);
  if (Array.isArray(data)) return fromNested(data, dtype);
  if (typeof data === "object" && data !== null && "stride" in data && "data" in data) {
    const view = data as { data: unknown; shape: number[]; stride: number[]; offset: number };
    return fromNdArray(view, dtype);
  }
  throw new DTypeError(
    `tensor: cannot make a tensor of ${kindOf(data)}; give a number, nested arrays, a typed array, an ndarray or a tensor`,
  );
}

function kindOf(x: unknown): string {
  return x === null ? "null" : typeof x;
}

function fromTypedArray(data: TypedArray, shape: Shape, dtype: DType | undefined): Tensor {
  const own = dtypeOfArray(data);
  const { name } = (data as object).constructor;
  if (typeof (data as ArrayLike<unknown>)[0] === "bigint") {
    throw new DTypeError(`tensor: ${name} holds big integers, for which there is no dtype; convert them to numbers`);
  }
  if (own === undefined) {
    if (dtype === undefined) {
      throw new DTypeError(`tensor: ${name} has no dtype of its own; say which one with { dtype: "int32" } or another`);
    }
    return hostTensor(convert(data as ArrayLike<number>, dtype), shape, dtype);
  }
  if (dtype === undefined && own === "bool" && (data as Uint8Array).some((v) => v > 1)) {
    throw new DTypeError('tensor: a Uint8Array with values above 1 is not bool; say { dtype: "int32" } or "float32"');
  }
  return dtype === undefined || dtype === own
    ? hostTensor(data, shape, own)
    : hostTensor(convert(data, dtype), shape, dtype);
}

function fromNdArray(
  view: { data: unknown; shape: number[]; stride: number[]; offset: number },
  dtype?: DType,
): Tensor {
  if (!ArrayBuffer.isView(view.data)) {
    const flat = new Tensor([...view.shape], "float64", {
      kind: "host",
      data: Float64Array.from(view.data as number[]),
      strides: [...view.stride],
      offset: view.offset,
    });
    return dtype === undefined ? flat : hostTensor(convert(flat.data(), dtype), flat.shape, dtype);
  }
  const base = fromTypedArray(view.data as TypedArray, [(view.data as TypedArray).length], dtype);
  const data = (base.storage as { data: TypedArray }).data;
  return new Tensor([...view.shape], base.dtype, {
    kind: "host",
    data,
    strides: [...view.stride],
    offset: view.offset,
  });
}

function fromNested(nested: readonly unknown[], dtype: DType | undefined): Tensor {
  const shape: number[] = [];
  let level: unknown = nested;
  for (; Array.isArray(level); level = level[0]) shape.push(level.length);
  if (ArrayBuffer.isView(level)) return fromRows(nested, shape, level as TypedArray, dtype);
  const values = new Float64Array(sizeOf(shape));
  let allBoolean = values.length > 0;
  const fill = (node: unknown, axis: number, offset: number, strides: readonly number[]): void => {
    if (axis === shape.length) {
      if (typeof node !== "number" && typeof node !== "boolean") {
        const found = isTensor(node)
          ? "tensors; join them with stack(), and give grad and vjp tensor([...]) for one tensor"
          : kindOf(node);
        throw new DTypeError(`tensor: nested arrays must hold numbers or booleans, not ${found}`);
      }
      if (typeof node === "number") allBoolean = false;
      values[offset] = Number(node);
      return;
    }
    if (!Array.isArray(node) || node.length !== shape[axis]) {
      throw new ShapeError(
        `tensor: nested arrays are ragged at axis ${axis}: expected ${shape[axis]} entries, found ` +
          `${Array.isArray(node) ? node.length : "a number"}; make all rows equally long`,
      );
    }
    for (let i = 0; i < node.length; i++) fill(node[i], axis + 1, offset + i * strides[axis], strides);
  };
  fill(nested, 0, 0, rowMajorStrides(shape));
  const type = dtype ?? (allBoolean ? "bool" : "float32");
  return hostTensor(type === "float64" ? values : convert(values, type), shape, type);
}

/** Nested arrays whose innermost rows are typed arrays of one kind, such as those of `first`. */
function fromRows(nested: readonly unknown[], outer: Shape, first: TypedArray, dtype: DType | undefined): Tensor {
  const rows: unknown[] = nested.flat(outer.length - 1);
  const width = first.length;
  const values = new (first.constructor as new (length: number) => TypedArray)(sizeOf(outer) * width);
  if (rows.length !== sizeOf(outer)) {
    throw new ShapeError(`tensor: nested arrays hold ${rows.length} rows, not ${sizeOf(outer)}; nest them evenly`);
  }
  for (const [k, row] of rows.entries()) {
    if (!ArrayBuffer.isView(row) || row.constructor !== first.constructor) {
      throw new DTypeError(`tensor: row ${k} of nested arrays is no ${first.constructor.name}; give rows of one kind`);
    }
    const { length } = row as TypedArray;
    if (length !== width) {
      throw new ShapeError(
        `tensor: nested arrays are ragged: row ${k} has ${length} entries, not ${width}; make all rows equally long`,
      );
    }
    values.set(row as TypedArray, k * width);
  }
  return fromTypedArray(values, [...outer, width], dtype);
}
