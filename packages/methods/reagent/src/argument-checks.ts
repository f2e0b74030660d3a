import { asTensor, DTypeError, IndexError, ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";

/** An integer of at least `least`, and of at most `most`. */
export function requireInteger(where: string, name: string, value: number, least: number, most = Infinity): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = most === Infinity ? `>= ${least}` : `from ${least} to ${most}`;
  throw new ValueError(`${where}: ${name} is ${value}; it must be an integer ${range}`);
}

/** A number strictly between 0 and 1. */
export function requireOpenUnit(where: string, name: string, value: number): void {
  if (value > 0 && value < 1) return;
  throw new ValueError(`${where}: ${name} is ${value}; it must be above 0 and below 1`);
}

/** A prompt of at least one token, all of them ids of the model. */
export function requirePrompt(where: string, ids: Int32Array, vocabSize: number): void {
  if (!(ids instanceof Int32Array)) {
    throw new DTypeError(`${where}: ids must be an Int32Array of token ids: Int32Array.from(ids)`);
  }
  if (ids.length === 0) throw new ValueError(`${where}: ids is empty; give a prompt of at least one token`);
  const wrong = ids.findIndex((id) => id < 0 || id >= vocabSize);
  if (wrong < 0) return;
  throw new IndexError(`${where}: ids[${wrong}] is ${ids[wrong]}; the model has the ids 0 to ${vocabSize - 1}`);
}

/** An id of the model. */
export function requireTarget(where: string, target: number, vocabSize: number): void {
  if (Number.isInteger(target) && target >= 0 && target < vocabSize) return;
  throw new IndexError(`${where}: target is ${target}; the model has the ids 0 to ${vocabSize - 1}`);
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
