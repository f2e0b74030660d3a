import {
  cast,
  concatenate,
  type DType,
  isTensor,
  reshape,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/** Variables as one vector, and back. Both ways are operations of tensors. */
export interface Raveling<X> {
  /** Length of the vector. */
  readonly size: number;
  /** float64 where one of the variables is, or a plain number; else float32. */
  readonly dtype: DType;
  /** The leaves, one after the other: `[size]`. @throws ValueError for another structure, ShapeError for other shapes. */
  ravel(x: X): Tensor;
  /** A tree like the variables. */
  unravel(vector: Tensor): X;
}

/** Whether variables are nested arrays of numbers or a typed array and not a tree of tensors. */
function isNumbers(x: unknown): boolean {
  if (ArrayBuffer.isView(x)) return true;
  return Array.isArray(x) && x.length > 0 && x.every((v) => typeof v === "number" || isNumbers(v));
}

/** Variables with plain numbers and arrays read as float64. */
export function asVariables<X>(x: X): X {
  if (isNumbers(x)) return tensor(x as TensorLike, { dtype: "float64" }) as X;
  return tree.map((leaf: TensorLike) => (isTensor(leaf) ? leaf : tensor(leaf, { dtype: "float64" })), x) as X;
}

/** How variables like `example`, of tensors, are written as a vector. */
export function raveling<X>(owner: string, example: X): Raveling<X> {
  const { leaves, structure } = tree.flatten(example);
  const tensors = leaves as Tensor[];
  for (const { dtype } of tensors) {
    if (dtype === "float32" || dtype === "float64") continue;
    throw new ValueError(`${owner}: the variables hold a tensor of ${dtype}; cast it to float32 or float64`);
  }
  const dtype = tensors.some((x) => x.dtype === "float64") ? "float64" : "float32";
  const size = tensors.reduce((sum, x) => sum + x.size, 0);
  if (size === 0) throw new ValueError(`${owner}: the variables are empty; give at least one number`);
  return {
    size,
    dtype,
    ravel(x) {
      const parts = asVariables(x);
      const flat = tree.flatten(parts);
      if (!tree.sameStructure(flat.structure, structure)) {
        throw new ValueError(
          `${owner}: the function gave ${tree.formatStructure(flat.structure)}; it must give a tree like the variables, ` +
            tree.formatStructure(structure),
        );
      }
      const vectors = (flat.leaves as Tensor[]).map((leaf, i) => {
        if (leaf.shape.join() !== tensors[i].shape.join()) {
          throw new ShapeError(
            `${owner}: the function gave shape [${leaf.shape}] for variables of shape [${tensors[i].shape}]; both must agree`,
          );
        }
        return cast(reshape(leaf, [leaf.size]), dtype);
      });
      return vectors.length === 1 ? vectors[0] : concatenate(vectors, 0);
    },
    unravel(vector) {
      let from = 0;
      return tree.unflatten<X>(
        structure,
        tensors.map((x) => {
          const part = tensors.length === 1 ? vector : slice(vector, [{ start: from, stop: from + x.size }]);
          from += x.size;
          return cast(reshape(part, [...x.shape]), x.dtype);
        }),
      );
    },
  };
}
