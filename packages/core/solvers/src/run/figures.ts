import { isTensor, ValueError } from "@offprint/tensor-core";
import { called } from "./state-like.js";

/** Figures by name, such as `{ accuracy: 0.9 }`, or a promise of them. */
export type Figures = Record<string, number> | Promise<Record<string, number>>;

/**
 * What a callback of the user's gave to be recorded, awaited and copied.
 * @param owner The function that runs, as messages begin.
 * @param name The option that holds the callback.
 * @throws ValueError where it is not an object of numbers: a number alone, or an array, would be recorded as nothing.
 * @example const evaluation = await figuresOf("descend", "evaluate", evaluate(x))
 */
export async function figuresOf(owner: string, name: string, given: Figures): Promise<Record<string, number>> {
  const figures: unknown = await given;
  if (typeof figures !== "object" || figures === null || isTensor(figures) || Symbol.iterator in figures) {
    throw new ValueError(
      `${owner}: ${name} gave ${called(figures)}; it must give an object of numbers, such as { accuracy: 0.9 }`,
    );
  }
  for (const [key, value] of Object.entries(figures)) {
    if (typeof value === "number") continue;
    throw new ValueError(`${owner}: ${name} gave ${called(value)} as ${key}; it must be a number${remedyFor(value)}`);
  }
  return { ...figures };
}

/** The same for a callback that gives one number. @throws ValueError where it gave something else. */
export async function figureOf(owner: string, name: string, given: number | Promise<number>): Promise<number> {
  const figure: unknown = await given;
  if (typeof figure === "number") return figure;
  throw new ValueError(`${owner}: ${name} gave ${called(figure)}; it must give a number${remedyFor(figure)}`);
}

function remedyFor(figure: unknown): string {
  return isTensor(figure) ? ": the item() of a tensor" : "";
}
