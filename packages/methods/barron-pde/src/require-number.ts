import { ValueError } from "@offprint/tensor-core";

/** @throws ValueError where `value` is no finite number */
export function requireNumber(owner: string, name: string, value: number): void {
  if (!Number.isFinite(value)) throw new ValueError(`${owner}: ${name} is ${value}; it must be a finite number`);
}
