import { ValueError } from "@offprint/tensor-core";
import { requireThat } from "./requirements.js";

type Label = number | string;

/** The distinct classes: numbers in their order, texts by code units. */
export function sortedClasses(caller: string, labels: ArrayLike<Label>): Label[] {
  const classes = [...new Set(Array.from(labels))];
  for (const label of classes) {
    const usable = typeof label === "string" || (typeof label === "number" && Number.isFinite(label));
    requireThat(usable, `${caller}: y holds ${String(label)}; a class is a finite number or a text`);
  }
  const texts = classes.filter((label) => typeof label === "string").length;
  requireThat(texts === 0 || texts === classes.length, `${caller}: y mixes numbers and texts; use one of them`);
  requireThat(
    classes.length >= 2,
    `${caller}: y has ${classes.length === 1 ? `one class only, ${classes[0]}` : "no classes"}; give samples of two at least`,
  );
  return classes.sort((a, b) => (typeof a === "number" ? a - (b as number) : a < b ? -1 : 1));
}

/** The place of every label among the classes. @throws ValueError for a label that is none of them. */
export function classIndices(caller: string, labels: ArrayLike<Label>, classes: readonly Label[]): Int32Array {
  const places = new Map(classes.map((label, k) => [label, k]));
  return Int32Array.from({ length: labels.length }, (_, i) => {
    const place = places.get(labels[i]);
    if (place === undefined) {
      throw new ValueError(`${caller}: sample ${i} is of class ${labels[i]}; the model knows ${classes.join(", ")}`);
    }
    return place;
  });
}

/** Targets as the losses want them: -1 and +1 for two classes, `[samples]`; one-hot for more, `[samples, classes]`. */
export function codeClasses(indices: Int32Array, classes: number): Float64Array {
  if (classes === 2) return Float64Array.from(indices, (k) => 2 * k - 1);
  const targets = new Float64Array(indices.length * classes);
  for (let i = 0; i < indices.length; i++) targets[i * classes + indices[i]] = 1;
  return targets;
}

/** The class with the largest score, the first of equals; for two classes the second where F > 0. */
export function chosenClasses(scores: ArrayLike<number>, outputs: number): Int32Array {
  const rows = scores.length / outputs;
  return Int32Array.from({ length: rows }, (_, i) => {
    if (outputs === 1) return scores[i] > 0 ? 1 : 0;
    let best = 0;
    for (let k = 1; k < outputs; k++) if (scores[i * outputs + k] > scores[i * outputs + best]) best = k;
    return best;
  });
}
