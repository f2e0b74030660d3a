import { asTensor, ShapeError, type Tensor, type TensorLike } from "@offprint/tensor-core";

/** @internal How many numbers a shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** @internal The inputs as a tensor `[batch, ...shape]`. @throws ShapeError */
export function batchOf(owner: string, shape: readonly number[], inputs: TensorLike): Tensor {
  const x = asTensor(inputs);
  if (x.rank === shape.length + 1 && shape.every((extent, i) => x.shape[i + 1] === extent)) return x;
  throw new ShapeError(`${owner}: the input has shape [${x.shape}]; give a batch [n, ${shape.join(", ")}]`);
}
