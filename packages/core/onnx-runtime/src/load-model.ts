import {
  checkOptions,
  FormatError,
  requireInteger,
  requireObject,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import { readModel } from "#binding";
import { weightsBeside } from "./external-weights.js";
import { feed, type ModelValue } from "./feeds.js";
import { withAllLacking } from "./lacking-operators.js";
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

/** A model from an .onnx file as a function of tensors. */
export interface LoadedModel {
  /** What `run` must be given. */
  readonly inputs: readonly ModelValue[];
  /** What `run` gives. */
  readonly outputs: readonly ModelValue[];
  /**
   * Runs the model. Numbers and nested arrays take the element type that the model wants, integers of tensors its width,
   * floats its precision; integers come back as int32 and half floats as float32.
   * @throws ValueError for a missing or unknown input, or a number that its type does not hold; DTypeError and ShapeError
   * for one that does not fit; IndexError for an index that the model cannot follow; DeviceError after `release`.
   */
  run(feeds: Readonly<Record<string, TensorLike>>): Promise<Record<string, Tensor>>;
  /** Frees the model. */
  release(): Promise<void>;
}

/**
 * Loads somebody's .onnx model, by path (in browsers: address) or bytes. Weights in external data files are found when
 * a path is given, in the model's own folder.
 * @throws FormatError for a corrupt or truncated file, and for one beside it that is too short or of another checksum; ValueError where
 * it cannot be read; UnsupportedError for a file beside it that is not there and for operators that the device lacks; DeviceError where the device does not run; MissingDependencyError without the binding.
 * @example const { output0 } = await (await loadModel("model.onnx")).run({ input0: [[1, 2]] });
 */
export async function loadModel(model: string | Uint8Array, options: LoadModelOptions = {}): Promise<LoadedModel> {
  checkOptions("loadModel", options, ["device", "threads"]);
  if (typeof model !== "string") requireObject("loadModel", "model", model, "a path, or the bytes of a file");
  const { threads = 1 } = options;
  requireInteger("loadModel", "threads", threads, 1);
  const { binding, device } = await chooseDevice(options.device ?? "cpu");
  const operation = `loadModel${typeof model === "string" ? ` ${model}` : ""}`;
  const bytes = await bytesOf(model);
  const settings = { device, threads, ...(await weightsBeside(operation, bytes, model)) };
  const load = (content: string | Uint8Array) => Session.create(binding, content, settings, operation);
  // A path stays a path, so that the engine finds weights beside it.
  const session = await load(model).catch(async (error: unknown) => {
    throw await withAllLacking(error, bytes, operation, async (rest) => (await load(rest)).release());
  });
  const inputs = session.inputs.map(describe);
  const outputs = session.outputs.map(describe);
  return {
    inputs,
    outputs,
    async run(feeds) {
      if (feeds === null || typeof feeds !== "object") {
        throw new ValueError(`run: the feeds are ${feeds}; give an object with ${inputs.map(signature).join(", ")}`);
      }
      const given = new Set(Object.keys(feeds));
      const tensors: Record<string, OrtTensor> = Object.create(null);
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

/** The bytes of a model; an empty or missing file is refused here. */
async function bytesOf(model: string | Uint8Array): Promise<Uint8Array> {
  if (typeof model !== "string") {
    if (model.length > 0) return model;
    throw new FormatError("loadModel: the bytes are empty; give a whole .onnx file", { offset: 0 });
  }
  const bytes = await readModel(model).catch((cause: unknown) => {
    throw new ValueError(`loadModel: ${model} cannot be read; check the path`, { cause });
  });
  if (bytes.length > 0) return bytes;
  throw new FormatError(`loadModel: ${model} is empty; give a whole .onnx file`, { offset: 0 });
}

function describe(meta: InferenceSession.ValueMetadata): ModelValue {
  if (!meta.isTensor) return { name: meta.name, type: "not a tensor", shape: [] };
  return { name: meta.name, type: meta.type, shape: meta.shape };
}

function signature(v: ModelValue): string {
  return `${v.name}: ${v.type}[${v.shape.join(", ")}]`;
}
