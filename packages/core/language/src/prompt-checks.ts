import { DTypeError, IndexError, ValueError } from "@offprint/tensor-core";

/**
 * Throws unless `ids` is a prompt of at least one token, all of them ids of the model.
 *
 * @param owner the function whose argument it is, for the message
 * @throws DTypeError, ValueError or IndexError
 */
export function requirePrompt(owner: string, ids: Int32Array, vocabSize: number): void {
  if (!(ids instanceof Int32Array)) {
    throw new DTypeError(`${owner}: ids must be an Int32Array of token ids: Int32Array.from(ids)`);
  }
  if (ids.length === 0) throw new ValueError(`${owner}: ids is empty; give a prompt of at least one token`);
  const wrong = ids.findIndex((id) => id < 0 || id >= vocabSize);
  if (wrong < 0) return;
  throw new IndexError(`${owner}: ids[${wrong}] is ${ids[wrong]}; the model has the ids 0 to ${vocabSize - 1}`);
}

/**
 * Throws unless `target` is an id of the model.
 *
 * @param owner the function whose argument it is, for the message
 * @throws IndexError
 */
export function requireTarget(owner: string, target: number, vocabSize: number): void {
  if (Number.isInteger(target) && target >= 0 && target < vocabSize) return;
  throw new IndexError(`${owner}: target is ${target}; the model has the ids 0 to ${vocabSize - 1}`);
}
