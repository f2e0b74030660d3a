import { readSafetensors, writeSafetensors } from "@offprint/data";
import { FormatError, isTensor, type Tensor, tree, UnsupportedError } from "@offprint/tensor-core";
import type { LinkPredictor } from "./link-predictor.js";
import type { NodeClassifier } from "./node-classifier.js";

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
 * @throws FormatError for other files.
 */
export function loadModel(bytes: Uint8Array): NodeClassifier | LinkPredictor {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata?.format !== FORMAT) {
    throw new FormatError(`loadModel: the file is not marked "${FORMAT}"; give a file that saveModel wrote`);
  }
  const { layout, ...described } = JSON.parse(metadata.model, (_, value) => (value === "Infinity" ? Infinity : value));
  const names = tree.paths(
    tree.unflatten(
      layout,
      Object.keys(tensors).map(() => 0),
    ),
  );
  const leaves = names.map((name) => {
    const found = tensors[name];
    if (found === undefined) throw new FormatError(`loadModel: the file has no tensor ${name}`);
    return found;
  });
  const { params, virtualFeatures } = tree.unflatten<{ params: any[]; virtualFeatures: Tensor | null }>(layout, leaves);
  return { ...described, params, ...(virtualFeatures !== null && { virtualFeatures }) };
}
