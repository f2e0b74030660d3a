import { isTensor, type Tensor, type TensorLike, tensor, tree } from "@offprint/tensor-core";

/** The tensors of a tree in the order of a file's inputs or outputs. */
export function tensorsOf(value: unknown): Tensor[] {
  return tree.leaves(value).map((leaf) => (isTensor(leaf) ? leaf : tensor(leaf as TensorLike)));
}
