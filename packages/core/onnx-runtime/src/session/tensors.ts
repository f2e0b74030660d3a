import {
  DeviceError,
  type DType,
  DTypeError,
  deviceTensor,
  halfToNumber,
  hostTensor,
  type Tensor,
  type TypedArray,
  UnsupportedError,
} from "@offprint/tensor-core";
import type { Tensor as OrtTensor } from "onnxruntime-common";
import type { Binding } from "#binding";
import type { Session } from "./session.js";

/** Copies device memory to the host. */
export type Download = (value: OrtTensor) => Promise<TypedArray>;

/**
 * Passes tensors between this project and ONNX Runtime without copying values on the host. No map from tensors to what they
 * were made of is kept, not even a weak one: V8 lets go of its entries in full collections only, and a step that returns a
 * megabyte then makes one every forty runs.
 */
export class TensorExchange {
  private readonly collected = new FinalizationRegistry<() => void>((free) => free());

  constructor(
    private readonly binding: Binding,
    private readonly device: string,
    private readonly download: Download,
  ) {}

  toRuntime(x: Tensor): OrtTensor {
    const { storage } = x;
    if (storage.kind === "device") {
      const value = storage.handle as OrtTensor;
      if (storage.device !== this.device || typeof value?.location !== "string") {
        throw new DeviceError(
          `run: an input is on ${storage.device}, this function runs on ${this.device}; download it with "await x.host()"`,
        );
      }
      requireUndisposed("run", value);
      return value;
    }
    return new this.binding.Tensor(x.dtype as "float32", x.data() as Float32Array, x.shape as number[]);
  }

  /** @param session what computed the value. */
  fromRuntime(value: OrtTensor, session: Session): Tensor {
    const dtype = value.type as DType;
    return value.location === "cpu" || value.location === "cpu-pinned"
      ? hostTensor(value.data as TypedArray, value.dims, dtype)
      : this.onDevice(value, dtype, session);
  }

  private onDevice(value: OrtTensor, dtype: DType, session: Session): Tensor {
    const free = freeOnce(value, session.holdResident());
    const result = deviceTensor(value.dims, dtype, {
      kind: "device",
      handle: value,
      device: this.device,
      download: async () => {
        requireUndisposed("host", value);
        return this.download(value);
      },
      dispose: () => {
        this.collected.unregister(result);
        free();
      },
    });
    this.collected.register(result, free, result);
    return result;
  }
}

/** Frees a value on a device; apart from the tensor's own closures, which would keep the tensor itself alive. */
function freeOnce(value: OrtTensor, letGo: () => void): () => void {
  return () => {
    if (isDisposed(value)) return;
    value.dispose();
    letGo();
  };
}

function isDisposed(value: OrtTensor): boolean {
  return value.location === "none";
}

function requireUndisposed(operation: string, value: OrtTensor): void {
  if (!isDisposed(value)) return;
  throw new DeviceError(
    `${operation}: the tensor's device memory was freed by dispose(); use or download it before disposing`,
  );
}

/** The values of a model's output as one of the element types that tensors have. */
export function outputTensor(name: string, value: OrtTensor): Tensor {
  const { data, dims } = value;
  switch (value.type) {
    case "float32":
    case "float64":
    case "int32":
    case "bool":
      return hostTensor(data as TypedArray, dims, value.type);
    case "int64":
    case "uint64":
    case "uint32":
      return hostTensor(narrowed(name, data as BigInt64Array | BigUint64Array | Uint32Array), dims, "int32");
    case "float16":
      return hostTensor(Float32Array.from(data as unknown as ArrayLike<number>, halfIfBits(data)), dims, "float32");
    case "uint8":
    case "int8":
    case "uint16":
    case "int16":
      return hostTensor(Int32Array.from(data as ArrayLike<number>), dims, "int32");
    default:
      throw new UnsupportedError(`loadModel: output "${name}" is ${value.type}, which tensors do not hold`);
  }
}

function narrowed(name: string, data: BigInt64Array | BigUint64Array | Uint32Array): Int32Array {
  const out = new Int32Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const v = Number(data[i]);
    if (v > 2147483647 || v < -2147483648) {
      throw new DTypeError(`loadModel: output "${name}" holds ${data[i]}, which does not fit int32`);
    }
    out[i] = v;
  }
  return out;
}

/** Old engines give half floats as their bits, new ones as numbers. */
function halfIfBits(data: unknown): (value: number) => number {
  return data instanceof Uint16Array ? halfToNumber : (value) => value;
}
