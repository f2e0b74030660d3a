import { readSafetensors, writeSafetensors } from "@offprint/data";
import {
  FormatError,
  isTensor,
  requireObject,
  type Tensor,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { PackedModel } from "./packed-model.js";
import type { PackedPart } from "./packed-part.js";
import { partFrom } from "./part-schema.js";

const FORMAT = "offprint biper packed 1";

/** A value in JSON, with typed arrays and tensors replaced by the names under which they are in the file. */
type Node = string | number | boolean | null | Node[] | { [key: string]: Node };

function withoutArrays(value: unknown, name: string, tensors: Record<string, Tensor>): Node {
  if (value instanceof Uint32Array) {
    tensors[name] = tensor(new Int32Array(value.buffer, value.byteOffset, value.length));
    return { tensor: name };
  }
  if (value instanceof Float32Array) {
    tensors[name] = tensor(value);
    return { tensor: name };
  }
  if (isTensor(value)) {
    tensors[name] = value;
    return { tensor: name };
  }
  if (Array.isArray(value)) return value.map((each, i) => withoutArrays(each, `${name}.${i}`, tensors));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, withoutArrays(each, `${name}.${key}`, tensors)]),
    );
  }
  return value as Node;
}

function requireSavable(parts: readonly PackedPart[]): void {
  for (const part of parts) {
    if (part.kind === "function") {
      throw new UnsupportedError(
        `savePacked: ${part.name} is a function or a layer of your own, which a file cannot hold; use parts of this package`,
      );
    }
    if (part.kind === "residual") {
      requireSavable(part.body);
      requireSavable(part.shortcut);
    }
  }
}

/**
 * The bytes of a safetensors file with a packed network: one bit per binary weight (in 32-bit words), float32 for the rest,
 * and the steps as JSON in its header.
 * @throws UnsupportedError for networks with functions of your own.
 */
export function savePacked(model: PackedModel): Uint8Array {
  requireObject("savePacked", "model", model, "a PackedModel");
  if (!Array.isArray(model.parts)) throw new ValueError("savePacked: model has no parts; give what packNetwork gives");
  requireSavable(model.parts);
  const tensors: Record<string, Tensor> = {};
  const steps = model.parts.map((part, i) => withoutArrays(part, String(i), tensors));
  return writeSafetensors(tensors, {
    metadata: { ...model.metadata, format: FORMAT, steps: JSON.stringify(steps) },
  });
}

/**
 * The network of a file that `savePacked` wrote.
 * @throws FormatError for other files, and damaged ones.
 */
export function loadPacked(bytes: Uint8Array): PackedModel {
  const { tensors, metadata } = readSafetensors(bytes);
  const { format, steps, ...rest } = metadata;
  if (format !== FORMAT || steps === undefined) {
    throw new FormatError(`loadPacked: the file is not marked "${FORMAT}"; give one that savePacked wrote`);
  }
  let nodes: unknown;
  try {
    nodes = JSON.parse(steps);
  } catch (cause) {
    throw new FormatError("loadPacked: the steps are not JSON; the file is damaged", { cause });
  }
  if (!Array.isArray(nodes)) throw new FormatError("loadPacked: the steps are no list; the file is damaged");
  return new PackedModel(
    nodes.map((node) => partFrom(node, tensors)),
    rest,
  );
}
