import type { TypedArray } from "./dtype.js";
import type { GraphBuilder, Variable } from "./graph/builder.js";
import type { Tensor } from "./tensor.js";

/** Values in memory: a strided window over a typed array, as in `ndarray`. */
export interface HostStorage {
  readonly kind: "host";
  readonly data: TypedArray;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A value of a function that is being traced: known by its place in the graph only. */
export interface SymbolicStorage {
  readonly kind: "symbolic";
  readonly builder: GraphBuilder;
  readonly variable: Variable;
}

/** One example of a batch inside `vmap`: the batch is axis 0 of `inner`. */
export interface BatchedStorage {
  readonly kind: "batched";
  readonly inner: Tensor;
  readonly level: number;
}

/** A value that a backend keeps on its device. */
export interface DeviceStorage {
  /** Always "device". */
  readonly kind: "device";
  /** The backend's own object. */
  readonly handle: unknown;
  /** Name of the device, for messages. */
  readonly device: string;
  /** Copies the values to the host. */
  download(): Promise<TypedArray>;
  /** Frees the device memory. */
  dispose(): void;
}

export type Storage = HostStorage | SymbolicStorage | BatchedStorage | DeviceStorage;
