import { readSafetensors, writeSafetensors } from "@offprint/data";
import {
  all,
  FormatError,
  isFinite as finite,
  isTensor,
  requireObject,
  type Tensor,
  tree,
  UnsupportedError,
} from "@offprint/tensor-core";
import { type LinkPredictor, linkMethods } from "./link-predictor.js";
import { type NodeClassifier, nodeMethods } from "./node-classifier.js";

type TreeStructure = ReturnType<typeof tree.structure>;

const FORMAT = "offprint forwardgnn 1";

/** Infinity and large numbers have no place in JSON. */
function written(_: string, value: unknown): unknown {
  return value === Infinity ? "Infinity" : value;
}

/**
 * The bytes of a safetensors file with a trained model: parameters and virtual features, and all else as JSON in its
 * header. A convolution of one's own is not in the file: give it again when using the loaded model.
 */
export function saveModel(model: NodeClassifier | LinkPredictor): Uint8Array {
  requireObject("saveModel", "model", model, "a LinkPredictor or a NodeClassifier");
  const { params, ...rest } = model;
  const virtualFeatures = "virtualFeatures" in rest ? rest.virtualFeatures : null;
  const flat = tree.flatten({ params, virtualFeatures });
  const tensors: Record<string, Tensor> = {};
  tree.paths({ params, virtualFeatures }).forEach((path, i) => {
    const leaf = flat.leaves[i];
    if (!isTensor(leaf)) throw new UnsupportedError(`saveModel: ${path} is no tensor; only tensors are saved`);
    tensors[path] = leaf;
  });
  const { convolution } = model.options;
  const options = { ...model.options, convolution: typeof convolution === "function" ? "own" : convolution };
  const described = { ...rest, virtualFeatures: undefined, options, layout: flat.structure };
  return writeSafetensors(tensors, { metadata: { format: FORMAT, model: JSON.stringify(described, written) } });
}

/**
 * The model of a file that `saveModel` wrote.
 * @throws FormatError for other files, and damaged ones.
 */
export function loadModel(bytes: Uint8Array): NodeClassifier | LinkPredictor {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata?.format !== FORMAT) {
    throw new FormatError(`loadModel: the file is not marked "${FORMAT}"; give a file that saveModel wrote`);
  }
  const { layout, ...described } = description(metadata.model);
  const names = tree.paths(
    tree.unflatten(
      layout,
      Array.from({ length: leavesOf(layout) }, () => 0),
    ),
  );
  const leaves = names.map((name) => {
    if (!Object.hasOwn(tensors, name)) throw new FormatError(`loadModel: the file has no tensor ${name}`);
    if (!all(finite(tensors[name])).item())
      throw new FormatError(`loadModel: ${name} holds values that are not finite`);
    return tensors[name];
  });
  const { params, virtualFeatures } = tree.unflatten<{ params: unknown; virtualFeatures?: unknown }>(layout, leaves);
  const whole =
    Array.isArray(params) &&
    params.length === described.options.layers &&
    ("classes" in described ? isTensor(virtualFeatures) : virtualFeatures == null);
  if (!whole) throw new FormatError("loadModel: the network in the file is incomplete; save the model again");
  return { ...described, params, ...(isTensor(virtualFeatures) && { virtualFeatures }) } as
    | NodeClassifier
    | LinkPredictor;
}

type Described = Omit<NodeClassifier, "params" | "virtualFeatures"> | Omit<LinkPredictor, "params">;

/** @throws FormatError unless the text describes a model. */
function description(text: string | undefined): Described & { layout: TreeStructure } {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "", (_, each) => (each === "Infinity" ? Infinity : each));
  } catch (cause) {
    throw new FormatError("loadModel: the description in the file's header is damaged; save the model again", {
      cause,
    });
  }
  const { method, classes, features, options, layout } = (value ?? {}) as Record<string, unknown>;
  const methods = classes === undefined ? linkMethods : nodeMethods;
  const known =
    typeof method === "string" &&
    Object.hasOwn(methods, method) &&
    (classes === undefined || isCount(classes)) &&
    isCount(features) &&
    typeof options === "object" &&
    options !== null &&
    isStructure(layout);
  if (!known) {
    throw new FormatError("loadModel: the description in the file's header is of no model; save the model again");
  }
  const common = { method, features, options, layout };
  return (classes === undefined ? common : { ...common, classes }) as Described & { layout: TreeStructure };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** Parameters are nested a few levels deep. */
const MOST_DEPTH = 32;

function isStructure(value: unknown, depth = 0): value is TreeStructure {
  if (typeof value !== "object" || value === null || depth > MOST_DEPTH) return false;
  const { kind, items, keys, value: empty = null } = value as Record<string, unknown>;
  if (kind === "leaf") return true;
  if (kind === "empty") return empty === null;
  const nested = Array.isArray(items) && items.every((item) => isStructure(item, depth + 1));
  if (kind === "array") return nested;
  const named =
    Array.isArray(keys) && keys.every((key) => typeof key === "string") && new Set(keys).size === keys.length;
  return kind === "object" && nested && named && keys.length === items.length;
}

function leavesOf(structure: TreeStructure): number {
  if (structure.kind === "leaf") return 1;
  return structure.kind === "empty" ? 0 : structure.items.reduce((sum, item) => sum + leavesOf(item), 0);
}
