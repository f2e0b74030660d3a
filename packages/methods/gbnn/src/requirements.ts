import { ValueError } from "@offprint/tensor-core";

/** @throws ValueError with the message unless the condition holds. */
export function requireThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ValueError(message);
}

/** @throws ValueError unless the value is one of the words. */
export function requireWord(owner: string, name: string, value: unknown, words: readonly string[]): void {
  requireThat(
    words.includes(value as string),
    `${owner}: ${name} is ${String(value)}; take one of ${words.join(", ")}`,
  );
}
