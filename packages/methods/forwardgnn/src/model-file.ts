import { readSafetensors, writeSafetensors } from "@offprint/data";
import {
  all,
  checkOptions,
  FormatError,
  isFinite as finite,
  isTensor,
  OffprintError,
  random,
  requireInteger,
  requireObject,
  type Tensor,
  tree,
  UnsupportedError,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import type { Convolution } from "./convolution.js";
import { type LinkPredictor, linkMethods } from "./link-predictor.js";
import { linkOptionNames, settleLinks } from "./link-setting.js";
import { initialNetwork, leastNumbers, type NetworkKind } from "./network-layers.js";
import { type NodeClassifier, nodeMethods } from "./node-classifier.js";
import { type NodeOptions, nodeOptionNames, settleNodes } from "./options.js";

const FORMAT = "offprint forwardgnn 1";

/** The options that may be Infinity, which has no place in JSON. */
const UNBOUNDED = ["tau", "clipNorm"];

/**
 * The bytes of a safetensors file with a trained model: parameters and virtual features, and all else as JSON in its
 * header. A convolution of one's own is not in the file: `loadModel` is given it again.
 */
export function saveModel(model: NodeClassifier | LinkPredictor): Uint8Array {
  requireObject("saveModel", "model", model, "a LinkPredictor or a NodeClassifier");
  const { params, ...rest } = model;
  const saved = { params, virtualFeatures: "virtualFeatures" in rest ? rest.virtualFeatures : null };
  const leaves = tree.leaves(saved);
  const tensors: Record<string, Tensor> = {};
  tree.paths(saved).forEach((path, i) => {
    const leaf = leaves[i];
    if (!isTensor(leaf)) throw new UnsupportedError(`saveModel: ${path} is no tensor; only tensors are saved`);
    tensors[path] = leaf;
  });
  const { convolution } = model.options;
  const options = { ...model.options, convolution: typeof convolution === "function" ? "own" : convolution };
  const written = (_: string, value: unknown) => (value === Infinity ? "Infinity" : value);
  const description = JSON.stringify({ ...rest, virtualFeatures: undefined, options }, written);
  return writeSafetensors(tensors, { metadata: { format: FORMAT, model: description } });
}

/** Options of `loadModel`. */
export interface LoadOptions {
  /** The model's convolution, where it is one of your own. */
  convolution?: Convolution;
}

/**
 * The model of a file that `saveModel` wrote.
 * @throws FormatError for other files, damaged ones, and tensors that are not of the shapes of the layers described;
 * UnsupportedError where `convolution` is needed.
 */
export function loadModel(bytes: Uint8Array, options: LoadOptions = {}): NodeClassifier | LinkPredictor {
  checkOptions("loadModel", options, ["convolution"]);
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata?.format !== FORMAT) {
    throw new FormatError(`loadModel: the file is not marked "${FORMAT}"; give a file that saveModel wrote`);
  }
  const described = withConvolution(description(metadata.model), options.convolution);
  const { classes, features } = described;
  const like = {
    params: likeNetwork(described, tensors),
    virtualFeatures: classes === undefined ? null : zeros([classes, features]),
  };
  const names = tree.paths(like);
  let next = 0;
  const loaded = tree.map((expected: Tensor) => readTensor(tensors, names[next++], expected.shape), like);
  const { params, virtualFeatures } = loaded;
  const model: unknown = { ...described, params, ...(virtualFeatures && { virtualFeatures }) };
  return model as NodeClassifier | LinkPredictor;
}

function readTensor(tensors: Readonly<Record<string, Tensor>>, name: string, shape: readonly number[]): Tensor {
  if (!Object.hasOwn(tensors, name)) throw new FormatError(`loadModel: the file has no tensor ${name}`);
  const found = tensors[name];
  if (found.shape.join() !== shape.join()) {
    throw new FormatError(
      `loadModel: ${name} is [${found.shape}] in the file; the model that it describes needs [${shape}]`,
    );
  }
  if (found.dtype !== "float32" && found.dtype !== "float64") {
    throw new FormatError(`loadModel: ${name} is ${found.dtype}; parameters are float32 or float64`);
  }
  if (!all(finite(found)).item()) throw new FormatError(`loadModel: ${name} holds values that are not finite`);
  return found;
}

/** Parameters as those of the file must be. A description must not take memory that the tensors do not account for. */
function likeNetwork(kind: NetworkKind, tensors: Readonly<Record<string, Tensor>>): unknown[] {
  const { classes = 0, features, options } = kind;
  let left = Object.values(tensors).reduce((total, { size }) => total + size, 0) - classes * features;
  for (let l = 0; l < options.layers && left >= 0; l++) left -= leastNumbers(kind, l);
  if (left < 0) {
    throw new FormatError("loadModel: the network in the file is incomplete; save the model again");
  }
  return initialNetwork(kind, random.rng(0));
}

function withConvolution(kind: NetworkKind, own: Convolution | undefined): NetworkKind {
  const { convolution } = kind.options as { convolution: unknown };
  if (convolution !== "own") {
    if (own === undefined || own === convolution) return kind;
    throw new ValueError(`loadModel: the convolution of the file is ${convolution}; leave convolution out`);
  }
  if (typeof own === "function") return { ...kind, options: { ...kind.options, convolution: own } };
  throw new UnsupportedError("loadModel: the model has a convolution of its own; give it as the option convolution");
}

/** What a description may say; it comes from elsewhere. */
interface Described {
  readonly method?: unknown;
  readonly classes?: number;
  readonly features: number;
  readonly options: NodeOptions;
}

/** @throws FormatError unless the text describes a model. */
function description(text: string | undefined): NetworkKind {
  try {
    const read = (key: string, value: unknown) => (UNBOUNDED.includes(key) && value === "Infinity" ? Infinity : value);
    const { method, classes, features, options } = (JSON.parse(text ?? "", read) ?? {}) as Described;
    const methods = classes === undefined ? linkMethods : nodeMethods;
    if (typeof method !== "string" || !Object.hasOwn(methods, method)) {
      throw new ValueError(`the method is ${String(method)}`);
    }
    requireInteger("the file", "features", features, 1);
    if (classes !== undefined) requireInteger("the file", "classes", classes, 2);
    requireObject("the file", "options", options, "the options of the training");
    checkOptions("the file", options, classes === undefined ? linkOptionNames : nodeOptionNames);
    const settled = (classes === undefined ? settleLinks : settleNodes)("the file", options);
    if (!["gcn", "sage", "gat", "own"].includes(settled.convolution as string)) {
      throw new ValueError(`the convolution is ${String(settled.convolution)}`);
    }
    return { method, ...(classes !== undefined && { classes }), features, options: settled };
  } catch (cause) {
    if (!(cause instanceof OffprintError || cause instanceof SyntaxError)) throw cause;
    throw new FormatError(
      `loadModel: the description in the file's header is of no model: ${cause.message}; save the model again`,
      {
        cause,
      },
    );
  }
}
