import { readSafetensors, writeSafetensors } from "@offprint/data";
import { asTensor, cast, FormatError, isTensor, type Tensor, type TensorLike, tree } from "@offprint/tensor-core";

/** Number of scalars in a tree of parameters. */
export function countParameters(params: unknown): number {
  return tree.leaves<TensorLike>(params).reduce<number>((total, x) => total + asTensor(x).size, 0);
}

/**
 * The bytes of a safetensors file with the leaves of a tree, named by their paths: `layers.0.weight`.
 * @param metadata texts to keep in the file
 */
export function saveParameters(params: unknown, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const names = tree.paths(params);
  const leaves = tree.leaves<TensorLike>(params).map((leaf) => asTensor(leaf));
  const tensors = Object.fromEntries(leaves.map((leaf, i) => [names[i] === "" ? "value" : names[i], leaf]));
  return writeSafetensors(tensors, metadata === undefined ? {} : { metadata });
}

/**
 * The tree of a safetensors file, in the structure, the shapes and the dtypes of `like`, such as freshly drawn
 * parameters of the same model. Tensors of the file that `like` does not have are left out.
 * @throws FormatError where a tensor is missing or has another shape, or the file is damaged.
 */
export function loadParameters<P>(bytes: Uint8Array, like: P): P {
  const { tensors } = readSafetensors(bytes);
  const names = tree.paths(like);
  let next = 0;
  return tree.map((leaf: Tensor | TensorLike) => {
    const name = names[next++] || "value";
    const expected = isTensor(leaf) ? leaf : asTensor(leaf);
    const found = tensors[name];
    if (found === undefined) {
      const present = Object.keys(tensors).slice(0, 8).join(", ");
      throw new FormatError(`loadParameters: the file has no tensor ${name}; it has ${present || "none"}`);
    }
    if (found.shape.join() !== expected.shape.join()) {
      throw new FormatError(
        `loadParameters: ${name} has shape [${found.shape}] in the file and [${expected.shape}] in the model`,
      );
    }
    return cast(found, expected.dtype);
  }, like);
}
