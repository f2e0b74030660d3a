import { asTensor, hostTensor, ShapeError, type Tensor, type TensorLike, tree } from "@offprint/tensor-core";

/** The loss of some samples and its gradient as one float64 vector: coding is linear, so both are coded alike. */
export function ravelGradient(value: TensorLike, gradient: unknown): Float64Array {
  const leaves = tree.leaves<TensorLike>(gradient).map((leaf) => asTensor(leaf));
  const size = leaves.reduce((sum, leaf) => sum + leaf.size, 1);
  const vector = new Float64Array(size);
  vector[0] = asTensor(value).item();
  let at = 1;
  for (const leaf of leaves) {
    vector.set(leaf.data(), at);
    at += leaf.size;
  }
  return vector;
}

/** Loss and gradient, a tree like the parameters, of such a vector. @throws ShapeError where it is of other parameters */
export function unravelGradient<P>(vector: Float64Array, params: P): { readonly value: number; readonly gradient: P } {
  const { leaves, structure } = tree.flatten(params);
  let at = 1;
  const parts = leaves.map((leaf): Tensor => {
    const like = asTensor(leaf as TensorLike);
    const from = at;
    at += like.size;
    const values = vector.subarray(from, at);
    return hostTensor(like.dtype === "float32" ? Float32Array.from(values) : values.slice(), like.shape, like.dtype);
  });
  if (at !== vector.length) {
    throw new ShapeError(`the workers' gradients have ${vector.length - 1} numbers and the parameters ${at - 1}`);
  }
  return { value: vector[0], gradient: tree.unflatten<P>(structure, parts) };
}
