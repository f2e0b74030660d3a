import { DTypeError, ShapeError, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";

/** @internal The values of a vector as float64 of their own, finite unless told otherwise. */
export function vectorOf(
  owner: string,
  name: string,
  given: TensorLike,
  { length, infinite = false }: { length?: number; infinite?: boolean } = {},
): Float64Array {
  const t = tensor(given, Array.isArray(given) || typeof given === "number" ? { dtype: "float64" } : {});
  if (t.dtype === "bool") throw new DTypeError(`${owner}: ${name} is of dtype bool; give numbers`);
  if (t.rank !== 1) throw new ShapeError(`${owner}: ${name} has shape [${t.shape}]; it must be a vector`);
  if (length !== undefined && t.size !== length) {
    throw new ShapeError(`${owner}: ${name} has ${t.size} values; it needs ${length}`);
  }
  const values = Float64Array.from(t.data());
  const bad = values.findIndex((v) => (infinite ? Number.isNaN(v) : !Number.isFinite(v)));
  if (bad >= 0)
    throw new ValueError(
      `${owner}: ${name} holds ${values[bad]} at position ${bad}; it must be ${infinite ? "a number" : "finite"}`,
    );
  return values;
}

/** @internal @throws ValueError unless `value` is an integer from `low` to `high`. */
export function requireWhole(
  owner: string,
  name: string,
  value: number,
  low: number,
  high = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  const range = high === Number.MAX_SAFE_INTEGER ? `>= ${low}` : `from ${low} to ${high}`;
  throw new ValueError(`${owner}: ${name} is ${value}; it must be an integer ${range}`);
}

/** @internal @throws ValueError unless `value` is one of the words. */
export function requireWord(owner: string, name: string, value: unknown, words: readonly string[]): void {
  if (!words.includes(value as string)) {
    throw new ValueError(
      `${owner}: ${name} is ${JSON.stringify(value)}; it must be one of ${words.map((w) => `"${w}"`).join(", ")}`,
    );
  }
}
