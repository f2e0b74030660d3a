import {
  asTensor,
  DTypeError,
  isTensor,
  requireInteger,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";

/** Element type of parameters. */
export type FloatType = "float32" | "float64";

/** @internal Throws unless it is the shape of one input. @throws ShapeError, ValueError */
export function requireExtents(owner: string, name: string, shape: readonly number[]): void {
  if (!Array.isArray(shape) || shape.length === 0) {
    throw new ShapeError(`${owner}: ${name} is ${String(shape)}; give the extents of one input, such as [8, 8]`);
  }
  for (const extent of shape) requireInteger(owner, `an extent of ${name}`, extent, 1);
}

/** @internal How many numbers a shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** @internal The element type of a tensor of real numbers, `otherwise` of others. */
export function floatOf({ dtype }: Tensor, otherwise: FloatType): FloatType {
  return dtype === "float32" || dtype === "float64" ? dtype : otherwise;
}

/** @internal Plain arrays in a dtype; tensors as they are. @throws DTypeError */
export function readNumbers(owner: string, inputs: TensorLike, dtype: FloatType): Tensor {
  try {
    return !isTensor(inputs) && Array.isArray(inputs) ? tensor(inputs, { dtype }) : asTensor(inputs);
  } catch (cause) {
    if (!(cause instanceof DTypeError)) throw cause;
    throw new DTypeError(`${owner}: the input cannot be read: ${cause.message}`, { cause });
  }
}

/**
 * @internal The inputs as a tensor `[batch, ...shape]` of real numbers. Plain arrays, integers and booleans become `dtype`:
 * what is computed with them would be cut to integers otherwise.
 * @throws ShapeError
 */
export function batchOf(
  owner: string,
  shape: readonly number[],
  inputs: TensorLike,
  dtype: FloatType = "float64",
): Tensor {
  const given = readNumbers(owner, inputs, dtype);
  const x = given.cast(floatOf(given, dtype));
  if (x.rank === shape.length + 1 && shape.every((extent, i) => x.shape[i + 1] === extent)) return x;
  throw new ShapeError(`${owner}: the input has shape [${x.shape}]; give a batch [n, ${shape.join(", ")}]`);
}
