import {
  type DType,
  DTypeError,
  numberToHalf,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { Tensor as OrtTensor } from "onnxruntime-common";
import type { Binding } from "#binding";

/** An input or output of a model. */
export interface ModelValue {
  /** Name in the file. */
  readonly name: string;
  /** ONNX element type, such as "float32" or "int64". */
  readonly type: string;
  /** Extents; a text where any extent is allowed. */
  readonly shape: readonly (number | string)[];
}

/** Whole numbers of a type of ONNX, and the arrays that hold them. */
interface IntegerType {
  readonly low: number;
  readonly high: number;
  from(values: ArrayLike<number>): ArrayBufferView;
}

const integers: Readonly<Record<string, IntegerType>> = {
  int8: { low: -128, high: 127, from: (v) => Int8Array.from(v) },
  uint8: { low: 0, high: 255, from: (v) => Uint8Array.from(v) },
  int16: { low: -32768, high: 32767, from: (v) => Int16Array.from(v) },
  uint16: { low: 0, high: 65535, from: (v) => Uint16Array.from(v) },
  int32: { low: -2147483648, high: 2147483647, from: (v) => Int32Array.from(v) },
  uint32: { low: 0, high: 4294967295, from: (v) => Uint32Array.from(v) },
  int64: { low: Number.MIN_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, from: (v) => BigInt64Array.from(v, BigInt) },
  uint64: { low: 0, high: Number.MAX_SAFE_INTEGER, from: (v) => BigUint64Array.from(v, BigInt) },
  bool: { low: 0, high: 1, from: (v) => Uint8Array.from(v) },
};

const floats: Readonly<Record<string, (values: ArrayLike<number>) => ArrayBufferView>> = {
  // The binding takes the bits of half floats.
  float16: (values) => Uint16Array.from(values, numberToHalf),
  float32: (values) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  float64: (values) => (values instanceof Float64Array ? values : Float64Array.from(values)),
};

/**
 * What a model's input is fed with. Numbers and nested arrays take the type that the model wants, tensors are widened and
 * integers are changed in width; nothing is rounded but floats to the model's precision.
 */
export function feed(binding: Binding, input: ModelValue, value: TensorLike): OrtTensor {
  const x = asTensor(input, value);
  if (
    x.rank !== input.shape.length ||
    x.shape.some((n, i) => typeof input.shape[i] === "number" && input.shape[i] !== n)
  ) {
    throw new ShapeError(
      `run: input "${input.name}" has shape [${x.shape.join(", ")}]; the model takes [${input.shape.join(", ")}]`,
    );
  }
  const data = converted(input, x, isPlain(value) ? "plain" : x.dtype);
  const tensor = new binding.Tensor(input.type as "float32", data as Float32Array, x.shape as number[]);
  if (data instanceof Uint16Array && tensor.type === ("float16" as string)) keepBits(tensor, data);
  return tensor;
}

/**
 * Where the engine has a `Float16Array` (Node >= 24), the binding's JavaScript turns the bits of half floats into one, and
 * its native part finds that empty: it takes the bits.
 */
function keepBits(tensor: OrtTensor, bits: Uint16Array): void {
  const place = (["cpuData", "data"] as const).find((name) => Object.hasOwn(tensor, name));
  if (place !== undefined) Object.defineProperty(tensor, place, { value: bits });
}

/** Whether a value is made of JavaScript's numbers, which have no element type of their own. */
function isPlain(value: TensorLike): boolean {
  return typeof value === "number" || typeof value === "boolean" || Array.isArray(value);
}

function asTensor(input: ModelValue, value: TensorLike): Tensor {
  // Bytes are booleans among tensors; here they are what the model says.
  if (value instanceof Uint8Array && input.type !== "bool") return tensor(Int32Array.from(value));
  return isPlain(value) ? tensor(value, { dtype: "float64" }) : tensor(value);
}

function converted({ name, type }: ModelValue, x: Tensor, from: DType | "plain"): ArrayBufferView {
  if (from === type) return x.data();
  const isInteger = from === "int32" || from === "bool";
  if (Object.hasOwn(floats, type) && !isInteger) return floats[type](x.data());
  if (Object.hasOwn(integers, type) && (from === "plain" || isInteger)) {
    const { low, high, from: make } = integers[type];
    const values = x.data();
    const wrong = values.findIndex((v: number) => !(Number.isInteger(v) && v >= low && v <= high));
    if (wrong >= 0) {
      throw new ValueError(
        `run: input "${name}" has ${values[wrong]}; the model takes ${type}: whole numbers from ${low} to ${high}`,
      );
    }
    return make(values);
  }
  throw new DTypeError(`run: input "${name}" is ${from}; the model takes ${type}: cast it`);
}
