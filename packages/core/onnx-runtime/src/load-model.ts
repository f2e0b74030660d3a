import {
  type DType,
  DTypeError,
  FormatError,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import { type Binding, readModel } from "#binding";
import { chooseDevice } from "./session/devices.js";
import { Session } from "./session/session.js";
import { outputTensor } from "./session/tensors.js";

/** Options of `loadModel`. */
export interface LoadModelOptions {
  /** As in `onnxRuntime`. Default "cpu". */
  device?: string;
  /** Threads inside one operator. Default 1. */
  threads?: number;
}

/** An input or output of a model. */
export interface ModelValue {
  /** Name in the file. */
  readonly name: string;
  /** ONNX element type, such as "float32" or "int64". */
  readonly type: string;
  /** Extents; a text where any extent is allowed. */
  readonly shape: readonly (number | string)[];
}

/** A model from an .onnx file as a function of tensors. */
export interface LoadedModel {
  /** What `run` must be given. */
  readonly inputs: readonly ModelValue[];
  /** What `run` gives. */
  readonly outputs: readonly ModelValue[];
  /**
   * Runs the model. Integers are converted to the width that the model wants; int64 results come back as int32 and
   * half floats as float32.
   * @throws ValueError for a missing or unknown input; DTypeError and ShapeError for one that does not fit; IndexError
   * for an index that the model cannot follow; DeviceError after `release`.
   */
  run(feeds: Readonly<Record<string, TensorLike>>): Promise<Record<string, Tensor>>;
  /** Frees the model. */
  release(): Promise<void>;
}

/**
 * Loads somebody's .onnx model, by path (in browsers: address) or bytes. Weights in external data files are found when
 * a path is given.
 * @throws FormatError for a corrupt or truncated file; ValueError where it cannot be read; UnsupportedError for operators
 * that the device lacks; DeviceError where the device does not run; MissingDependencyError without the binding.
 * @example const { output0 } = await (await loadModel("model.onnx")).run({ input0: [[1, 2]] });
 */
export async function loadModel(model: string | Uint8Array, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { binding, device } = await chooseDevice(options.device ?? "cpu");
  const settings = { device, threads: options.threads ?? 1 };
  const session = await Session.create(
    binding,
    await source(model),
    settings,
    `loadModel${typeof model === "string" ? ` ${model}` : ""}`,
  );
  const inputs = session.inputs.map(describe);
  const outputs = session.outputs.map(describe);
  return {
    inputs,
    outputs,
    async run(feeds) {
      const given = new Set(Object.keys(feeds));
      const tensors: Record<string, OrtTensor> = {};
      for (const input of inputs) {
        if (!given.delete(input.name)) {
          throw new ValueError(
            `run: input "${input.name}" is missing; the model takes ${inputs.map(signature).join(", ")}`,
          );
        }
        tensors[input.name] = feed(binding, input, feeds[input.name]);
      }
      if (given.size > 0) {
        throw new ValueError(
          `run: the model has no input "${[...given][0]}"; it takes ${inputs.map(signature).join(", ")}`,
        );
      }
      const results = await session.run(tensors);
      return Object.fromEntries(outputs.map(({ name }) => [name, outputTensor(name, results[name] as OrtTensor)]));
    },
    release: () => session.release(),
  };
}

/** A path stays a path, so that external weights are found beside it; an empty or missing file is refused here. */
async function source(model: string | Uint8Array): Promise<string | Uint8Array> {
  if (typeof model !== "string") {
    if (model.length === 0)
      throw new FormatError("loadModel: the bytes are empty; give a whole .onnx file", { offset: 0 });
    return model;
  }
  try {
    const bytes = await readModel(model);
    if (bytes.length === 0)
      throw new FormatError(`loadModel: ${model} is empty; give a whole .onnx file`, { offset: 0 });
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new ValueError(`loadModel: ${model} cannot be read; check the path`, { cause });
  }
  return model;
}

function describe(meta: InferenceSession.ValueMetadata): ModelValue {
  if (!meta.isTensor) return { name: meta.name, type: "not a tensor", shape: [] };
  return { name: meta.name, type: meta.type, shape: meta.shape };
}

function signature(v: ModelValue): string {
  return `${v.name}: ${v.type}[${v.shape.join(", ")}]`;
}

function feed(binding: Binding, input: ModelValue, value: TensorLike): OrtTensor {
  const x = tensor(value as Tensor);
  if (
    x.rank !== input.shape.length ||
    x.shape.some((n, i) => typeof input.shape[i] === "number" && input.shape[i] !== n)
  ) {
    throw new ShapeError(
      `run: input "${input.name}" has shape [${x.shape.join(", ")}]; the model takes [${input.shape.join(", ")}]`,
    );
  }
  const data = convertFeed(input, x.dtype, x);
  return new binding.Tensor(input.type as "float32", data as Float32Array, x.shape as number[]);
}

function convertFeed(input: ModelValue, dtype: DType, x: Tensor): unknown {
  if (input.type === dtype) return x.data();
  const integers = dtype === "int32" || dtype === "bool";
  if (input.type === "int64" && integers) return BigInt64Array.from(x.data() as Int32Array, (v) => BigInt(v));
  if (input.type === "int32" && dtype === "bool") return Int32Array.from(x.data());
  if (input.type === "float32" && dtype === "float64") return Float32Array.from(x.data());
  if (input.type === "float64" && dtype === "float32") return Float64Array.from(x.data());
  throw new DTypeError(`run: input "${input.name}" is ${dtype}; the model takes ${input.type}: cast it`);
}
