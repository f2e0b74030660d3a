import type { FeedForward } from "@offprint/networks";
import { asTensor, isTensor, type TensorLike } from "@offprint/tensor-core";
import type { CheckedBox } from "./box.js";
import type { CheckedNetwork } from "./checked-network.js";
import type { Target } from "./gradient-bounds.js";
import type { OutputRows } from "./output-rows.js";

/** Two multiplicative hashes of 32 bits, side by side: of every word of numbers and of every letter. */
class Mark {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  add(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#high = Math.imul(this.#high ^ word, 0x85ebca6b);
    // Products carry upwards only: bring the upper bits down.
    this.#low ^= this.#low >>> 15;
    this.#high ^= this.#high >>> 13;
  }

  numbers(values: Float64Array): void {
    this.add(values.length);
    // A copy: views of float64 may begin anywhere in a buffer, and the words of -0 are those of 0 here.
    const plain = values.map((value) => value + 0);
    for (const word of new Int32Array(plain.buffer)) this.add(word);
  }

  text(letters: string): void {
    this.add(letters.length);
    for (let i = 0; i < letters.length; i++) this.add(letters.charCodeAt(i));
  }

  get value(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/** Numbers, in whatever way a layer has them. */
function isNumeric(value: unknown): value is TensorLike {
  if (Array.isArray(value)) return value.length === 0 || isNumeric(value[0]);
  return typeof value === "number" || isTensor(value) || ArrayBuffer.isView(value) || isNdarray(value);
}

const isNdarray = (value: unknown): boolean => typeof value === "object" && value !== null && "stride" in value;

/** @internal The layers of a network as they are now: arrays of weights may have been written to since they were last seen. */
export function markOfNetwork({ layers, inputShape }: FeedForward): string {
  const mark = new Mark();
  mark.text(JSON.stringify(inputShape ?? null));
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer)) {
      mark.text(name);
      if (isNumeric(value)) mark.numbers(Float64Array.from(asTensor(value, "float64").data()));
      else mark.text(JSON.stringify(value) ?? "");
    }
  }
  return mark.value;
}

/**
 * @internal What bounds are bounds of, in few letters: the weights, the box, the combinations of outputs and the norm.
 * Bounds of another problem would be no bounds of this one, and nothing else of a saved branch shows it.
 */
export function problemMark(network: CheckedNetwork, box: CheckedBox, rows: OutputRows, target: Target): string {
  const mark = new Mark();
  mark.text(network.mark);
  mark.text(target.kind);
  const direction = target.kind === "direction" ? [target.vector] : [];
  for (const values of [box.lower, box.upper, rows.weights, ...direction]) mark.numbers(values);
  return mark.value;
}
