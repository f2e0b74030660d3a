import { readSafetensors, writeSafetensors } from "@offprint/data";
import { FormatError, requireObject, ValueError } from "@offprint/tensor-core";
import type { DualBound } from "./dual-bound.js";
import { type Loss, losses } from "./loss.js";
import { requireNetwork, type TwoLayerNet } from "./network.js";

const FORMAT = "offprint convex-relu 1";

/** A trained network with what is needed to use it on a table, and what was proved of it. */
export interface ReluModel {
  /** Takes the features in their original units. */
  readonly net: TwoLayerNet;
  /** What it was trained for. */
  readonly loss: Loss;
  /** Names of the features, in the order of the network's inputs. */
  readonly features?: readonly string[];
  /** Name of what is predicted. */
  readonly target?: string;
  /** Names of the classes of negative and positive outputs. */
  readonly classes?: readonly [string, string];
  /** Certificate of the training problem. */
  readonly certificate?: {
    /** Objective of the network. */
    readonly objective: number;
    /** What no competitor can be below. */
    readonly dualBound: DualBound;
    /** Radius of the boxes of robust training, in units of the training problem. */
    readonly eps?: number;
    /** Certified worst-case loss of robust training. */
    readonly certifiedLoss?: number;
  };
}

/**
 * The bytes of a safetensors file with the network (float64) and all else as JSON in its header.
 * @throws ValueError for a loss that is none.
 */
export function saveModel(model: ReluModel): Uint8Array {
  requireObject("saveModel", "model", model, "a ReluModel");
  const { net, ...rest } = model;
  requireNetwork("saveModel", net);
  if (!losses.includes(rest.loss)) {
    throw new ValueError(`saveModel: loss is ${String(rest.loss)}; say what it was trained for: ${losses.join(", ")}`);
  }
  const described = { ...rest, bias: net.bias };
  return writeSafetensors(
    { U: net.U.cast("float64"), a: net.a.cast("float64") },
    { metadata: { format: FORMAT, model: JSON.stringify(described) } },
  );
}

interface Description {
  readonly bias?: unknown;
  readonly loss?: unknown;
  readonly features?: unknown;
  readonly target?: unknown;
  readonly classes?: unknown;
  readonly certificate?: unknown;
}

/** Whether the words of a description are of a network with so many rows of weights. */
function fits({ bias, features, target, classes, certificate }: Description, rows: number): boolean {
  const texts = (list: unknown, count: number) =>
    Array.isArray(list) && list.length === count && list.every((text) => typeof text === "string");
  return (
    (features === undefined || texts(features, bias === true ? rows - 1 : rows)) &&
    (target === undefined || typeof target === "string") &&
    (classes === undefined || texts(classes, 2)) &&
    (certificate === undefined || (typeof certificate === "object" && certificate !== null))
  );
}

/**
 * The model of a file that `saveModel` wrote.
 * @throws FormatError for other files, and damaged ones.
 */
export function loadModel(bytes: Uint8Array): ReluModel {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== FORMAT) {
    throw new FormatError(`loadModel: the file is not marked "${FORMAT}"; give a file that saveModel wrote`);
  }
  const { U, a } = tensors;
  let described: Description;
  try {
    described = JSON.parse(metadata.model);
  } catch (cause) {
    throw new FormatError("loadModel: the description in the file's header is damaged; save the model again", {
      cause,
    });
  }
  const whole =
    typeof described === "object" &&
    described !== null &&
    U !== undefined &&
    a !== undefined &&
    U.rank === 2 &&
    a.rank === 1 &&
    U.shape[1] === a.shape[0] &&
    U.dtype === "float64" &&
    a.dtype === "float64" &&
    fits(described, U.shape[0]) &&
    typeof described.bias === "boolean" &&
    losses.includes(described.loss as Loss);
  if (!whole) throw new FormatError("loadModel: the network in the file is incomplete; save the model again");
  const { bias, ...rest } = described;
  return { ...(rest as Omit<ReluModel, "net">), net: { U, a, bias: bias as boolean } };
}
