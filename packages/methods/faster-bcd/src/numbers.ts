import { DTypeError, requireObject, ShapeError, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";

/** @internal The values of a vector as float64 of their own, finite unless told otherwise. */
export function vectorOf(
  owner: string,
  name: string,
  given: TensorLike,
  { length, infinite = false }: { length?: number; infinite?: boolean } = {},
): Float64Array {
  if (typeof given !== "number") requireObject(owner, name, given, "a vector of numbers");
  const t = tensor(given, Array.isArray(given) || typeof given === "number" ? { dtype: "float64" } : {});
  if (t.dtype === "bool") throw new DTypeError(`${owner}: ${name} is of dtype bool; give numbers`);
  if (t.rank !== 1) throw new ShapeError(`${owner}: ${name} has shape [${t.shape}]; it must be a vector`);
  if (length !== undefined && t.size !== length) {
    throw new ShapeError(`${owner}: ${name} has ${t.size} values; it needs ${length}`);
  }
  const values = new Float64Array(t.data());
  const bad = values.findIndex((v) => (infinite ? Number.isNaN(v) : !Number.isFinite(v)));
  if (bad >= 0)
    throw new ValueError(
      `${owner}: ${name} holds ${values[bad]} at position ${bad}; it must be ${infinite ? "a number" : "finite"}`,
    );
  return values;
}
