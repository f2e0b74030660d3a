import { FormatError } from "@offprint/tensor-core";

/** `value` as an object. @throws FormatError if it is none. */
export function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError(`${what} must be an object; give what toJSON returned, unchanged`);
  }
  return value as Record<string, unknown>;
}

/** `value` as a finite number. @throws FormatError if it is none. */
export function finiteNumber(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new FormatError(`${what} is ${String(value)}; it must be a finite number`);
  }
  return value;
}

/** `value` as `length` finite numbers. @throws FormatError if it is something else. */
export function finiteNumbers(value: unknown, length: number, what: string): Float64Array {
  if (!Array.isArray(value) || value.length !== length || !value.every((x) => Number.isFinite(x))) {
    throw new FormatError(`${what} must be ${length} finite numbers; give what toJSON returned, unchanged`);
  }
  return Float64Array.from(value as number[]);
}
