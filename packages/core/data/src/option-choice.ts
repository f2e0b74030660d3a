import { ValueError } from "@offprint/tensor-core";

/** Throws unless an option, where it is given, is one of the words that it may be. */
export function requireChoice(owner: string, option: string, value: unknown, choices: readonly unknown[]): void {
  if (value === undefined || choices.includes(value)) return;
  const words = choices.map((choice) => JSON.stringify(choice)).join(", ");
  const given = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  throw new ValueError(`${owner}: ${option} is ${given}; give one of ${words}`);
}
