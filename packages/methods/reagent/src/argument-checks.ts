import { asTensor, DTypeError, ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";

/** A number strictly between 0 and 1. */
export function requireOpenUnit(where: string, name: string, value: number): void {
  if (value > 0 && value < 1) return;
  throw new ValueError(`${where}: ${name} is ${value}; it must be above 0 and below 1`);
}

/** Which tokens must stay; none unless told. */
export function requireProtect(where: string, protect: readonly boolean[] | undefined, length: number): boolean[] {
  if (protect === undefined) return new Array<boolean>(length).fill(false);
  if (protect.length !== length) {
    throw new ShapeError(
      `${where}: protect has ${protect.length} entries for a prompt of ${length} tokens; give one each`,
    );
  }
  if (protect.every(Boolean)) {
    throw new ValueError(`${where}: protect covers every token; leave at least one that may be replaced`);
  }
  return [...protect];
}

/** Values of a float tensor of a known shape, all finite. */
export function requireValues(
  where: string,
  name: string,
  value: TensorLike,
  shape: readonly number[],
): Float32Array | Float64Array {
  const x = asTensor(value, Array.isArray(value) ? "float64" : undefined);
  if (x.rank !== shape.length || x.shape.some((n, axis) => n !== shape[axis])) {
    throw new ShapeError(`${where}: ${name} has shape [${x.shape}]; it must be [${shape}]`);
  }
  const data = x.data();
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new DTypeError(`${where}: ${name} is ${x.dtype}; it must be float32 or float64`);
  }
  for (let i = 0; i < data.length; i++) {
    // Minus infinity forbids a token; anything else that is not finite is an accident.
    if (!(data[i] < Infinity))
      throw new ValueError(`${where}: ${name} holds ${data[i]} at entry ${i}; it must be finite`);
  }
  return data;
}
