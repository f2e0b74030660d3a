import type { CausalLM } from "@offprint/language";
import {
  asTensor,
  DTypeError,
  NonFiniteError,
  requireInteger,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";

/** A number strictly between 0 and 1. */
export function requireOpenUnit(where: string, name: string, value: number): void {
  if (value > 0 && value < 1) return;
  throw new ValueError(`${where}: ${name} is ${value}; it must be above 0 and below 1`);
}

/** A function, such as a replacer, whose lack a message explains. */
export function requireFunction(where: string, name: string, value: unknown, advice: string): void {
  if (typeof value === "function") return;
  const what = value === undefined ? "missing" : `${value === null ? "null" : typeof value}, not a function`;
  throw new ValueError(`${where}: ${name} is ${what}; ${advice}`);
}

/** @throws ValueError for what is no causal model. */
export function requireModel(where: string, lm: CausalLM): void {
  const given = (lm ?? {}) as Partial<CausalLM>;
  requireFunction(where, "nextLogits of the model", given.nextLogits, "give { vocabSize, nextLogits(prompts) }");
  requireInteger(where, "vocabSize", lm.vocabSize, 1);
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

/** Embeddings of a prompt of a known length: a matrix `[L, d]`. */
export function requireEmbeddings(where: string, embeds: Tensor, length: number): void {
  if (embeds.rank === 2 && embeds.shape[0] === length) return;
  throw new ShapeError(`${where}: embed gave shape [${embeds.shape}]; it must be [${length}, d]`);
}

function requireFloats(
  where: string,
  name: string,
  value: TensorLike,
  shape: readonly number[],
): Float32Array | Float64Array {
  const plain = Array.isArray(value) && !ArrayBuffer.isView(value.flat(Infinity)[0]);
  const x = asTensor(value, plain ? "float64" : undefined);
  if (x.rank !== shape.length || x.shape.some((n, axis) => n !== shape[axis])) {
    throw new ShapeError(`${where}: ${name} has shape [${x.shape}]; it must be [${shape}]`);
  }
  const data = x.data();
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new DTypeError(`${where}: ${name} is ${x.dtype}; it must be float32 or float64`);
}

/** Values of a float tensor of a known shape, all finite. @throws ShapeError, DTypeError or ValueError */
export function requireValues(
  where: string,
  name: string,
  value: TensorLike,
  shape: readonly number[],
): Float32Array | Float64Array {
  const data = requireFloats(where, name, value, shape);
  const wrong = data.findIndex((each) => !Number.isFinite(each));
  if (wrong < 0) return data;
  throw new ValueError(`${where}: ${name} holds ${data[wrong]} at entry ${wrong}; it must be finite`);
}

/**
 * Scores of tokens that a model gave, `[..., V]`. Minus infinity forbids a token; anything else that is not finite, and
 * a row that forbids all of them, is an accident.
 * @throws ShapeError, DTypeError or NonFiniteError
 */
export function requireLogits(where: string, value: TensorLike, shape: readonly number[]): Float32Array | Float64Array {
  const data = requireFloats(where, "logits", value, shape);
  const v = shape[shape.length - 1];
  for (let start = 0; start < data.length; start += v) {
    let peak = -Infinity;
    for (let i = start; i < start + v; i++) {
      if (!(data[i] < Infinity)) {
        throw new NonFiniteError(`${where}: logits holds ${data[i]} at entry ${i}; scores must be finite or -Infinity`);
      }
      if (data[i] > peak) peak = data[i];
    }
    if (peak === -Infinity) {
      throw new NonFiniteError(`${where}: row ${start / v} of logits is -Infinity throughout; leave a token possible`);
    }
  }
  return data;
}
